"""Log probabilities on a two-level tree."""

import torch

__all__ = ["log_aggregate_to_top", "log_condition_on_top"]


def log_condition_on_top(leaf_log_proba, top_log_proba, parent_of_leaf, *, beta=1.0):
    """Top-down correction of second-level log probabilities.

    ``log p'(c) = log p(c) + beta log p_top(top(c)) - log Z``: the probabilities multiplied and renormalised, without
    ever leaving log space, so that small ones survive.

    Parameters
    ----------
    leaf_log_proba : Tensor of shape (n_clips, n_leaves)
        Log probabilities, or logits, of the second level.

    top_log_proba : Tensor of shape (n_clips, n_tops)
        Log probabilities, or logits, of the top level: a constant per row cancels.

    parent_of_leaf : Tensor of shape (n_leaves,), int64
        Index of the top level of each leaf.

    beta : float, default=1.0
        Weight of the top level; 0 leaves the second level as it is.

    Returns
    -------
    log_proba : Tensor of shape (n_clips, n_leaves)
        Exponentials of a row sum to 1.

    References
    ----------
    Report, section 2.2 (LCL head, inference).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import log_condition_on_top
    >>> leaf, top = torch.tensor([[0.5, 0.25, 0.25]]), torch.tensor([[0.2, 0.8]])
    >>> log_condition_on_top(leaf.log(), top.log(), torch.tensor([0, 1, 1])).exp()
    tensor([[0.2000, 0.4000, 0.4000]])
    """
    return (leaf_log_proba + beta * top_log_proba[:, parent_of_leaf]).log_softmax(dim=1)


def log_aggregate_to_top(leaf_log_proba, parent_of_leaf, n_tops):
    """Sum second-level probabilities into top-level ones, in log space.

    Parameters
    ----------
    leaf_log_proba : Tensor of shape (n_clips, n_leaves)
        Log probabilities of the second level.

    parent_of_leaf : Tensor of shape (n_leaves,), int64
        Index of the top level of each leaf.

    n_tops : int
        Number of top-level classes.

    Returns
    -------
    top_log_proba : Tensor of shape (n_clips, n_tops)
        Minus infinity for a top level without leaves.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import log_aggregate_to_top
    >>> log_aggregate_to_top(torch.tensor([[0.2, 0.3, 0.5]]).log(), torch.tensor([0, 0, 1]), 2).exp()
    tensor([[0.5000, 0.5000]])
    """
    tops = torch.arange(n_tops, device=parent_of_leaf.device)
    outside = parent_of_leaf != tops.unsqueeze(1)
    return leaf_log_proba.unsqueeze(1).masked_fill(outside, -torch.inf).logsumexp(dim=2)
