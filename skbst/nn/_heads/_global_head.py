"""Global-classifier head: both levels from one trunk."""

import torch
from torch import nn

__all__ = ["GlobalHead"]


class GlobalHead(nn.Module):
    """Parallel linear layers to the second and the top level (GC).

    The top level is an auxiliary task: it shapes the trunk through the loss ``L_second + lambda L_top`` and does not
    touch the second-level answer.

    Parameters
    ----------
    in_features : int
        Width of the latent vector.

    parent_of_leaf : array-like of shape (n_leaves,), int
        Index of the top level of each second-level class.

    References
    ----------
    Report, section 2.2 (b), eq. (3); C. N. Silla, A. A. Freitas, "A survey of hierarchical classification across
    different application domains", Data Mining and Knowledge Discovery 22, 2011, section 4.4 (global classifier).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import GlobalHead
    >>> leaf_logits, top_logits = GlobalHead(64, [0, 0, 1])(torch.zeros(4, 64))
    >>> leaf_logits.shape, top_logits.shape
    (torch.Size([4, 3]), torch.Size([4, 2]))
    """

    def __init__(self, in_features, parent_of_leaf):
        super().__init__()
        parent_of_leaf = torch.as_tensor(parent_of_leaf, dtype=torch.int64)
        self.register_buffer("parent_of_leaf", parent_of_leaf)
        self.leaf = nn.Linear(in_features, len(parent_of_leaf))
        self.top = nn.Linear(in_features, int(parent_of_leaf.max()) + 1)

    def forward(self, latent):
        """Logits of both levels.

        Parameters
        ----------
        latent : Tensor of shape (n_clips, in_features)
            Latent vectors.

        Returns
        -------
        leaf_logits : Tensor of shape (n_clips, n_leaves)
            Second level.

        top_logits : Tensor of shape (n_clips, n_tops)
            Top level.
        """
        return self.leaf(latent), self.top(latent)

    def log_proba(self, leaf_logits, top_logits):
        """Second-level log probabilities, of shape (n_clips, n_leaves); ``top_logits`` are not used."""
        return leaf_logits.log_softmax(dim=1)

    def log_top_proba(self, leaf_logits, top_logits):
        """Top-level log probabilities of the top-level layer, of shape (n_clips, n_tops).

        They are an opinion of their own and may contradict the second level.
        """
        return top_logits.log_softmax(dim=1)
