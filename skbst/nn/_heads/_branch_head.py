"""Logits of the acoustic branch alone."""

from torch import nn

from skbst.nn._dropout import Dropout

__all__ = ["BranchHead"]


class BranchHead(nn.Module):
    """Layer norm, dropout and one linear layer from what a branch has heard to logits; zero at first.

    Through the trunk a branch learns slowly: its gradient passes a gate that is nearly closed and a dozen layers. Added
    to the answers of linear models (`LinearPrior`), these logits are corrected from the first step on.

    Parameters
    ----------
    in_features : int
        Size of the branch's output.

    n_classes : int
        Number of second-level classes.

    dropout : float in [0, 1), default=0.1
        Dropout before the linear layer.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import BranchHead
    >>> BranchHead(4, 2)(torch.randn(1, 4))
    tensor([[0., 0.]], grad_fn=<AddmmBackward0>)
    """

    def __init__(self, in_features, n_classes, *, dropout=0.1):
        super().__init__()
        self.norm = nn.LayerNorm(in_features)
        self.dropout = Dropout(dropout)
        self.classifier = nn.Linear(in_features, n_classes)
        nn.init.zeros_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, z_branch):
        """Return the logits of shape (n_clips, n_classes) for branch outputs of shape (n_clips, in_features)."""
        return self.classifier(self.dropout(self.norm(z_branch)))
