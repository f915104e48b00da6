"""What the frames of a clip are like as a whole: numbers for a linear model."""

import math
from itertools import pairwise

import torch
from torch import nn

from skbst.nn._masking import length_mask, masked_mean, zero_padding

# coefficients of a cosine transform that are kept of frames with more bins, as the descriptors of whole clips have
_N_COEFFICIENTS = 20
# cycles a frame: at 10 ms a frame .3 to 50 Hz, from slow waves over steps and syllables to roughness; taken as they are
_MODULATION_EDGES = (0.003, 0.01, 0.02, 0.04, 0.08, 0.13, 0.22, 0.5)
# the shortest transform in which each band has a line
_SHORTEST_TRANSFORM = 512
# in deviations of the level: what counts as near the loudest frame, and as a rise; taken as they are
_DISTANCES, _RISE = (0.5, 1.0, 2.0), 0.5
# of standardised frames; keep the logarithms of what stands still finite
_LEAST_DEVIATION, _LEAST_STEP, _LEAST_POWER = 0.05, 0.02, 0.01


class FrameStatistics(nn.Module):
    """Statistics of standardised frames over time, of a fixed size and without parameters.

    Frames of more than 20 bins become the first 20 coefficients of their orthonormal cosine transform. Of each
    coefficient there are the mean, the logarithms of the standard deviation and of the mean absolute step, and the
    logarithm of its power in seven bands of modulation. Ten numbers more tell of the length of the clip and of its
    level, the first coefficient: where it is loudest, for how long nearly so, how often it rises, how it begins and
    ends.

    Parameters
    ----------
    n_bins : int
        Bins of a frame.

    Attributes
    ----------
    out_features : int
        Numbers of a clip: ten for each coefficient and ten more.
    """

    def __init__(self, n_bins):
        super().__init__()
        n_kept = min(n_bins, _N_COEFFICIENTS)
        self.out_features = n_kept * (len(_MODULATION_EDGES) + 2) + 7 + len(_DISTANCES)
        basis = torch.eye(n_bins) if n_kept == n_bins else _cosines(n_bins, n_kept)
        self.register_buffer("basis", basis, persistent=False)

    def forward(self, frames, lengths):
        """Describe.

        Parameters
        ----------
        frames : Tensor of shape (n_clips, n_frames, n_bins)
            Standardised frames.

        lengths : Tensor of shape (n_clips,), int
            Valid frames of each clip, at least 1.

        Returns
        -------
        statistics : Tensor of shape (n_clips, out_features)
        """
        mask = length_mask(lengths, frames.shape[1])
        x = zero_padding(frames.float(), mask) @ self.basis
        n_frames = lengths[:, None].to(x.dtype)
        envelope = _envelope(x[:, :, 0], mask, n_frames)
        mean = masked_mean(x, mask)
        x = zero_padding(x - mean[:, None], mask)
        deviation = (x.square().sum(dim=1) / n_frames).sqrt()
        steps = zero_padding(x.diff(dim=1).abs(), mask[:, 1:])
        step = steps.sum(dim=1) / (n_frames - 1).clamp(min=1)
        spread = [(deviation + _LEAST_DEVIATION).log(), (step + _LEAST_STEP).log()]
        power = _modulation(x, n_frames).flatten(1)
        return torch.cat([mean, *spread, (power + _LEAST_POWER).log(), *envelope, n_frames.log()], dim=1)


def _cosines(n_bins, n_kept):
    """Columns of the orthonormal discrete cosine transform (type II)."""
    angle = math.pi / n_bins * (torch.arange(n_bins)[:, None] + 0.5) * torch.arange(n_kept)
    return angle.cos() * torch.full((n_kept,), math.sqrt(2 / n_bins)).index_fill(0, torch.tensor(0), n_bins**-0.5)


def _envelope(level, mask, n_frames):
    """Numbers of the course of the level, each of shape (n_clips, 1)."""
    peak, at = level.masked_fill(~mask, -torch.inf).max(dim=1, keepdim=True)
    below = (peak - level).masked_fill(~mask, torch.inf)
    near = [(below < distance).sum(dim=1, keepdim=True) / n_frames for distance in _DISTANCES]
    rises = ((level.diff(dim=1) > _RISE) & mask[:, 1:]).sum(dim=1, keepdim=True)
    last = n_frames.long() - 1
    middle = below.sort(dim=1).values.gather(1, last // 2)  # the lower median
    ends = [below[:, :1], below.gather(1, last)]
    return [at / n_frames, *near, rises.log1p(), rises / last.clamp(min=1), middle, *ends]


def _modulation(x, n_frames):
    """Mean power of each band of modulation, of shape (n_clips, n_bands, n_features); frames past the end are zero."""
    length = max(_SHORTEST_TRANSFORM, 1 << (x.shape[1] - 1).bit_length())
    power = torch.fft.rfft(x, n=length, dim=1).abs().square() / n_frames[:, None]
    first = [math.ceil(edge * length) for edge in _MODULATION_EDGES]
    return torch.stack([power[:, begin:end].mean(dim=1) for begin, end in pairwise(first)], dim=1)
