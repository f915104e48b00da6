"""Mean and standard deviation of each frequency bin, learnt from training frames."""

import torch
from torch import nn

from skbst.nn._masking import length_mask, zero_padding


class FrameStandardizer(nn.Module):
    """Standardise frames bin by bin, ``(x - mean) / std``.

    The statistics are buffers: they travel with the state dict and with the device, and no gradient reaches them.
    They come from `update`, batch by batch, or from `set_statistics`. Before that the module is the identity.

    Parameters
    ----------
    n_bins : int
        Bins of a frame.

    eps : float, default=1e-5
        A bin whose standard deviation is not above it is constant (an empty mel filter, say): it is centred and
        not scaled.

    Attributes
    ----------
    mean, std : Tensor of shape (n_bins,)
        Statistics of the frames seen; ``std`` is the population one.

    n_frames_seen : Tensor of shape (), int64
        Valid frames that went into them.

    References
    ----------
    T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance", The American
    Statistician 37, 1983, eq. (2.1): merging the statistics of two samples.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import FrameStandardizer
    >>> frames = torch.tensor([[[1.0], [3.0], [99.0]]])
    >>> standardizer = FrameStandardizer(1).update(frames, torch.tensor([2]))
    >>> standardizer.mean, standardizer.std
    (tensor([2.]), tensor([1.]))
    >>> standardizer(frames, torch.tensor([2])).flatten()
    tensor([-1.,  1.,  0.])
    """

    def __init__(self, n_bins, *, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.register_buffer("mean", torch.zeros(n_bins))
        self.register_buffer("std", torch.ones(n_bins))
        self.register_buffer("n_frames_seen", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(self, frames, lengths=None):
        """Take the valid frames of a batch into the statistics.

        Any split of the same clips into batches gives the same statistics up to rounding. Batches are summed in
        float64.

        Parameters
        ----------
        frames : Tensor of shape (n_clips, n_frames, n_bins)
            Raw frames.

        lengths : Tensor of shape (n_clips,), int, default=None
            Valid frames of each clip; None means all.

        Returns
        -------
        self : FrameStandardizer
        """
        rows = frames.flatten(0, 1) if lengths is None else frames[length_mask(lengths, frames.shape[1])]
        n_new, n_old = len(rows), int(self.n_frames_seen)
        if n_new == 0:
            return self
        new_var, new_mean = torch.var_mean(rows.double(), dim=0, correction=0)
        old_mean, old_var = self.mean.double(), self.std.double() ** 2
        share = n_new / (n_old + n_new)
        shift = new_mean - old_mean
        var = old_var + share * (new_var - old_var) + share * (1 - share) * shift**2
        self.mean.copy_(old_mean + share * shift)
        self.std.copy_(var.sqrt())
        self.n_frames_seen += n_new
        return self

    @torch.no_grad()
    def set_statistics(self, mean, std):
        """Use statistics that were computed elsewhere.

        Parameters
        ----------
        mean, std : array-like of shape (n_bins,)
            Mean and standard deviation of each bin.

        Returns
        -------
        self : FrameStandardizer
        """
        self.mean.copy_(torch.as_tensor(mean))
        self.std.copy_(torch.as_tensor(std))
        return self

    def forward(self, frames, lengths=None):
        """Standardise.

        Parameters
        ----------
        frames : Tensor of shape (n_clips, n_frames, n_bins)
            Raw frames.

        lengths : Tensor of shape (n_clips,), int, default=None
            Valid frames of each clip. When given, frames past the length become zero, the mean of a bin.

        Returns
        -------
        frames : Tensor, same shape
            Mean 0 and standard deviation 1 per bin over the frames that the statistics come from.
        """
        scale = torch.where(self.std > self.eps, self.std, torch.ones_like(self.std)).reciprocal()
        frames = (frames - self.mean) * scale
        return frames if lengths is None else zero_padding(frames, length_mask(lengths, frames.shape[1]))
