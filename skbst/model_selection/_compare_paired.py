"""Compare two systems that predicted the same rows."""

import warnings
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skbst._sklearn import Interval, Options, StrOptions, validate_params
from skbst.exceptions import DataFormatError
from skbst.model_selection._check_classes import as_groups
from skbst.model_selection._folds import Folds
from skbst.model_selection._paired._cell_resampling import CellResampling
from skbst.model_selection._paired._confusion_scores import CONFUSION_SCORES
from skbst.model_selection._paired._intervals import (
    bca_interval,
    corrected_resampled_t,
    percentile_interval,
    permutation_p_value,
)
from skbst.model_selection._paired._row_resampling import RowResampling
from skbst.model_selection._paired_comparison import PairedComparison
from skbst.taxonomy import Taxonomy, as_text, resolve_taxonomy

__all__ = ["compare_paired"]


@validate_params(
    {
        "y_true": ["array-like"],
        "pred_a": ["array-like"],
        "pred_b": ["array-like"],
        "metric": [StrOptions(set(CONFUSION_SCORES)), callable],
        "folds": ["array-like", Folds, None],
        "groups": ["array-like", None],
        "n_bootstrap": [Interval(Integral, 2, None, closed="left")],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "method": [StrOptions({"bca", "percentile"})],
        "taxonomy": [Taxonomy, None],
        "top_weight": [Interval(Real, 0, 2, closed="both")],
        "zero_division": [Options(Real, {0.0, 1.0}), "nan"],
        "random_state": [Interval(Integral, 0, None, closed="left"), np.random.Generator, None],
    },
    prefer_skip_nested_validation=True,
)
def compare_paired(
    y_true,
    pred_a,
    pred_b,
    *,
    metric="hierarchical_f1",
    folds=None,
    groups=None,
    n_bootstrap=2000,
    n_permutations=2000,
    confidence_level=0.95,
    method="bca",
    taxonomy=None,
    top_weight=0.75,
    zero_division=np.nan,
    random_state=None,
):
    """Compare two systems on the same rows: difference, interval and p-value.

    Both systems meet the same easy and hard clips, so that the difference is known far better than either score.
    Resamples draw rows (or whole groups) and keep the two predictions of a row together; the permutation test swaps
    the two predictions of random rows (or groups).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Class codes.

    pred_a, pred_b : array-like of shape (n_samples,)
        Class codes predicted by systems A and B, for the same rows in the same order.

    metric : str or callable, default="hierarchical_f1"
        "hierarchical_f1", "hierarchical_precision", "hierarchical_recall", "hierarchical_accuracy" or "accuracy"
        (computed from pair counts: fast), or a function ``metric(y_true, y_pred) -> float``, which is called for every
        resample (slow).

    folds : Folds or array-like of shape (n_samples,), default=None
        In which fold each row was tested. The score is then the mean over folds, as the challenge reports it, rows are
        drawn within their fold, and an interval over folds is given too. None scores all rows together.

    groups : array-like of shape (n_samples,), default=None
        Uploaders: whole groups are drawn and swapped. Clips of one uploader stand or fall together, which makes this
        interval wider, and the honest one for clips of new uploaders. A row of
        nobody (None, NaN, pd.NA, "") is a group of its own.

    n_bootstrap : int, default=2000
        Number of resamples.

    n_permutations : int, default=2000
        Number of random swaps; the p-value is at least ``1 / (n_permutations + 1)``.

    confidence_level : float in (0, 1), default=0.95
        Coverage of the intervals.

    method : {"bca", "percentile"}, default="bca"
        Kind of the bootstrap interval. Where BCa is not defined (equal predictions), the percentile interval is given
        and ``interval_method`` says so.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    top_weight, zero_division
        As in `skbst.metrics.hierarchical_f1_score`.

    random_state : int, Generator or None, default=None
        Makes the draws reproducible.

    Returns
    -------
    comparison : PairedComparison
        ``difference`` (A minus B), ``interval``, ``p_value``, with folds ``fold_differences``, ``fold_interval`` and
        ``fold_p_value``; its repr is a readable summary.

    Raises
    ------
    DataFormatError
        If a label is no leaf of the tree, a row has no fold, there is a single row or uploader, or the metric gives no
        finite number for a fold, or for more than half of the resamples.

    Warns
    -----
    UserWarning
        If the metric gives no finite number for some resamples: the interval is that of the others. A random swap
        without a number counts as one that speaks against a difference.

    Notes
    -----
    Neither bootstrap nor permutation knows that a second training run would have come out differently: they speak of
    these two sets of predictions on other clips. The interval over folds holds some of that variance, on few degrees of
    freedom.

    References
    ----------
    B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993. C. Nadeau and Y. Bengio, "Inference for the
    generalization error", 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.model_selection import compare_paired
    >>> rng = np.random.default_rng(0)
    >>> y = rng.choice(["fx-a", "fx-h", "ss-n"], 400)
    >>> a = np.where(rng.random(400) < 0.9, y, "fx-a")
    >>> b = np.where(rng.random(400) < 0.8, y, "fx-a")
    >>> compare_paired(y, a, b, random_state=0)
    hierarchical_f1 of 400 rows: A 0.9646, B 0.8901, A - B +0.0745
      95 % interval [+0.0453, +0.1058]  BCa bootstrap of rows, 2000 resamples
      permutation p = 0.0004998  2000 random swaps of rows
    """
    check_consistent_length(y_true, pred_a, pred_b)
    labels = [_as_text(values) for values in (y_true, pred_a, pred_b)]
    fold = _as_folds(folds, len(labels[0]))
    groups = None if groups is None else as_groups(groups, labels[0])
    _check_units(len(fold), groups)
    if callable(metric):
        resampling = RowResampling(*labels, fold, groups, metric=metric)
    else:
        tree = resolve_taxonomy(taxonomy, np.unique(np.concatenate(labels)))
        resampling = CellResampling(
            *(tree.leaf_index(values) for values in labels),
            fold,
            groups,
            tree.parent_of_leaf,
            metric=metric,
            top_weight=top_weight,
            zero_division=zero_division,
        )
    rng = np.random.default_rng(random_state)
    fold_a, fold_b = resampling.observed()
    _check_scores(metric, fold_a, fold_b)
    difference = float(np.mean(fold_a - fold_b))
    resamples = _known(resampling.bootstrap(n_bootstrap, rng), "resamples")
    permuted = resampling.permute(n_permutations, rng)
    interval, method = _bootstrap_interval(resampling, resamples, difference, confidence_level, method)
    return PairedComparison(
        metric=getattr(metric, "__name__", str(metric)),
        score_a=float(np.mean(fold_a)),
        score_b=float(np.mean(fold_b)),
        difference=difference,
        interval=interval,
        interval_method=method,
        p_value=permutation_p_value(permuted, difference),
        confidence_level=confidence_level,
        n_samples=len(fold),
        n_groups=None if groups is None else int(groups.max()) + 1,
        bootstrap_differences=resamples,
        permutation_differences=permuted,
        **_over_folds(fold_a - fold_b, confidence_level),
    )


