"""Pure functions on a two-level tree given as an array of parents."""

import numpy as np

__all__ = ["aggregate_to_top", "condition_on_top", "credit_matrix"]


def aggregate_to_top(leaf_proba, parent_of_leaf, n_tops=None):
    """Sum second-level probabilities into top-level ones.

    Parameters
    ----------
    leaf_proba : array-like of shape (n_samples, n_leaves)
        Probability of each second-level class, in [0, 1].

    parent_of_leaf : array-like of shape (n_leaves,), int
        Index of the top level of each leaf.

    n_tops : int, default=None
        Number of top-level classes; None takes ``max(parent_of_leaf) + 1``.

    Returns
    -------
    top_proba : ndarray of shape (n_samples, n_tops)
        Probability of each top-level class.

    Examples
    --------
    >>> from skbst.taxonomy import aggregate_to_top
    >>> aggregate_to_top([[0.2, 0.3, 0.5]], [0, 0, 1])
    array([[0.5, 0.5]])
    """
    leaf_proba = np.asarray(leaf_proba)
    parent_of_leaf = np.asarray(parent_of_leaf)
    if n_tops is None:
        n_tops = int(parent_of_leaf.max()) + 1
    membership = np.zeros((len(parent_of_leaf), n_tops), dtype=leaf_proba.dtype)
    membership[np.arange(len(parent_of_leaf)), parent_of_leaf] = 1
    return leaf_proba @ membership


def condition_on_top(leaf_proba, top_proba, parent_of_leaf, *, beta=1.0):
    """Top-down correction of second-level probabilities by top-level ones.

    Each leaf is multiplied by the probability of its parent, and rows are renormalised:
    ``p'(c) ~ p(c) * p_top(top(c)) ** beta`` (report, section 2.2, LCL head).

    Parameters
    ----------
    leaf_proba : array-like of shape (n_samples, n_leaves)
        Probability of each second-level class, in [0, 1].

    top_proba : array-like of shape (n_samples, n_tops)
        Probability of each top-level class, in [0, 1].

    parent_of_leaf : array-like of shape (n_leaves,), int
        Index of the top level of each leaf.

    beta : float, default=1.0
        Weight of the top level; 0 leaves ``leaf_proba`` as it is.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_leaves)
        Corrected probabilities; rows sum to 1. A row in which every product is zero keeps
        its ``leaf_proba``.

    Examples
    --------
    >>> from skbst.taxonomy import condition_on_top
    >>> condition_on_top([[0.5, 0.25, 0.25]], [[0.2, 0.8]], [0, 1, 1])
    array([[0.2, 0.4, 0.4]])
    """
    leaf_proba = np.asarray(leaf_proba)
    parent_proba = np.asarray(top_proba)[:, np.asarray(parent_of_leaf)]
    product = leaf_proba * parent_proba**beta
    total = product.sum(axis=1, keepdims=True)
    empty = total == 0
    return np.where(empty, leaf_proba, product / np.where(empty, 1, total))


def credit_matrix(parent_of_leaf, *, top_weight=0.75):
    """Credit of each (true, predicted) pair of leaves.

    1 on the diagonal, ``top_weight / 2`` where only the top level is right, else 0
    (Kiritchenko et al. 2005 with the DCASE 2026 Task 1 weighting).

    Parameters
    ----------
    parent_of_leaf : array-like of shape (n_leaves,), int
        Index of the top level of each leaf.

    top_weight : float in [0, 2], default=0.75
        Twice the credit of a right top level: 0.75 is the challenge's, 1.0 gives the plain hierarchical
        measures of Silla & Freitas (2011), 0 the flat ones.

    Returns
    -------
    credit : ndarray of shape (n_leaves, n_leaves)
        Symmetric, in [0, 1].

    Examples
    --------
    >>> from skbst.taxonomy import credit_matrix
    >>> credit_matrix([0, 0, 1])
    array([[1.   , 0.375, 0.   ],
           [0.375, 1.   , 0.   ],
           [0.   , 0.   , 1.   ]])
    """
    parent_of_leaf = np.asarray(parent_of_leaf)
    credit = np.where(parent_of_leaf[:, None] == parent_of_leaf[None, :], top_weight / 2, 0.0)
    np.fill_diagonal(credit, 1.0)
    return credit
