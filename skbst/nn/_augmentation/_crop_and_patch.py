"""Random cropping and patching (RICAP) of time-frequency frames."""

import torch
from torch import nn

from skbst.nn._masking import length_mask, zero_padding

__all__ = ["CropAndPatch"]


class CropAndPatch(nn.Module):
    """Tile each training clip from crops of four, and mix their targets by area (RICAP).

    A boundary in time and one in frequency, each at a share drawn from Beta(``beta``, ``beta``) for the batch, cut the
    time-frequency plane of every clip in four. The first part comes from the clip itself, the others from other clips
    of the batch; a part that is longer than its clip repeats it. Targets become ``sum_k area_k target_k``. The clip
    keeps its length.

    Unlike in images, crops are random in time only: a bin stays in its place, where it has its own meaning and
    statistics.

    Parameters
    ----------
    beta : float, default=0.3
        Parameter of the Beta distribution; small values put the boundaries near the edges.

    References
    ----------
    R. Takahashi, T. Matsubara, K. Uehara, "Data augmentation using random image cropping and patching for deep CNNs",
    IEEE Transactions on Circuits and Systems for Video Technology 30(9), 2020, section III.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import CropAndPatch
    >>> frames, targets = torch.randn(4, 50, 16), torch.eye(4)
    >>> frames, lengths, mixed = CropAndPatch()(frames, None, targets, generator=torch.manual_seed(0))
    >>> frames.shape, mixed.sum(dim=1)
    (torch.Size([4, 50, 16]), tensor([1., 1., 1., 1.]))
    """

    def __init__(self, *, beta=0.3):
        super().__init__()
        if not beta > 0:
            raise ValueError(f"beta must be above 0; got {beta}.")
        self.beta = float(beta)

    def forward(self, frames, lengths=None, *values, generator=None):
        """Crop, patch and mix.

        Parameters
        ----------
        frames : Tensor of shape (n_clips, n_frames, n_bins)
            Frames.

        lengths : Tensor of shape (n_clips,), int, default=None
            Valid frames of each clip, at least 1; None means all.

        *values : Tensor of shape (n_clips, n_columns), float
            What is mixed by area: targets as distributions, soft targets, embeddings.

        generator : torch.Generator, default=None
            Source of the draws, on the device of ``frames``; None takes torch's.

        Returns
        -------
        frames : Tensor, same shape
            Zeros past the lengths.

        lengths : Tensor of shape (n_clips,), int
            Unchanged.

        *values : Tensor of shape (n_clips, n_columns)
            Mixed. Everything is as it came in eval mode.
        """
        if not self.training:
            return frames, lengths, *values
        n_clips, n_frames, n_bins = frames.shape
        ends = torch.full((n_clips,), n_frames, device=frames.device) if lengths is None else lengths
        share_of_time, share_of_bins = self._boundaries(frames.device, generator)
        cut, split = (ends * share_of_time).round().long(), round(n_bins * share_of_bins)
        partners = torch.rand(4, n_clips, generator=generator, device=frames.device).argsort(dim=1)
        partners[0] = torch.arange(n_clips, device=frames.device)
        bands = [
            self._patch(frames[:, :, :split], ends, cut, partners[:2], generator),
            self._patch(frames[:, :, split:], ends, cut, partners[2:], generator),
        ]
        patched = zero_padding(torch.cat(bands, dim=2), length_mask(ends, n_frames))
        areas = patch_areas(cut / ends, split / n_bins)
        return patched, lengths, *((areas.unsqueeze(2) * rows[partners]).sum(dim=0) for rows in values)

    def _boundaries(self, device, generator):
        draws = torch._standard_gamma(torch.full((2, 2), self.beta, device=device), generator=generator).clamp(
            min=1e-30
        )
        return (draws[0] / draws.sum(dim=0)).tolist()

    @staticmethod
    def _patch(band, ends, cut, partners, generator):
        """Frames before the cut from the first partner of each clip, those behind it from the second."""
        times = torch.arange(band.shape[1], device=band.device)
        before = times < cut.unsqueeze(1)
        sizes = torch.stack([cut, ends - cut])
        spare = (ends[partners] - sizes).clamp(min=0)
        starts = (torch.rand(spare.shape, generator=generator, device=band.device) * (spare + 1)).long().minimum(spare)
        offsets = torch.stack([starts[0], starts[1] - cut])
        clips = torch.where(before, partners[0].unsqueeze(1), partners[1].unsqueeze(1))
        times = times + torch.where(before, offsets[0].unsqueeze(1), offsets[1].unsqueeze(1))
        return band[clips, times % ends[clips]]


def patch_areas(share_of_time, share_of_bins):
    """Areas of the four patches as shares of the plane.

    Parameters
    ----------
    share_of_time : Tensor of shape (n_clips,)
        Boundary in time as a share of each clip's length, in [0, 1].

    share_of_bins : float
        Boundary in frequency, in [0, 1].

    Returns
    -------
    areas : Tensor of shape (4, n_clips)
        Early low, late low, early high, late high; they sum to 1.
    """
    early, late = share_of_time, 1 - share_of_time
    return torch.stack(
        [early * share_of_bins, late * share_of_bins, early * (1 - share_of_bins), late * (1 - share_of_bins)]
    )
