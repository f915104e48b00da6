"""Hierarchical precision, recall and F1."""

from numbers import Real

import numpy as np

from skbst._sklearn import Interval, Options, StrOptions, validate_params
from skbst.exceptions import DataFormatError
from skbst.metrics._confusion import hierarchical_scores_from_confusion, pair_confusion
from skbst.taxonomy import Taxonomy

__all__ = [
    "CONSTRAINTS",
    "hierarchical_f1_score",
    "hierarchical_precision_recall_fscore_support",
    "hierarchical_precision_score",
    "hierarchical_recall_score",
]

#: What each parameter of these functions may be.
CONSTRAINTS = {
    "y_true": ["array-like"],
    "y_pred": ["array-like"],
    "taxonomy": [Taxonomy, None],
    "labels": ["array-like", None],
    "top_weight": [Interval(Real, 0, 2, closed="both")],
    "average": [StrOptions({"macro", "weighted"}), None],
    "zero_division": [Options(Real, {0.0, 1.0}), "nan"],
    "sample_weight": ["array-like", None],
}


@validate_params(CONSTRAINTS, prefer_skip_nested_validation=True)
def hierarchical_precision_recall_fscore_support(
    y_true,
    y_pred,
    *,
    taxonomy=None,
    labels=None,
    top_weight=0.75,
    average="macro",
    zero_division=np.nan,
    sample_weight=None,
):
    """Hierarchical precision, recall, F1 and support.

    A prediction earns 1 where the class is right, ``top_weight / 2`` where only its top level is, else 0. For a
    class c, hP is the mean credit over the rows predicted c, hR over the rows that truly are c, hF their harmonic
    mean. The means run over the classes present in `y_true`; hF is the mean of the F's.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Class codes.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is (in which these are the
        ordinary precision, recall and F1).

    labels : array-like of str, default=None
        Classes to report or average over, in this order; None takes those present in `y_true`, in tree order.

    top_weight : float in [0, 2], default=0.75
        Twice the credit of a right top level: 0.75 is the challenge's, 1.0 that of Kiritchenko et al. (2005) and
        Silla & Freitas (2011), 0 gives plain precision, recall and F1.

    average : {"macro", "weighted"} or None, default="macro"
        Mean over classes, mean weighted by support, or one value per class.

    zero_division : {np.nan, 0.0, 1.0}, default=np.nan
        What hP is for a class that was never predicted. ``np.nan`` is the challenge's behaviour: such a class is
        **left out of all three means**, which can flatter a system by several points. 0.0 counts it as nothing.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    precision, recall, f1 : float, or ndarray of shape (n_labels,) for ``average=None``
        In [0, 1]; NaN where nothing could be averaged.

    support : None, or ndarray of shape (n_labels,) for ``average=None``
        Weight of each true class.

    Raises
    ------
    DataFormatError
        If a label is no leaf of the tree or nothing is given.

    References
    ----------
    Kiritchenko, Matwin and Famili (2005); Silla and Freitas (2011); the official evaluation of DCASE 2026 Task 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.metrics import hierarchical_precision_recall_fscore_support as scores
    >>> y_true = ["fx-a", "fx-a", "fx-h", "ss-n"]
    >>> y_pred = ["fx-h", "fx-h", "fx-h", "ss-n"]
    >>> np.round(scores(y_true, y_pred)[:3], 6)  # fx-a is never predicted: left out
    array([0.791667, 1.      , 0.868421])
    >>> np.round(scores(y_true, y_pred, zero_division=0.0)[:3], 6)
    array([0.527778, 0.791667, 0.578947])
    """
    confusion, tree = pair_confusion(y_true, y_pred, taxonomy=taxonomy, sample_weight=sample_weight)
    scores = hierarchical_scores_from_confusion(
        confusion, tree.parent_of_leaf, top_weight=top_weight, zero_division=zero_division
    )
    precision, recall, f1, support = (values[_chosen(tree, labels, confusion)] for values in scores)
    if average is None:
        return precision, recall, f1, support
    kept = ~(np.isnan(precision) | np.isnan(recall))
    weights = (support if average == "weighted" else np.ones_like(support))[kept]
    if weights.sum() == 0:
        return float("nan"), float("nan"), float("nan"), None
    means = (float(np.average(values[kept], weights=weights)) for values in (precision, recall, f1))
    return (*means, None)


