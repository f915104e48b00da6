"""Random crops in time."""

import torch
from torch import nn

from skbst.nn._masking import length_mask, zero_padding

__all__ = ["RandomTimeCrop"]


class RandomTimeCrop(nn.Module):
    """Keep a random stretch of each training clip.

    The share of the clip that is kept is drawn evenly from ``min_share`` to 1, its start among those that keep the
    stretch inside the clip.

    Parameters
    ----------
    min_share : float in (0, 1], default=0.7
        Smallest share of a clip's length that is kept.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import RandomTimeCrop
    >>> frames = torch.arange(10.0).view(1, 10, 1)
    >>> cropped, lengths = RandomTimeCrop(min_share=0.3)(frames, torch.tensor([10]), generator=torch.manual_seed(0))
    >>> cropped.flatten(), lengths
    (tensor([3., 4., 5., 6., 7., 8., 9.]), tensor([7]))
    """

    def __init__(self, *, min_share=0.7):
        super().__init__()
        if not 0 < min_share <= 1:
            raise ValueError(f"min_share must lie in (0, 1]; got {min_share}.")
        self.min_share = min_share

    def forward(self, frames, lengths=None, *, generator=None):
        """Crop.

        Parameters
        ----------
        frames : Tensor of shape (n_clips, n_frames, n_bins)
            Frames.

        lengths : Tensor of shape (n_clips,), int, default=None
            Valid frames of each clip; None means all.

        generator : torch.Generator, default=None
            Source of the draws, on the device of ``frames``; None takes torch's.

        Returns
        -------
        frames : Tensor of shape (n_clips, max(lengths), n_bins)
            Kept stretches from frame 0 on, zeros behind them. As they came in eval mode.

        lengths : Tensor of shape (n_clips,), int64
            Frames kept of each clip, at least 1.
        """
        if not self.training:
            return frames, lengths
        if lengths is None:
            lengths = torch.full((len(frames),), frames.shape[1], device=frames.device)
        draws = torch.rand(2, len(frames), generator=generator, device=frames.device)
        share = self.min_share + (1 - self.min_share) * draws[0]
        kept = (lengths * share).ceil().long().clamp(min=1).minimum(lengths)
        start = (draws[1] * (lengths - kept + 1)).long().minimum(lengths - kept)
        n_frames = int(kept.max())
        times = start.unsqueeze(1) + torch.arange(n_frames, device=frames.device)
        clips = torch.arange(len(frames), device=frames.device).unsqueeze(1)
        cropped = frames[clips, times.clamp(max=frames.shape[1] - 1)]
        return zero_padding(cropped, length_mask(kept, n_frames)), kept
