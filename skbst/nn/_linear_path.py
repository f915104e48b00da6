"""A straight line from the embeddings to the logits."""

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["LengthScale", "LinearPath"]


class LengthScale(nn.Module):
    """Give each row the length ``sqrt(n_features)``, so that its values are about 1 and keep their proportions.

    Unlike batch normalisation it does not blow up dimensions that hardly vary, which in embeddings from a
    singular value decomposition are noise. A row of zeros stays zero.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import LengthScale
    >>> LengthScale()(torch.tensor([[3.0, 4.0, 0.0, 0.0]]))
    tensor([[1.2000, 1.6000, 0.0000, 0.0000]])
    """

    def forward(self, x):
        """Scale `x` of shape (n_clips, n_features)."""
        return F.normalize(x, dim=-1) * x.shape[-1] ** 0.5


class LinearPath(nn.Module):
    r"""Logits that are linear in the embeddings, added to those of the head.

    .. math::

        \ell = h(z) + W\, \mathrm{drop}([\bar a ; \bar t]) + b, \quad \bar x = \sqrt{n}\, x / \lVert x \rVert

    ``W`` starts at zero, so that at first the head speaks alone. On few clips a linear model of good embeddings is hard
    to beat; with this path a network does not have to learn it through a dozen layers. Dropout of half the inputs
    regularises it (Wager, Wang and Liang 2013).

    Parameters
    ----------
    n_features : int
        Width of all embeddings together.

    n_classes : int
        Number of second-level classes.

    dropout : float in [0, 1), default=0.5
        Share of inputs that a training step does not see.

    input_norm : {"length", "batch"}, default="length"
        What the embeddings pass first: `LengthScale` each, or a batch normalisation without weights, for features of
        any scale.

    References
    ----------
    Wager, Wang and Liang, "Dropout training as adaptive regularization", NeurIPS 2013.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import LinearPath
    >>> LinearPath(5, 3)(torch.ones(2, 3), torch.ones(2, 2)).shape
    torch.Size([2, 3])
    """

    def __init__(self, n_features, n_classes, *, dropout=0.5, input_norm="length"):
        super().__init__()
        self.scale = LengthScale() if input_norm == "length" else nn.Identity()
        self.norm = nn.Identity() if input_norm == "length" else nn.BatchNorm1d(n_features, affine=False)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(n_features, n_classes)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, *embeddings):
        """Return logits of shape (n_clips, n_classes); each embedding has its own width, and None is skipped."""
        scaled = [self.scale(embedding) for embedding in embeddings if embedding is not None]
        return self.linear(self.dropout(self.norm(torch.cat(scaled, dim=-1))))
