"""SpecAugment's time masking."""

import torch
from torch import nn

__all__ = ["TimeMasking"]


class TimeMasking(nn.Module):
    """Hide stretches of time of training clips.

    Each of ``n_masks`` stretches has a width drawn evenly from 0 to ``min(max_frames, max_share * length)`` and a start
    drawn evenly among those that keep it inside the clip. Stretches may overlap.

    Parameters
    ----------
    n_masks : int, default=2
        Stretches for each clip.

    max_frames : int, default=50
        Widest stretch, in frames.

    max_share : float in [0, 1], default=0.2
        Widest stretch as a share of the clip's length, so that short clips keep something.

    References
    ----------
    D. S. Park et al., "SpecAugment: a simple data augmentation method for automatic speech recognition", Interspeech
    2019, section 2, step 3 and the upper bound ``p``.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import TimeMasking
    >>> masked = TimeMasking(n_masks=1, max_share=0.5)(torch.ones(1, 40, 3), generator=torch.manual_seed(0))
    >>> int((masked == 0).all(dim=2).sum())
    10
    """

    def __init__(self, *, n_masks=2, max_frames=50, max_share=0.2):
        super().__init__()
        if n_masks < 0 or max_frames < 0 or not 0 <= max_share <= 1:
            raise ValueError(
                "TimeMasking needs n_masks >= 0, max_frames >= 0 and max_share in [0, 1]; got "
                f"{n_masks}, {max_frames} and {max_share}."
            )
        self.n_masks = n_masks
        self.max_frames = max_frames
        self.max_share = max_share

    def forward(self, frames, lengths=None, *, fill=0.0, generator=None):
        """Mask.

        Parameters
        ----------
        frames : Tensor of shape (n_clips, n_frames, n_bins)
            Frames.

        lengths : Tensor of shape (n_clips,), int, default=None
            Valid frames of each clip; None means all.

        fill : float or Tensor of shape (n_bins,), default=0.0
            Value of a masked frame. 0 is the mean of standardised frames; for raw ones pass the mean of each bin.

        generator : torch.Generator, default=None
            Source of the draws, on the device of ``frames``; None takes torch's.

        Returns
        -------
        frames : Tensor, same shape
            As they came in eval mode.
        """
        if not self.training:
            return frames
        n_clips, n_frames, _ = frames.shape
        if lengths is None:
            lengths = torch.full((n_clips,), n_frames, device=frames.device)
        draws = torch.rand(2, n_clips, self.n_masks, generator=generator, device=frames.device)
        lengths = lengths.unsqueeze(1)
        widest = (lengths * self.max_share).clamp(max=self.max_frames).floor()
        width = (draws[0] * (widest + 1)).floor().minimum(widest)
        start = (draws[1] * (lengths - width + 1)).floor().minimum(lengths - width)
        times = torch.arange(n_frames, device=frames.device)
        hidden = (times >= start.unsqueeze(2)) & (times < (start + width).unsqueeze(2))
        fill = torch.as_tensor(fill, dtype=frames.dtype, device=frames.device)
        return torch.where(hidden.any(dim=1).unsqueeze(2), fill, frames)