def _check_scores(metric, fold_a, fold_b):
    """Nothing can be said about a difference that is no number; it must never come out as a significant one."""
    for name, scores in (("A", fold_a), ("B", fold_b)):
        wrong = np.flatnonzero(~np.isfinite(scores))
        if len(wrong):
            raise DataFormatError(
                f"The metric {getattr(metric, '__name__', metric)!r} of {name} is {scores[wrong[0]]} in {len(wrong)} "
                f"of {len(scores)} fold(s) (first: {wrong[0]}). Take a metric that is defined there, as with a "
                "zero_division, or leave these folds out."
            )


def _check_units(n_samples, groups):
    """Of a single one nothing can be drawn but itself: an interval without width would look like certainty."""
    if n_samples < 2 or (groups is not None and groups.max() == 0):
        what = "row" if groups is None else "uploader"
        raise DataFormatError(f"All is of one {what}, and of one nothing can be said about others; pass more of them.")


def _known(resamples, what):
    """Resamples whose difference is a number."""
    known = resamples[np.isfinite(resamples)]
    if len(known) < len(resamples) / 2:
        raise DataFormatError(f"The metric is no number in {len(resamples) - len(known)} of {len(resamples)} {what}.")
    if len(known) < len(resamples):
        warnings.warn(
            f"The metric is no number in {len(resamples) - len(known)} of {len(resamples)} {what}, which are left out.",
            UserWarning,
            stacklevel=4,
        )
    return known


def _as_text(values):
    values = column_or_1d(np.asarray(values))
    if len(values) == 0:
        raise DataFormatError("There is nothing to compare: y_true is empty.")
    return np.array(as_text(values))


def _as_folds(folds, n_samples):
    if folds is None:
        return np.zeros(n_samples, dtype=np.intp)
    folds = folds.fold_of_row if isinstance(folds, Folds) else column_or_1d(np.asarray(folds))
    if len(folds) != n_samples:
        raise DataFormatError(f"folds has {len(folds)} rows but y_true has {n_samples}.")
    missing = pd.isna(folds) | (folds == -1)
    if missing.any():
        raise DataFormatError(f"{int(missing.sum())} of {n_samples} rows are in no fold; compare only the others.")
    return np.unique(folds, return_inverse=True)[1]


def _bootstrap_interval(resampling, resamples, difference, confidence_level, method):
    if method == "bca":
        interval = bca_interval(resamples, difference, *resampling.jackknife(), confidence_level)
        if interval is not None:
            return interval, "bca"
    return percentile_interval(resamples, confidence_level), "percentile"


def _over_folds(differences, confidence_level):
    n_folds = len(differences)
    if n_folds == 1:
        return {"fold_differences": None, "fold_interval": None, "fold_p_value": None}
    interval, p_value = corrected_resampled_t(
        differences, test_to_train=1 / (n_folds - 1), confidence_level=confidence_level
    )
    return {"fold_differences": differences, "fold_interval": interval, "fold_p_value": p_value}
