"""Lengths of padded frame sequences: masks, and means and maxima that leave padding out."""

import torch

__all__ = ["check_bins", "length_mask", "masked_max", "masked_mean", "padding_mask", "trim_padding", "zero_padding"]


def length_mask(lengths, n_frames):
    """Mark the frames that hold sound.

    Parameters
    ----------
    lengths : Tensor of shape (n_clips,), int
        Valid frames of each clip.

    n_frames : int
        Frames of the padded sequence.

    Returns
    -------
    mask : Tensor of shape (n_clips, n_frames), bool
        True where the frame index is below the length.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import length_mask
    >>> length_mask(torch.tensor([1, 3]), 3)
    tensor([[ True, False, False],
            [ True,  True,  True]])
    """
    return torch.arange(n_frames, device=lengths.device) < lengths.unsqueeze(1)


def padding_mask(lengths, n_frames):
    """``length_mask``, or None when no frame is padding.

    None lets a network take the unmasked path, which is the faster one. While a graph is being compiled the
    lengths cannot be looked at, and the mask is always made.

    Parameters
    ----------
    lengths : Tensor of shape (n_clips,), int, or None
        Valid frames of each clip; None means that all frames are valid.

    n_frames : int
        Frames of the padded sequence.

    Returns
    -------
    mask : Tensor of shape (n_clips, n_frames), bool, or None
    """
    if lengths is None:
        return None
    if not torch.compiler.is_compiling() and bool((lengths >= n_frames).all()):
        return None
    return length_mask(lengths, n_frames)


def trim_padding(frames, lengths):
    """Drop the frames that are padding in every clip of the batch.

    Parameters
    ----------
    frames : Tensor of shape (n_clips, n_frames, n_bins)
        Padded sequences.

    lengths : Tensor of shape (n_clips,), int, or None
        Valid frames of each clip; None returns ``frames`` as they are.

    Returns
    -------
    frames : Tensor of shape (n_clips, max(lengths), n_bins)
        A view.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import trim_padding
    >>> trim_padding(torch.zeros(2, 100, 13), torch.tensor([7, 20])).shape
    torch.Size([2, 20, 13])
    """
    if lengths is None or torch.compiler.is_compiling():
        return frames
    return frames[:, : max(int(lengths.max()), 1)]


def zero_padding(x, mask):
    """Set padded frames to zero, whatever stands in them, NaN and infinities included.

    Parameters
    ----------
    x : Tensor of shape (n_clips, n_frames, ...)
        Sequences.

    mask : Tensor of shape (n_clips, n_frames), bool, or None
        True where the frame is valid; None returns ``x``.

    Returns
    -------
    x : Tensor, same shape
    """
    if mask is None:
        return x
    return x.masked_fill(~mask.reshape(mask.shape + (1,) * (x.dim() - 2)), 0.0)


def masked_mean(x, mask):
    """Mean over the valid frames.

    Parameters
    ----------
    x : Tensor of shape (n_clips, n_frames, n_features)
        Sequences.

    mask : Tensor of shape (n_clips, n_frames), bool, or None
        True where the frame is valid; None means everywhere.

    Returns
    -------
    mean : Tensor of shape (n_clips, n_features)
        Zeros for a clip without a valid frame.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import length_mask, masked_mean
    >>> x = torch.tensor([[[1.0], [3.0], [99.0]]])
    >>> masked_mean(x, length_mask(torch.tensor([2]), 3))
    tensor([[2.]])
    """
    if mask is None:
        return x.mean(dim=1)
    n_valid = mask.sum(dim=1, keepdim=True).clamp(min=1)
    return zero_padding(x, mask).sum(dim=1) / n_valid


def masked_max(x, mask):
    """Maximum over the valid frames.

    Parameters
    ----------
    x : Tensor of shape (n_clips, n_frames, n_features)
        Sequences.

    mask : Tensor of shape (n_clips, n_frames), bool, or None
        True where the frame is valid; None means everywhere.

    Returns
    -------
    maximum : Tensor of shape (n_clips, n_features)
        Minus infinity for a clip without a valid frame.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import length_mask, masked_max
    >>> x = torch.tensor([[[1.0], [3.0], [99.0]]])
    >>> masked_max(x, length_mask(torch.tensor([2]), 3))
    tensor([[3.]])
    """
    if mask is None:
        return x.amax(dim=1)
    return x.masked_fill(~mask.unsqueeze(2), -torch.inf).amax(dim=1)


def check_bins(branch, frames, n_bins):
    """Refuse frames of another number of bins than a branch was built for."""
    if frames.ndim != 3 or frames.shape[2] != n_bins:
        raise ValueError(
            f"{type(branch).__name__} was built for frames of shape (n_clips, n_frames, {n_bins}) and got "
            f"{tuple(frames.shape)}."
        )
