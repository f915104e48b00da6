"""Embeddings brought to one length."""

import torch.nn.functional as F
from torch import nn

__all__ = ["LengthScale"]


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
