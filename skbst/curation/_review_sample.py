"""Which predictions to check, and how many of all are right."""

from itertools import pairwise
from numbers import Integral

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.utils import check_random_state

from skbst.curation._page import library_rows, text_index
from skbst.exceptions import DataFormatError

__all__ = ["review_precision", "review_sample"]


def review_sample(table, *, n=5, edges=(0.5, 0.9), random_state=None):
    """Draw predictions to review, some of each class and band of probability.

    Few clips tell how many predictions of a library are right when each class, sure or not, has its share of them.
    The first rows hold one clip of each stratum, the next a second of each, and so on: whoever stops early has heard
    all classes.

    Parameters
    ----------
    table : DataFrame
        What ``label_library`` wrote: ``predicted`` and ``proba``, and the sound_ids as index or column ``sound_id``.
        Sounds without an answer are left out.

    n : int, default=5
        How many clips of each class and band; all where there are fewer.

    edges : sequence of float in (0, 1), default=(0.5, 0.9)
        Where one band of ``proba`` ends and the next begins, ascending.

    random_state : int, RandomState or None, default=None
        Draws the clips.

    Returns
    -------
    sample : DataFrame
        Rows of the table, index ``sound_id``, with two more columns: ``stratum`` (such as "fx-a 0.50 to 0.90") and
        ``n_stratum`` (how many predictions of the table lie in it). `review_page` and `review_precision` take it.

    Raises
    ------
    DataFormatError
        If a column is missing, nothing has an answer, a probability is none, or a sound stands twice.

    ValueError
        If `n` or `edges` are out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.curation import review_sample
    >>> table = pd.DataFrame({"predicted": ["fx-a"] * 3 + ["m-sp"], "proba": [0.3, 0.4, 0.95, 0.7]}, index=list("abcd"))
    >>> review_sample(table, n=1, random_state=0)[["stratum", "n_stratum"]]
                 stratum  n_stratum
    b  fx-a 0.00 to 0.50          2
    c  fx-a 0.90 to 1.00          1
    d  m-sp 0.50 to 0.90          1
    """
    edges = np.asarray(edges, dtype=float)
    if not isinstance(n, Integral) or n < 1:
        raise ValueError(f"n is a number of clips from 1; got {n!r}.")
    if edges.ndim != 1 or not ((edges > 0) & (edges < 1)).all() or (np.diff(edges) <= 0).any():
        raise ValueError(f"edges are ascending numbers between 0 and 1; got {edges.tolist()}.")
    table = library_rows(table)
    _check_answers(table)
    limits = [0.0, *edges.tolist(), 1.0]
    bands = np.searchsorted(edges, table["proba"].to_numpy(dtype=float), side="right")
    names = [f"{low:.2f} to {high:.2f}" for low, high in pairwise(limits)]
    # one draw for all rows: the first of each stratum in this order are its sample
    order = check_random_state(random_state).permutation(len(table))
    shuffled = pd.DataFrame({"label": table["predicted"].astype(str).to_numpy(), "band": bands}).iloc[order]
    strata = shuffled.groupby(["label", "band"])
    shuffled = shuffled.assign(turn=strata.cumcount(), size=strata["band"].transform("size"))
    drawn = shuffled[shuffled["turn"] < n].sort_values(["turn", "label", "band"])
    return table.iloc[drawn.index].assign(
        stratum=[f"{label} {names[band]}" for label, band in zip(drawn["label"], drawn["band"])],
        n_stratum=drawn["size"].to_numpy(),
    )


