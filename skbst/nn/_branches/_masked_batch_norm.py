"""Batch normalisation of maps whose padded frames do not count."""

import torch
from torch import nn

__all__ = ["MaskedBatchNorm2d"]


class MaskedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation with statistics over the valid frames, and zeros in the others.

    Without padding it is `torch.nn.BatchNorm2d`. With padding the mean and the variance of a channel are
    ``S_1 / n`` and ``S_2 / n - mean^2``, the sums and the count ``n`` taken over valid frames and all bins, and scale,
    shift and zeroing are one pass over the maps.

    Parameters
    ----------
    n_channels : int
        Channels of the maps.

    References
    ----------
    S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015, algorithm 1.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import MaskedBatchNorm2d
    >>> x = torch.tensor([-1.0, 1.0, 99.0]).view(1, 1, 3, 1)
    >>> y = MaskedBatchNorm2d(1)(x, torch.tensor([[True, True, False]]))
    >>> y.detach().flatten().round(decimals=3)
    tensor([-1.,  1.,  0.])
    """

    def forward(self, x, mask=None):
        """Normalise.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_channels, n_frames, n_bins)
            Maps, finite also in padded frames.

        mask : Tensor of shape (n_clips, n_frames), bool, default=None
            True where the frame is valid; None means everywhere.

        Returns
        -------
        y : Tensor, same shape
            Zero in padded frames.
        """
        if mask is None:
            return super().forward(x)
        valid = mask.unsqueeze(1).to(torch.promote_types(x.dtype, torch.float32))
        mean, var = self._batch_statistics(x, valid) if self.training else (self.running_mean, self.running_var)
        scale = self.weight * torch.rsqrt(var + self.eps)
        shift = self.bias - mean * scale
        scale, shift = ((v.unsqueeze(1) * valid).unsqueeze(3).to(x.dtype) for v in (scale, shift))
        return torch.addcmul(shift, x, scale)

    def _batch_statistics(self, x, valid):
        n_valid = valid.sum() * x.shape[3]
        mean = (x.sum(dim=3, dtype=valid.dtype) * valid).sum(dim=(0, 2)) / n_valid
        square = torch.linalg.vector_norm(x, dim=3, dtype=valid.dtype) ** 2
        var = ((square * valid).sum(dim=(0, 2)) / n_valid - mean**2).clamp(min=0)
        with torch.no_grad():
            self.num_batches_tracked += 1
            unbiased = var * (n_valid / (n_valid - 1).clamp(min=1))
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
            self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)
        return mean, var
