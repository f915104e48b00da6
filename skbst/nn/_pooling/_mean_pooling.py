"""Mean over time."""

from torch import nn

from skbst.nn._masking import masked_mean, padding_mask


class MeanPooling(nn.Module):
    """Mean of the valid frames, ``z = sum_t h_t / T``.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import MeanPooling
    >>> MeanPooling()(torch.tensor([[[2.0], [4.0], [99.0]]]), torch.tensor([2]))
    tensor([[3.]])
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
        z : Tensor of shape (n_clips, n_features)
        """
        return masked_mean(x, padding_mask(lengths, x.shape[1]))
