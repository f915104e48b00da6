"""Change the sample rate."""

import numpy as np
import soxr

__all__ = ["resample", "resampled_length"]


def resampled_length(n_samples, source_rate, sample_rate):
    """Count the samples after resampling: the nearest integer, never 0 for a sound that is not empty."""
    if n_samples == 0:
        return 0
    return max(1, (2 * n_samples * sample_rate + source_rate) // (2 * source_rate))


def resample(waveform, source_rate, sample_rate):
    """Resample one channel with soxr's HQ setting.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,), float32
        One channel, in [-1, 1].

    source_rate : int
        Its sample rate, in Hz.

    sample_rate : int
        The rate that is wanted, in Hz.

    Returns
    -------
    resampled : ndarray of shape (round(n_samples * sample_rate / source_rate),), float32
        At least one sample where `waveform` has one. The same array where the rates are equal.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.audio import resample
    >>> resample(np.ones(44100, dtype=np.float32), 44100, 16000).shape
    (16000,)
    """
    if source_rate == sample_rate or len(waveform) == 0:
        return waveform
    n_out = resampled_length(len(waveform), source_rate, sample_rate)
    resampled = soxr.resample(waveform, source_rate, sample_rate, quality="HQ")
    if len(resampled) < n_out:
        # less than half a sample of the new rate: soxr gives none
        last = resampled[-1] if len(resampled) else waveform.mean()
        resampled = np.append(resampled, np.full(n_out - len(resampled), last, dtype=waveform.dtype))
    return resampled[:n_out]
