"""Which clips to ask a person about next."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skbst._groups import group_codes, read_groups, with_groups
from skbst._sklearn import HasMethods, Interval, _num_samples, _safe_indexing, check_is_fitted, validate_params
from skbst.curation._expected_gain import ask_in_turn, expected_gain
from skbst.curation._neighbour_vectors import neighbour_vectors
from skbst.exceptions import DataFormatError
from skbst.neighbors import top_k_cosine
from skbst.taxonomy import Taxonomy, resolve_taxonomy

__all__ = ["next_questions"]

# clips that an answer may teach something about; taken as it is
_N_NEIGHBOURS = 20


@validate_params(
    {
        "model": [HasMethods(["fit", "predict_proba"])],
        "n": [Interval(Integral, 1, None, closed="left")],
        "max_per_group": [Interval(Integral, 1, None, closed="left"), None],
        "taxonomy": [Taxonomy, None],
    },
    prefer_skip_nested_validation=True,
)
def next_questions(model, clips, *, n, y=None, groups=None, max_per_group=5, taxonomy=None):
    """Choose the clips whose labels would teach most.

    Parameters
    ----------
    model : classifier
        Has ``predict_proba``. Taken as it is if it is fitted; else a clone is fitted on the clips that have a label.

    clips : DataFrame, FeatureBundle or array-like of shape (n_samples, ...)
        Rows as the model takes them.

    n : int
        How many to choose; fewer are returned where there are not so many.

    y : array-like of shape (n_samples,), default=None
        What is known already; missing (None, NaN or "") where nobody knows. Clips with a label are not asked about, nor
        are clips that are almost equal to one.

    groups : array-like of shape (n_samples,), default=None
        Who uploaded each clip; missing is nobody's.

    max_per_group : int, default=5
        At most so many clips of one uploader; None for any number.

    taxonomy : Taxonomy, default=None
        The tree; None takes the model's, else BST where all classes are BST codes, the flat tree where none is.

    Returns
    -------
    questions : DataFrame of shape (at most n, 8)
        Index of the clips, the most useful first: ``predicted`` and ``proba``, ``class_2`` and ``proba_2`` (what the
        model says now, and what else it could be), ``gain``, ``group``, ``reason`` and ``position`` (row of `clips`).
        `review_page` shows it.

    Raises
    ------
    DataFormatError
        If lengths differ, no clip is left to ask about, or the model is not fitted and there are no labels of two
        classes to fit it on.

    Notes
    -----
    ``gain`` is the hierarchical credit (1 for the right class, 0.375 for the right top level) that an answer is
    expected to bring to the clips around it: an answer t, which is expected with the model's probability of t, moves
    each neighbour's distribution towards t as far as both are alike, and counts where the best class for that neighbour
    changes; of the clip itself a tenth of what the model may be wrong by counts. Clips are taken one after the other,
    and what an earlier question settles does not count again. Of clips with a cosine of 0.98 or more (in few
    dimensions of more) only one is asked about. The same arguments give the same answer.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbst.curation import next_questions
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2))
    >>> y = np.where(X[:, 0] > 0, "fx-a", "ss-n").astype(object)
    >>> y[20:] = None  # so far only 20 are known
    >>> questions = next_questions(LogisticRegression(), X, n=3, y=y)
    >>> len(questions), bool(questions.index.min() >= 20)
    (3, True)
    """
    n_clips = _num_samples(clips)
    known = _known_labels(y, n_clips)
    open_rows = np.flatnonzero(pd.isna(known))
    if not len(open_rows):
        raise DataFormatError(f"All {n_clips} clips have a label; there is nothing to ask about.")
    model = _fitted(model, clips, known, groups)
    codes = np.full(n_clips, -1) if groups is None else group_codes(groups, n_clips)
    proba = np.asarray(model.predict_proba(clips), dtype=float)
    classes = np.asarray(model.classes_)
    tree = resolve_taxonomy(taxonomy or getattr(model, "taxonomy_", None), classes).reorder(classes)
    vectors, near_duplicate = neighbour_vectors(model, clips, proba, fitted=True)
    k = min(_N_NEIGHBOURS, len(open_rows) - 1)
    rows = vectors[open_rows]
    similar, near = top_k_cosine(rows, rows, k, exclude_self=True) if k else (np.zeros((1, 0)), np.zeros((1, 0), int))
    own, gains = expected_gain(proba[open_rows], similar, near, tree.parent_of_leaf)
    chosen, gain = ask_in_turn(
        own,
        gains,
        similar,
        near,
        n,
        vectors=rows,
        told=vectors[~pd.isna(known)],
        near_duplicate=near_duplicate,
        groups=codes[open_rows],
        max_per_group=max_per_group,
    )
    names = clips.index if isinstance(clips, (pd.DataFrame, pd.Series)) else pd.RangeIndex(n_clips)
    given = np.full(n_clips, None, dtype=object) if groups is None else read_groups(groups, n_clips)
    return _table(proba, classes, open_rows[chosen], gain, names, given)


def _known_labels(y, n_clips):
    """Labels as objects, None where nobody knows."""
    if y is None:
        return np.full(n_clips, None, dtype=object)
    labels = np.asarray(y, dtype=object)
    if labels.shape != (n_clips,):
        raise DataFormatError(f"y must have one entry for each of {n_clips} clips; got {labels.shape}.")
    missing = pd.isna(labels) | np.array([isinstance(label, str) and not label.strip() for label in labels], bool)
    return np.where(missing, None, labels)


def _fitted(model, clips, known, groups):
    """The model itself if it is fitted, else a clone that has learnt what is known."""
    try:
        check_is_fitted(model)
        return model
    except NotFittedError:
        rows = np.flatnonzero(~pd.isna(known))
    labels = np.array(known[rows].tolist())
    if len(np.unique(labels)) < 2:
        raise DataFormatError(
            f"{type(model).__name__} is not fitted, and y holds labels of {len(np.unique(labels))} classes. Pass a "
            "fitted model, or labels of at least two classes."
        )
    told = {} if groups is None else with_groups(model, read_groups(groups, len(known))[rows], {})
    return clone(model).fit(_safe_indexing(clips, rows), labels, **told)


def _table(proba, classes, rows, gain, names, groups):
    order = np.argsort(-proba[rows], axis=1, kind="stable")
    first, second = order[:, 0], order[:, min(1, len(classes) - 1)]
    p, q = proba[rows, first], proba[rows, second]
    reasons = [
        f"{classes[a]} ({x:.0%}) or {classes[b]} ({y:.0%}); an answer tells most about the clips around it."
        for a, b, x, y in zip(first, second, p, q)
    ]
    columns = {"predicted": classes[first], "proba": p, "class_2": classes[second], "proba_2": q, "gain": gain}
    columns |= {"group": groups[rows], "reason": reasons, "position": rows}
    return pd.DataFrame(columns, index=names[rows])
