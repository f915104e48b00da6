"""Pad or crop to a fixed number of samples."""

import numpy as np

__all__ = ["crop_start", "fix_length"]

_PAD_MODES = {"repeat": "wrap", "reflect": "reflect"}


def crop_start(n_samples, n_wanted, position):
    """First sample of a crop whose place among all possible crops is `position` in [0, 1]."""
    n_spare = n_samples - n_wanted
    return min(int(position * (n_spare + 1)), n_spare) if n_spare > 0 else 0


def fix_length(waveform, n_samples, *, position=0.0, pad="constant", out=None):
    """Crop a long waveform, pad a short one.

    Parameters
    ----------
    waveform : ndarray of shape (n,), float32
        One channel.

    n_samples : int
        The number of samples that is wanted.

    position : float in [0, 1], default=0.0
        Where the crop lies: 0 takes the first samples, 0.5 the middle, 1 the last.

    pad : {"constant", "repeat", "reflect"}, default="constant"
        What follows a short waveform: zeros, the waveform again, or the waveform mirrored.

    out : ndarray of shape (n_samples,), float32, default=None
        Where the result is written.

    Returns
    -------
    fixed : ndarray of shape (n_samples,), float32
        The result.

    n_valid : int in [0, n_samples]
        How many of the first samples hold sound. Zeros that were added never count; repeated or mirrored sound does.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.audio import fix_length
    >>> fix_length(np.array([1, 2, 3], dtype=np.float32), 5)
    (array([1., 2., 3., 0., 0.], dtype=float32), 3)
    >>> fix_length(np.array([1, 2, 3], dtype=np.float32), 5, pad="repeat")
    (array([1., 2., 3., 1., 2.], dtype=float32), 5)
    >>> fix_length(np.array([1, 2, 3], dtype=np.float32), 2, position=0.5)
    (array([2., 3.], dtype=float32), 2)
    """
    out = np.empty(n_samples, dtype=np.float32) if out is None else out
    start = crop_start(len(waveform), n_samples, position)
    kept = waveform[start : start + n_samples]
    n_kept = len(kept)
    out[:n_kept] = kept
    if n_kept == n_samples:
        return out, n_samples
    if pad == "constant" or n_kept == 0:
        out[n_kept:] = 0
        return out, n_kept
    out[n_kept:] = np.pad(kept, (0, n_samples - n_kept), mode=_PAD_MODES[pad])[n_kept:]
    return out, n_samples