def _chosen(tree, labels, confusion):
    if labels is None:
        return np.flatnonzero(confusion.sum(axis=1) > 0)
    chosen = tree.leaf_index(labels)
    if len(chosen) == 0:
        raise DataFormatError("labels is empty; pass None for the classes present in y_true.")
    return chosen


def hierarchical_precision_score(
    y_true,
    y_pred,
    *,
    taxonomy=None,
    labels=None,
    top_weight=0.75,
    average="macro",
    zero_division=np.nan,
    sample_weight=None,
):
    """Hierarchical precision (hP): mean credit over what was predicted as each class.

    Parameters
    ----------
    y_true, y_pred, taxonomy, labels, top_weight, average, zero_division, sample_weight
        As in `hierarchical_precision_recall_fscore_support`; ``zero_division=np.nan`` leaves a class that was never
        predicted out of the mean.

    Returns
    -------
    score : float, or ndarray of shape (n_labels,) for ``average=None``
        In [0, 1]; NaN where nothing could be averaged.

    Examples
    --------
    >>> from skbst.metrics import hierarchical_precision_score
    >>> hierarchical_precision_score(["fx-a", "ss-n"], ["fx-h", "ss-n"], zero_division=0.0)
    0.5
    """
    return hierarchical_precision_recall_fscore_support(
        y_true,
        y_pred,
        taxonomy=taxonomy,
        labels=labels,
        top_weight=top_weight,
        average=average,
        zero_division=zero_division,
        sample_weight=sample_weight,
    )[0]


def hierarchical_recall_score(
    y_true,
    y_pred,
    *,
    taxonomy=None,
    labels=None,
    top_weight=0.75,
    average="macro",
    zero_division=np.nan,
    sample_weight=None,
):
    """Hierarchical recall (hR): mean credit over what truly is each class.

    Parameters
    ----------
    y_true, y_pred, taxonomy, labels, top_weight, average, zero_division, sample_weight
        As in `hierarchical_precision_recall_fscore_support`; ``zero_division=np.nan`` leaves a class that was never
        predicted out of the mean.

    Returns
    -------
    score : float, or ndarray of shape (n_labels,) for ``average=None``
        In [0, 1]; NaN where nothing could be averaged.

    Examples
    --------
    >>> from skbst.metrics import hierarchical_recall_score
    >>> hierarchical_recall_score(["fx-a", "ss-n"], ["fx-h", "ss-n"], zero_division=0.0)
    0.6875
    """
    return hierarchical_precision_recall_fscore_support(
        y_true,
        y_pred,
        taxonomy=taxonomy,
        labels=labels,
        top_weight=top_weight,
        average=average,
        zero_division=zero_division,
        sample_weight=sample_weight,
    )[1]


def hierarchical_f1_score(
    y_true,
    y_pred,
    *,
    taxonomy=None,
    labels=None,
    top_weight=0.75,
    average="macro",
    zero_division=np.nan,
    sample_weight=None,
):
    """Hierarchical F1 (hF), the challenge's measure: mean over classes of each class's F1.

    Parameters
    ----------
    y_true, y_pred, taxonomy, labels, top_weight, average, zero_division, sample_weight
        As in `hierarchical_precision_recall_fscore_support`; ``zero_division=np.nan`` leaves a class that was never
        predicted out of the mean.

    Returns
    -------
    score : float, or ndarray of shape (n_labels,) for ``average=None``
        In [0, 1]; NaN where nothing could be averaged.

    Examples
    --------
    >>> from skbst.metrics import hierarchical_f1_score
    >>> round(hierarchical_f1_score(["fx-a", "fx-h", "ss-n"], ["fx-a", "fx-a", "ss-n"], zero_division=0.0), 6)
    0.604938
    """
    return hierarchical_precision_recall_fscore_support(
        y_true,
        y_pred,
        taxonomy=taxonomy,
        labels=labels,
        top_weight=top_weight,
        average=average,
        zero_division=zero_division,
        sample_weight=sample_weight,
    )[2]
