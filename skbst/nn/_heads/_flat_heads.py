"""Heads that know only the second level."""

from torch import nn

from skbst.nn._dropout import Dropout

__all__ = ["BaselineHead", "FlatHead"]


class BaselineHead(nn.Module):
    """The official baseline's classifier: a narrow layer, then the logits.

    Parameters
    ----------
    in_features : int
        Width of the latent vector.

    n_classes : int
        Number of second-level classes.

    n_hidden : int, default=None
        Width of the layer between; None takes half of `in_features`.

    dropout : float in [0, 1), default=0.025
        Dropout before the last layer; the baseline has a quarter of the trunk's.

    References
    ----------
    The baseline of DCASE 2026 Challenge Task 1 (64 -> 32 -> 23).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import BaselineHead
    >>> BaselineHead(64, 23)(torch.zeros(2, 64)).shape
    torch.Size([2, 23])
    """

    def __init__(self, in_features, n_classes, *, n_hidden=None, dropout=0.025):
        super().__init__()
        n_hidden = n_hidden or max(in_features // 2, 1)
        self.hidden = nn.Linear(in_features, n_hidden)
        self.activation = nn.LeakyReLU()
        self.dropout = Dropout(dropout)
        self.classifier = nn.Linear(n_hidden, n_classes)

    def forward(self, latent):
        """Return the logits of shape (batch, n_classes)."""
        return self.classifier(self.dropout(self.activation(self.hidden(latent))))


class FlatHead(nn.Module):
    """The baseline's head with one more linear layer before it, and no knowledge of the top level.

    Parameters
    ----------
    in_features : int
        Width of the latent vector.

    n_classes : int
        Number of second-level classes.

    n_hidden : int, default=None
        Width of the added layer; None takes `in_features`.

    dropout : float in [0, 1), default=0.1
        Dropout after the added layer; a quarter of it before the last one.

    References
    ----------
    Report, section 2.2 (a), equation 2. Between two linear layers stands the trunk's activation, without
    which they would be one.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import FlatHead
    >>> FlatHead(64, 23)(torch.zeros(2, 64)).shape
    torch.Size([2, 23])
    """

    def __init__(self, in_features, n_classes, *, n_hidden=None, dropout=0.1):
        super().__init__()
        n_hidden = n_hidden or in_features
        self.added = nn.Sequential(nn.Linear(in_features, n_hidden), nn.LeakyReLU(), Dropout(dropout))
        self.baseline = BaselineHead(n_hidden, n_classes, dropout=dropout / 4)

    def forward(self, latent):
        """Return the logits of shape (batch, n_classes)."""
        return self.baseline(self.added(latent))
