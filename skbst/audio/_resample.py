"""Change the sample rate."""

import numpy as np
import soxr

__all__ = ["resample", "resampled_blocks", "resampled_length"]


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


def resampled_blocks(blocks, source_rate, sample_rate):
    """Resample a sound block by block.

    Parameters
    ----------
    blocks : iterable of ndarray of shape (n,), float32
        One channel at `source_rate`.

    source_rate, sample_rate : int
        In Hz.

    Yields
    ------
    block : ndarray of shape (n,), float32
        Together as long as `resample` would have made the whole.
    """
    if source_rate == sample_rate:
        yield from blocks
        return
    resampler = soxr.ResampleStream(source_rate, sample_rate, 1, dtype="float32", quality="HQ")
    n_in, n_out = 0, 0
    for block in blocks:
        n_in += len(block)
        made = resampler.resample_chunk(np.ascontiguousarray(block))
        n_out += len(made)
        yield made
    rest = resampled_length(n_in, source_rate, sample_rate) - n_out
    last = resampler.resample_chunk(np.empty(0, dtype=np.float32), last=True)[: max(0, rest)]
    yield last
    if len(last) < rest:
        yield np.zeros(rest - len(last), dtype=np.float32)
