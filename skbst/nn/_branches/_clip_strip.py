"""Clips of different lengths one behind the other on a single time axis."""

import torch
from torch.nn.utils.rnn import pad_sequence

__all__ = ["ClipStrip"]


class ClipStrip:
    """Where each clip of a padded batch stands on one long time axis, with zeros between.

    A convolution over the strip costs what the clips are long, not what the longest one is long times their number.
    The zeros between two clips are what it would see past the end of either. Clips start at multiples of the stride
    that the network reduces time by, and at least one zero frame is left between them after that, so that the strip
    can be pooled as a whole.

    Parameters
    ----------
    lengths : Tensor of shape (n_clips,), int64
        Valid frames of each clip, at least 1.

    stride : int
        Product of all strides over time that are to come.

    Attributes
    ----------
    mask : Tensor of shape (1, n_frames), bool
        True where a frame of the strip belongs to a clip.

    clip_of_frame : Tensor of shape (n_frames,), int64
        Index of the clip; the zeros behind a clip count as its own.

    lengths : Tensor of shape (n_clips,), int64
        Valid frames of each clip.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import ClipStrip
    >>> strip = ClipStrip(torch.tensor([1, 3]), stride=2)
    >>> strip.pack(torch.tensor([[[5.0], [9.0], [9.0]], [[6.0], [7.0], [8.0]]])).flatten()
    tensor([5., 0., 0., 0., 6., 7., 8., 0., 0., 0.])
    >>> strip.pooled(2).mask
    tensor([[ True, False,  True,  True, False]])
    """

    def __init__(self, lengths, stride):
        spans = (torch.div(lengths - 1, stride, rounding_mode="floor") + 2) * stride
        clips = torch.arange(len(lengths), device=lengths.device)
        self.clip_of_frame = clips.repeat_interleave(spans)
        self.lengths = lengths
        self._times = torch.arange(len(self.clip_of_frame), device=lengths.device)
        self._times = self._times - (spans.cumsum(0) - spans)[self.clip_of_frame]
        self._spans = spans.tolist()
        self.mask = (self._times < lengths[self.clip_of_frame]).unsqueeze(0)

    def pack(self, frames):
        """Lay the valid frames of a padded batch on the strip.

        Parameters
        ----------
        frames : Tensor of shape (n_clips, n_frames, n_bins)
            Padded frames.

        Returns
        -------
        strip : Tensor of shape (1, n_strip_frames, n_bins)
            Zeros between the clips.
        """
        times = self._times.clamp(max=frames.shape[1] - 1)
        return frames[self.clip_of_frame, times].masked_fill(~self.mask[0].unsqueeze(1), 0.0).unsqueeze(0)

    def pooled(self, stride):
        """The strip after time was reduced by ``stride``.

        Parameters
        ----------
        stride : int
            Divides what is left of the stride given at the start.

        Returns
        -------
        strip : ClipStrip
        """
        if stride == 1:
            return self
        pooled = object.__new__(ClipStrip)
        pooled.clip_of_frame, pooled.mask = self.clip_of_frame[::stride], self.mask[:, ::stride]
        pooled.lengths = torch.div(self.lengths - 1, stride, rounding_mode="floor") + 1
        pooled._times = torch.div(self._times[::stride], stride, rounding_mode="floor")
        pooled._spans = [span // stride for span in self._spans]
        return pooled

    def unpack(self, x):
        """Cut the strip into a padded batch again.

        Parameters
        ----------
        x : Tensor of shape (1, n_strip_frames, n_features)
            Features of the frames.

        Returns
        -------
        x : Tensor of shape (n_clips, n_frames, n_features)
            Padded to the longest clip and the zero frames behind it.
        """
        return pad_sequence(x[0].split(self._spans), batch_first=True)

    def time_mean(self, x):
        """Mean over the valid frames of each clip.

        Parameters
        ----------
        x : Tensor of shape (1, n_channels, n_strip_frames, n_bins)
            Maps, zero between the clips.

        Returns
        -------
        mean : Tensor of shape (n_clips, n_channels, n_bins)
        """
        sums = torch.stack([part.sum(dim=1) for part in x[0].split(self._spans, dim=1)])
        return sums / self.lengths[:, None, None]
