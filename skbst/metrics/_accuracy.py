"""Accuracies that know the tree."""

from numbers import Real

import numpy as np

from skbst._sklearn import Interval, StrOptions, validate_params
from skbst.metrics._confusion import pair_confusion
from skbst.taxonomy import Taxonomy, credit_matrix

__all__ = ["hierarchical_accuracy_score", "top_level_accuracy_score"]

_COMMON = {
    "y_true": ["array-like"],
    "y_pred": ["array-like"],
    "taxonomy": [Taxonomy, None],
    "sample_weight": ["array-like", None],
}


@validate_params(
    {
        **_COMMON,
        "top_credit": [Interval(Real, 0, 1, closed="both")],
        "average": [StrOptions({"macro", "micro"})],
    },
    prefer_skip_nested_validation=True,
)
def hierarchical_accuracy_score(y_true, y_pred, *, taxonomy=None, top_credit=0.5, average="macro", sample_weight=None):
    """Hierarchical accuracy: full credit for the class, part of it for the top level alone.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Class codes.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    top_credit : float in [0, 1], default=0.5
        Credit where only the top level is right. 0 gives balanced accuracy (macro) or accuracy (micro).

    average : {"macro", "micro"}, default="macro"
        Mean per true class, then over the classes present (the challenge's), or over all rows.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    score : float
        In [0, 1].

    Examples
    --------
    >>> from skbst.metrics import hierarchical_accuracy_score
    >>> hierarchical_accuracy_score(["fx-a", "fx-a", "ss-n"], ["fx-a", "fx-h", "ss-n"])
    0.875
    """
    confusion, tree = pair_confusion(y_true, y_pred, taxonomy=taxonomy, sample_weight=sample_weight)
    credit = credit_matrix(tree.parent_of_leaf, top_weight=2 * top_credit)
    return _mean_credit(confusion, credit, average)


@validate_params(
    {**_COMMON, "average": [StrOptions({"micro", "macro", "macro-top"})]}, prefer_skip_nested_validation=True
)
def top_level_accuracy_score(y_true, y_pred, *, taxonomy=None, average="micro", sample_weight=None):
    """Share of rows whose top level is right.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Class codes of the second level.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    average : {"micro", "macro", "macro-top"}, default="micro"
        Over rows; over the second-level classes present (the challenge's ``macro_top_accuracy``); or over the
        top-level classes present (balanced accuracy of the top level).

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    score : float
        In [0, 1].

    Examples
    --------
    >>> from skbst.metrics import top_level_accuracy_score
    >>> top_level_accuracy_score(["fx-a", "fx-a", "ss-n", "sp-s"], ["fx-a", "fx-h", "ss-n", "fx-a"])
    0.75
    """
    confusion, tree = pair_confusion(y_true, y_pred, taxonomy=taxonomy, sample_weight=sample_weight)
    if average == "macro-top":
        membership = np.eye(tree.n_tops)[tree.parent_of_leaf]
        top_confusion = membership.T @ confusion @ membership
        return _mean_credit(top_confusion, np.eye(tree.n_tops), "macro")
    return _mean_credit(confusion, np.ceil(credit_matrix(tree.parent_of_leaf)), average)


def _mean_credit(confusion, credit, average):
    earned, support = (confusion * credit).sum(axis=1), confusion.sum(axis=1)
    if average == "micro":
        return float(earned.sum() / support.sum())
    present = support > 0
    return float(np.mean(earned[present] / support[present]))
