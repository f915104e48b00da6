"""Gaussian noise on embeddings."""

import torch
from torch import nn

__all__ = ["EmbeddingNoise"]


class EmbeddingNoise(nn.Module):
    """Add Gaussian noise to the embeddings of training clips.

    Parameters
    ----------
    std : float, default=1e-4
        Standard deviation of the noise.

    References
    ----------
    The baseline of DCASE 2026 Challenge Task 1.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import EmbeddingNoise
    >>> noise = EmbeddingNoise()(torch.zeros(1000, 10), generator=torch.manual_seed(0))
    >>> f"{noise.std():.1e}"
    '1.0e-04'
    """

    def __init__(self, *, std=1e-4):
        super().__init__()
        if not std >= 0:
            raise ValueError(f"std must not be negative; got {std}.")
        self.std = std

    def forward(self, x, *, generator=None):
        """Add noise.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_features)
            Embeddings.

        generator : torch.Generator, default=None
            Source of the draws, on the device of ``x``; None takes torch's.

        Returns
        -------
        x : Tensor, same shape
            As they came in eval mode.
        """
        if not self.training:
            return x
        return x + self.std * torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
