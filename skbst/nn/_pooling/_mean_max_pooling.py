"""Mean and maximum over time, side by side."""

import torch
from torch import nn

from skbst.nn._masking import masked_max, masked_mean, padding_mask


class MeanMaxPooling(nn.Module):
    """Mean and maximum of the valid frames, ``z = [mean_t h_t ; max_t h_t]``.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import MeanMaxPooling
    >>> MeanMaxPooling()(torch.tensor([[[2.0], [4.0], [99.0]]]), torch.tensor([2]))
    tensor([[3., 4.]])
    """

    def forward(self, x, lengths=None):
        """Pool over time.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_frames, n_features)
            Sequences.

        lengths : Tensor of shape (n_clips,), int, default=None
            Valid frames of each clip, at least 1; None means all.

        Returns
        -------
        z : Tensor of shape (n_clips, 2 * n_features)
            The mean, then the maximum.
        """
        mask = padding_mask(lengths, x.shape[1])
        return torch.cat([masked_mean(x, mask), masked_max(x, mask)], dim=1)
