"""Random zeros in embeddings."""

import torch
from torch import nn

__all__ = ["EmbeddingMasking"]


class EmbeddingMasking(nn.Module):
    """Set a random share of the dimensions of each training embedding to zero.

    A share is drawn evenly for each clip, and each of its dimensions becomes zero with that probability. Nothing is
    rescaled, unlike in dropout. Given how many dimensions are zero, all sets of so many are equally likely, as in the
    baseline, which draws the number itself; drawing dimension by dimension needs no sorting.

    Parameters
    ----------
    min_share, max_share : float in [0, 1], default=0.01 and 0.7
        Limits of the share.

    References
    ----------
    The baseline of DCASE 2026 Challenge Task 1.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import EmbeddingMasking
    >>> masked = EmbeddingMasking()(torch.ones(5, 100), generator=torch.manual_seed(0))
    >>> (masked == 0).sum(dim=1)
    tensor([39, 68,  6, 37, 48])
    """

    def __init__(self, *, min_share=0.01, max_share=0.7):
        super().__init__()
        if not 0 <= min_share <= max_share <= 1:
            raise ValueError(f"Shares must be 0 <= min_share <= max_share <= 1; got {min_share} and {max_share}.")
        self.min_share = min_share
        self.max_share = max_share

    def forward(self, x, *, generator=None):
        """Mask.

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
        draws = torch.rand(len(x), x.shape[1] + 1, generator=generator, device=x.device)
        share = self.min_share + (self.max_share - self.min_share) * draws[:, :1]
        return x * (draws[:, 1:] >= share)
