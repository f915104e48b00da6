"""A short way from the embeddings to the logits."""

import torch
import torch.nn.functional as F
from torch import nn

from skbst.nn._length_scale import LengthScale

__all__ = ["ShallowPath"]


class ShallowPath(nn.Module):
    r"""Logits through one wide layer, beside the deep network.

    .. math::

        s = W_2\, \mathrm{drop}(\mathrm{relu}(W_1\, \mathrm{drop}([\bar a ; \bar t]) + b_1)) + b_2, \quad
        \bar x = \sqrt{n}\, x / \lVert x \rVert

    On few clips a linear model of good embeddings is hard to beat, and a dozen layers take thousands of steps to find
    it. With this path a network does not have to; dropout of half the inputs and half the hidden layer regularises it
    (Wager, Wang and Liang 2013). ``W_2`` starts at zero.

    Parameters
    ----------
    n_features : int
        Width of all embeddings together.

    n_classes : int
        Number of second-level classes.

    n_hidden : int, default=1024
        Width of the layer.

    dropout : float in [0, 1), default=0.5
        Share of inputs, and of the hidden layer, that a training step does not see.

    input_norm : {"length", "batch"}, default="length"
        What the embeddings pass first: `LengthScale` each, or a batch normalisation without weights, for features of
        any scale.

    References
    ----------
    Wager, Wang and Liang, "Dropout training as adaptive regularization", NeurIPS 2013; Cheng et al., "Wide & deep
    learning for recommender systems", DLRS 2016.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import ShallowPath
    >>> ShallowPath(5, 3, n_hidden=8)(torch.ones(2, 3), torch.ones(2, 2)).shape
    torch.Size([2, 3])
    """

    def __init__(self, n_features, n_classes, *, n_hidden=1024, dropout=0.5, input_norm="length"):
        super().__init__()
        self.scale = LengthScale() if input_norm == "length" else nn.Identity()
        self.norm = nn.Identity() if input_norm == "length" else nn.BatchNorm1d(n_features, affine=False)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(n_features, n_hidden)
        self.output = nn.Linear(n_hidden, n_classes)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, *embeddings):
        """Return logits of shape (n_clips, n_classes); each embedding has its own width, and None is skipped."""
        scaled = [self.scale(embedding) for embedding in embeddings if embedding is not None]
        hidden = self.hidden(self.dropout(self.norm(torch.cat(scaled, dim=-1))))
        return self.output(self.dropout(F.relu(hidden)))