def review_precision(review, sample, *, confidence_level=0.95):
    """Estimate how many of all predictions are right, from a reviewed sample.

    A prediction that was kept is right, one that was changed wrong; "unsure" and clips that nobody decided on count
    as not reviewed.

    Parameters
    ----------
    review : Bunch or DataFrame
        What `read_review` returns, or its ``decisions``.

    sample : DataFrame
        From `review_sample`.

    confidence_level : float in (0, 1), default=0.95
        Of the intervals.

    Returns
    -------
    precision : DataFrame
        One row for each class and one for "all": ``n_predictions`` (in the library), ``n_reviewed``, ``precision``
        and its interval ``low`` to ``high`` (NaN where nothing was reviewed), each for the predictions of strata in
        which something was reviewed, and ``covered``, the share of the predictions that these are.

    Raises
    ------
    DataFormatError
        If `sample` lacks its columns, or a reviewed prediction was another one.

    Notes
    -----
    The estimate is the mean over strata, weighted by their size. The interval is the outer one of two: Wilson's with
    the effective size of the design [1]_, whose strata borrow from each other, and Wilson's of each stratum, joined by
    the method of variance estimates recovery [2]_. Alone, the first covers too little where one stratum holds most
    clips, the second where there are many small strata. A stratum that was reviewed whole adds no doubt.

    References
    ----------
    .. [1] Korn & Graubard, "Confidence intervals for proportions with small expected number of positive counts
       estimated from survey data", Survey Methodology 24, 1998.
    .. [2] Zou & Donner, "Construction of confidence limits about effect measures", Statistics in Medicine 27, 2008.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.curation import review_precision, review_sample
    >>> table = pd.DataFrame({"predicted": "fx-a", "proba": 0.7}, index=[str(i) for i in range(100)])
    >>> sample = review_sample(table, n=20, random_state=0)
    >>> decided = pd.DataFrame({"sound_id": sample.index, "label": "fx-a", "decision": ["change"] * 2 + ["keep"] * 18})
    >>> review_precision(decided, sample).loc["all"].round(2).tolist()
    [100.0, 20.0, 0.9, 0.72, 0.97, 1.0]
    """
    if not {"stratum", "n_stratum", "predicted"} <= set(sample):
        raise DataFormatError("sample must be what review_sample returns, with the columns stratum and n_stratum.")
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level lies between 0 and 1; got {confidence_level!r}.")
    z = norm.ppf(0.5 + confidence_level / 2)
    strata = _counted(review, sample)
    parts = [(label, part) for label, part in strata.groupby("label", sort=True)] + [("all", strata)]
    return pd.DataFrame([_estimate(part, z) for _, part in parts], index=pd.Index([name for name, _ in parts]))


def stratified_interval(right, reviewed, size, z):
    """Weighted share and its interval; arrays of one value for each stratum, of which each has something reviewed."""
    weight, share = size / size.sum(), right / reviewed
    open_part = (size - reviewed) / size
    precision = float(weight @ share)
    if not open_part.any():
        return precision, precision, precision
    # the effective size: as many clips drawn at random would tell as much
    borrowed = (right + 2 * precision) / (reviewed + 2)
    doubt = weight**2 * open_part / reviewed
    variance = float(doubt @ (borrowed * (1 - borrowed)))
    n = precision * (1 - precision) / variance if variance > 1e-15 else 1 / doubt.sum()
    low, high = _wilson(precision, n, z)
    with np.errstate(divide="ignore"):
        lows, highs = _wilson(share, np.where(open_part > 0, reviewed / np.maximum(open_part, 1e-12), 1e12), z)
    low = min(low, precision - np.sqrt(((weight * (share - lows)) ** 2).sum()))
    high = max(high, precision + np.sqrt(((weight * (highs - share)) ** 2).sum()))
    return precision, max(0.0, float(low)), min(1.0, float(high))


def _wilson(share, n, z):
    centre = (share + z * z / 2 / n) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / 4 / n**2)
    return centre - half, centre + half


def _counted(review, sample):
    """What was reviewed and right in each stratum."""
    decisions = review["decisions"] if isinstance(review, dict) else review
    decisions = decisions.set_axis(text_index(decisions["sound_id"]))
    names = text_index(sample.index)
    predicted = pd.Series(sample["predicted"].astype(str).to_numpy(), index=names)
    decisions = decisions[decisions.index.isin(names)]
    other = decisions.index[decisions["label"].astype(str) != predicted.reindex(decisions.index)]
    if len(other):
        raise DataFormatError(
            f"{len(other)} of {len(decisions)} reviewed predictions are not those of the sample (first: {other[0]!r}). "
            "Pass the sample that was reviewed."
        )
    decision = decisions["decision"].reindex(names).to_numpy()
    counted = pd.DataFrame(
        {
            "stratum": sample["stratum"].to_numpy(),
            "label": predicted.to_numpy(),
            "size": sample["n_stratum"].to_numpy(dtype=float),
            "reviewed": np.isin(decision, ["keep", "change"]),
            "right": decision == "keep",
        }
    )
    return counted.groupby("stratum", sort=False).agg(
        {"label": "first", "size": "first", "reviewed": "sum", "right": "sum"}
    )


def _estimate(strata, z):
    known = strata[strata["reviewed"] > 0]
    found = (np.nan,) * 3
    if len(known):
        found = stratified_interval(*(known[name].to_numpy(float) for name in ("right", "reviewed", "size")), z)
    total = strata["size"].sum()
    return {
        "n_predictions": int(total),
        "n_reviewed": int(strata["reviewed"].sum()),
        **dict(zip(("precision", "low", "high"), found)),
        "covered": known["size"].sum() / total,
    }


def _check_answers(table):
    if not len(table):
        raise DataFormatError("The table has no predictions to review.")
    if not text_index(table.index).is_unique:
        raise DataFormatError("A sound_id stands twice in the table; make it unique.")
    wrong = ~table["proba"].between(0, 1)
    if wrong.any():
        raise DataFormatError(f"{int(wrong.sum())} of {len(table)} probabilities do not lie between 0 and 1.")
