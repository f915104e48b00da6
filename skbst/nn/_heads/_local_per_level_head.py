"""Local-classifier-per-level head with top-down inference."""

import torch
from torch import nn

from skbst.nn._dropout import Dropout
from skbst.nn._heads._hierarchy import log_aggregate_to_top, log_condition_on_top

__all__ = ["LocalPerLevelHead"]


class LocalPerLevelHead(nn.Module):
    """A classifier of its own for each level (LCL), joined top-down at inference.

    Each level has a hidden layer and an output layer that share nothing. Training uses ``L_second + lambda L_top``.
    At inference ``p'(c) ~ p(c) p_top(top(c))^beta``, and the top level is the sum of its leaves under ``p'``: the two
    levels are one distribution and cannot contradict each other.

    Parameters
    ----------
    in_features : int
        Width of the latent vector.

    parent_of_leaf : array-like of shape (n_leaves,), int
        Index of the top level of each second-level class.

    n_hidden : int, default=None
        Width of the hidden layers; None takes ``in_features``.

    beta : float, default=1.0
        Weight of the top level at inference; 0 ignores it.

    dropout : float in [0, 1), default=0.025
        Dropout before the output layers; the baseline head's default.

    Notes
    -----
    One distribution does not mean that the most probable leaf lies under the most probable top level: leaves of .3,
    .3 and .4 under tops of .6 and .4 are a counterexample. The parent of the predicted leaf is the consistent
    top-level answer.

    References
    ----------
    Report, section 2.2 (c), eq. (4); C. N. Silla, A. A. Freitas, "A survey of hierarchical classification across
    different application domains", Data Mining and Knowledge Discovery 22, 2011, section 4.3.3 (local classifier per
    level).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import LocalPerLevelHead
    >>> head = LocalPerLevelHead(64, [0, 0, 1]).eval()
    >>> leaf_logits, top_logits = torch.zeros(1, 3), torch.tensor([[0.0, 100.0]])
    >>> head.log_proba(leaf_logits, top_logits).exp().round(decimals=3)
    tensor([[0., 0., 1.]])
    """

    def __init__(self, in_features, parent_of_leaf, *, n_hidden=None, beta=1.0, dropout=0.025):
        super().__init__()
        parent_of_leaf = torch.as_tensor(parent_of_leaf, dtype=torch.int64)
        self.register_buffer("parent_of_leaf", parent_of_leaf)
        self.n_tops = int(parent_of_leaf.max()) + 1
        self.beta = beta
        self.leaf = _level_classifier(in_features, n_hidden or in_features, len(parent_of_leaf), dropout)
        self.top = _level_classifier(in_features, n_hidden or in_features, self.n_tops, dropout)

    def forward(self, latent):
        """Logits of both levels, before the top-down correction.

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
        """Second-level log probabilities after the top-down correction, of shape (n_clips, n_leaves)."""
        leaf_log_proba, top_log_proba = leaf_logits.log_softmax(dim=1), top_logits.log_softmax(dim=1)
        return log_condition_on_top(leaf_log_proba, top_log_proba, self.parent_of_leaf, beta=self.beta)

    def log_top_proba(self, leaf_logits, top_logits):
        """Top-level log probabilities, of shape (n_clips, n_tops): the corrected leaves, summed."""
        return log_aggregate_to_top(self.log_proba(leaf_logits, top_logits), self.parent_of_leaf, self.n_tops)


def _level_classifier(in_features, n_hidden, n_classes, dropout):
    return nn.Sequential(
        nn.Linear(in_features, n_hidden), nn.LeakyReLU(), Dropout(dropout), nn.Linear(n_hidden, n_classes)
    )
