"""Valid frames of a padded batch as the rows of one matrix."""

import torch

from skbst.nn._masking import padding_mask

__all__ = ["FramePacking"]


class FramePacking:
    """Where the valid frames of a padded batch stand.

    Layers that look at one frame at a time (linear layers, norms, activations) work on the packed rows: padding then
    costs nothing, and can enter neither a statistic nor a sum.

    Parameters
    ----------
    lengths : Tensor of shape (n_clips,), int, or None
        Valid frames of each clip; None means all.

    n_clips, n_frames : int
        Size of the padded batch.

    Attributes
    ----------
    mask : Tensor of shape (n_clips, n_frames), bool, or None
        True where a frame is valid; None when all are, and packing is then only a change of view.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import FramePacking
    >>> packing = FramePacking(torch.tensor([1, 3]), 2, 3)
    >>> packing.pack(torch.tensor([[[1.0], [9.0], [9.0]], [[2.0], [3.0], [4.0]]])).flatten()
    tensor([1., 2., 3., 4.])
    >>> packing.unpack(torch.tensor([[1.0], [2.0], [3.0], [4.0]])).squeeze(2)
    tensor([[1., 0., 0.],
            [2., 3., 4.]])
    """

    def __init__(self, lengths, n_clips, n_frames):
        self.n_clips = n_clips
        self.n_frames = n_frames
        self.lengths = lengths
        self.mask = padding_mask(lengths, n_frames)
        self._rows = None if self.mask is None else self.mask.flatten().nonzero().squeeze(1)

    def pack(self, x):
        """Valid frames as rows.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_frames, n_features)
            Padded frames.

        Returns
        -------
        rows : Tensor of shape (n_valid, n_features)
            Clip after clip.
        """
        x = x.flatten(0, 1)
        return x if self._rows is None else x.index_select(0, self._rows)

    def unpack(self, rows):
        """Rows back in their places.

        Parameters
        ----------
        rows : Tensor of shape (n_valid, n_features)
            Valid frames.

        Returns
        -------
        x : Tensor of shape (n_clips, n_frames, n_features)
            Zeros in the padding.
        """
        if self._rows is not None:
            padded = rows.new_zeros(self.n_clips * self.n_frames, rows.shape[1])
            rows = padded.index_copy(0, self._rows, rows)
        return rows.view(self.n_clips, self.n_frames, -1)

    def neighbours(self, offsets, device):
        """Rows of the frames at some distances in time.

        Parameters
        ----------
        offsets : sequence of int
            Distances in frames.

        device : torch.device
            Where the result goes.

        Returns
        -------
        index : Tensor of shape (n_valid, len(offsets)), int64
            Row numbers; ``n_valid`` where the neighbour lies outside the clip.
        """
        times = torch.arange(self.n_frames, device=device).expand(self.n_clips, -1)
        if self.mask is None:
            times, ends = times.reshape(-1), self.n_frames
        else:
            times, ends = times[self.mask], self.lengths.unsqueeze(1).expand(-1, self.n_frames)[self.mask].unsqueeze(1)
        offsets = torch.tensor(offsets, device=device)
        times = times.unsqueeze(1) + offsets
        index = torch.arange(len(times), device=device).unsqueeze(1) + offsets
        return index.masked_fill((times < 0) | (times >= ends), len(times))
