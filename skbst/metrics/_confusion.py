"""From labels to counts of (true, predicted) pairs, and from those counts to the scores."""

import numpy as np
from sklearn.utils.validation import check_consistent_length

from skbst.exceptions import DataFormatError
from skbst.taxonomy import as_text, credit_matrix, resolve_taxonomy

__all__ = ["hierarchical_scores_from_confusion", "pair_confusion"]


def pair_confusion(y_true, y_pred, *, taxonomy=None, sample_weight=None):
    """Weighted counts of each (true, predicted) pair of second-level classes.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Class codes.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights of the rows.

    Returns
    -------
    confusion : ndarray of shape (n_leaves, n_leaves), float64
        ``confusion[g, p]``: weight of the rows of class g that were predicted p.

    taxonomy : Taxonomy
        The tree that gives the order of rows and columns.

    Raises
    ------
    DataFormatError
        If the input is empty, a label is missing or no leaf, or weights are negative, not finite, or all 0.

    Examples
    --------
    >>> from skbst.metrics import pair_confusion
    >>> confusion, tree = pair_confusion(["fx-a", "fx-a"], ["fx-a", "fx-h"])
    >>> int(confusion.sum()), tree.n_leaves
    (2, 23)
    """
    check_consistent_length(y_true, y_pred, sample_weight)
    shapes = np.shape(y_true), np.shape(y_pred)
    if any(len(shape) != 1 for shape in shapes):
        raise DataFormatError(f"Labels must be 1-D; got shapes {shapes[0]} and {shapes[1]}.")
    if shapes[0] == (0,):
        raise DataFormatError("There is nothing to score: y_true is empty.")
    sample_weight = _check_weights(sample_weight)
    y_true, y_pred = as_text(y_true), as_text(y_pred)
    if taxonomy is None:
        taxonomy = resolve_taxonomy(None, list({*y_true, *y_pred}))
    true_index, pred_index = taxonomy.leaf_index(y_true), taxonomy.leaf_index(y_pred)
    n_leaves = taxonomy.n_leaves
    counts = np.bincount(true_index * n_leaves + pred_index, weights=sample_weight, minlength=n_leaves**2)
    return counts.reshape(n_leaves, n_leaves).astype(np.float64), taxonomy


def _check_weights(sample_weight):
    if sample_weight is None:
        return None
    sample_weight = np.asarray(sample_weight, dtype=np.float64)
    if sample_weight.ndim != 1:
        raise DataFormatError(f"sample_weight must be 1-D, one weight a row; got shape {sample_weight.shape}.")
    if not np.isfinite(sample_weight).all() or (sample_weight < 0).any():
        raise DataFormatError("sample_weight must be finite and not negative.")
    if not sample_weight.any():
        raise DataFormatError(
            f"There is nothing to score: all {len(sample_weight)} weights are 0. sample_weight needs one above 0."
        )
    return sample_weight


def hierarchical_scores_from_confusion(confusion, parent_of_leaf, *, top_weight=0.75, zero_division=np.nan):
    """Hierarchical precision, recall and F1 of each class from pair counts.

    ``hP_c`` is the mean credit over what was predicted c, ``hR_c`` over what truly is c, and ``hF_c`` their
    harmonic mean, 0 where both are 0. The credit is `skbst.taxonomy.credit_matrix`.

    Parameters
    ----------
    confusion : array-like of shape (..., n_leaves, n_leaves)
        Pair counts, true classes in rows. Leading axes are independent problems (resamples, say).

    parent_of_leaf : array-like of shape (n_leaves,), int
        Index of the top level of each leaf.

    top_weight : float, default=0.75
        Twice the credit of a right top level.

    zero_division : {np.nan, 0.0, 1.0}, default=np.nan
        Value of a ratio over nothing: hP of a class that was never predicted, hR of a class without rows. NaN
        makes hF NaN as well.

    Returns
    -------
    precision, recall, f1, support : ndarray of shape (..., n_leaves)
        In [0, 1] or NaN; `support` is the weight of each true class.

    References
    ----------
    Kiritchenko, Matwin and Famili (2005); the challenge's evaluation of DCASE 2026 Task 1.

    Examples
    --------
    >>> from skbst.metrics import hierarchical_scores_from_confusion
    >>> scores = hierarchical_scores_from_confusion([[1, 1], [0, 2]], [0, 0])
    >>> scores[0], scores[1]
    (array([1.        , 0.79166667]), array([0.6875, 1.    ]))
    """
    confusion = np.asarray(confusion, dtype=np.float64)
    credited = confusion * credit_matrix(parent_of_leaf, top_weight=top_weight)
    support = confusion.sum(axis=-1)
    precision = _ratio(credited.sum(axis=-2), confusion.sum(axis=-2), zero_division)
    recall = _ratio(credited.sum(axis=-1), support, zero_division)
    total = precision + recall
    f1 = np.where(total == 0, 0.0, 2 * precision * recall / np.where(total == 0, 1, total))
    return precision, recall, f1, support


def _ratio(numerator, denominator, zero_division):
    empty = denominator == 0
    return np.where(empty, zero_division, numerator / np.where(empty, 1, denominator))
