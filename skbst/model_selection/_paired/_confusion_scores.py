"""One number from pair counts, for many tables of counts at once."""

import numpy as np

from skbst.metrics import hierarchical_scores_from_confusion
from skbst.taxonomy import credit_matrix

__all__ = ["CONFUSION_SCORES", "score_confusions"]

_POSITION = {"hierarchical_precision": 0, "hierarchical_recall": 1, "hierarchical_f1": 2}

#: Names of the scores that follow from pair counts.
CONFUSION_SCORES = (*_POSITION, "hierarchical_accuracy", "accuracy")


def score_confusions(confusions, parent_of_leaf, *, metric, top_weight=0.75, zero_division=np.nan):
    """Score tables of pair counts as the functions of `skbst.metrics` do.

    Parameters
    ----------
    confusions : ndarray of shape (..., n_leaves, n_leaves)
        Weights of (true, predicted) pairs, true classes in rows.

    parent_of_leaf : ndarray of shape (n_leaves,), int
        Index of the top level of each leaf.

    metric : str
        One of ``CONFUSION_SCORES``.

    top_weight, zero_division : float
        As in `skbst.metrics.hierarchical_f1_score`.

    Returns
    -------
    scores : ndarray of shape (...)
        In [0, 1]; NaN for a table of zeros.
    """
    if metric == "accuracy":
        return _divide(np.trace(confusions, axis1=-2, axis2=-1), confusions.sum(axis=(-2, -1)))
    if metric == "hierarchical_accuracy":
        credit, support = credit_matrix(parent_of_leaf, top_weight=1.0), confusions.sum(axis=-1)
        per_class = _divide(np.einsum("...ij,ij->...i", confusions, credit), support)
        return _mean(per_class, support > 0)
    scores = hierarchical_scores_from_confusion(
        confusions, parent_of_leaf, top_weight=top_weight, zero_division=zero_division
    )
    precision, support = scores[0], scores[3]
    return _mean(scores[_POSITION[metric]], (support > 0) & ~np.isnan(precision))


def _divide(numerator, denominator):
    return np.where(denominator > 0, numerator / np.where(denominator > 0, denominator, 1), np.nan)


def _mean(values, kept):
    return _divide(np.where(kept, values, 0).sum(axis=-1), kept.sum(axis=-1))
