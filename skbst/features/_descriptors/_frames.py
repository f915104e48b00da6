"""Short-time spectra of a clip, and what its descriptors share."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import fft

__all__ = ["ClipAnalysis", "analyse_clip", "block_rms", "cosine_basis", "mel_bank", "summarise"]

# All numbers here are taken as they are; the worth of all descriptors together stands in docs/guide/text.rst.
# filters between 30 Hz and half the rate
N_MELS = 40
# 1024 samples at 22.05 kHz
_WINDOW_SECONDS = 0.0464
# below the loudest; a recorder's noise is not what a sound is like
_MEL_FLOOR_DB = -80.0
_ACTIVE_DB = -60.0
# keeps logarithms finite
_TINY = 1e-12


class ClipAnalysis(NamedTuple):
    """A clip, scaled to a peak of 1, and its short-time spectra.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        Without offset, peak 1; all zero for silence.

    sample_rate : int
        In Hz.

    hop_length : int
        Samples between the starts of two frames; a window is two hops long.

    power : ndarray of shape (n_active, n_bins), float32
        Power spectra of the active frames: those less than 60 dB below the loudest, at least one.

    log_mel : ndarray of shape (n_frames, 40), float32
        All frames, in dB below the loudest band of the clip, in [-80, 0].

    active : ndarray of shape (n_frames,), bool
        Which frames are active.

    frequencies : ndarray of shape (n_bins,), float32
        Of the bins, in Hz.
    """

    samples: np.ndarray
    sample_rate: int
    hop_length: int
    power: np.ndarray
    log_mel: np.ndarray
    active: np.ndarray
    frequencies: np.ndarray


def analyse_clip(waveform, sample_rate):
    """Scale a waveform and compute its spectra.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,), float32
        At least one sample, all finite.

    sample_rate : int
        In Hz.

    Returns
    -------
    analysis : ClipAnalysis

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.features._descriptors._frames import analyse_clip
    >>> analysis = analyse_clip(np.sin(np.arange(22050) / 8).astype("float32"), 22050)
    >>> analysis.log_mel.shape, analysis.hop_length
    ((43, 40), 512)
    """
    samples = waveform - waveform.mean(dtype=np.float64).astype(np.float32)
    peak = np.abs(samples).max()
    samples = samples / peak if peak > 1e-7 else np.zeros_like(samples)
    window_length = max(64, 1 << round(np.log2(_WINDOW_SECONDS * sample_rate)))
    hop_length = window_length // 2
    spectrum = fft.rfft(_frames(samples, window_length, hop_length) * _hann(window_length), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    mel = power @ mel_bank(sample_rate, window_length)
    log_mel = 10 * np.log10(np.maximum(mel, _TINY) / max(mel.max(), _TINY))
    energy = power.sum(axis=1)
    active = energy >= energy.max() * 10 ** (_ACTIVE_DB / 10)
    frequencies = np.fft.rfftfreq(window_length, 1 / sample_rate).astype(np.float32)
    power = power if active.all() else power[active]
    return ClipAnalysis(
        samples, sample_rate, hop_length, power, np.maximum(log_mel, _MEL_FLOOR_DB), active, frequencies
    )


@lru_cache(maxsize=8)
def mel_bank(sample_rate, window_length, n_mels=N_MELS, low=30.0):
    """Triangular filters, equally spaced from `low` to half the sample rate on O'Shaughnessy's mel scale.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    window_length : int
        Samples in a frame.

    n_mels : int
        Number of filters.

    low : float
        Lower edge of the first, in Hz.

    Returns
    -------
    bank : ndarray of shape (window_length // 2 + 1, n_mels), float32
        Each filter sums to 1; one too narrow to hold a bin takes the nearest.

    Examples
    --------
    >>> from skbst.features._descriptors._frames import mel_bank
    >>> bank = mel_bank(22050, 1024)
    >>> bank.shape, bool(abs(bank.sum(axis=0) - 1).max() < 1e-5)
    ((513, 40), True)
    """
    edges = np.linspace(_to_mel(low), _to_mel(max(sample_rate / 2, 2 * low)), n_mels + 2)
    edges = 700 * (10 ** (edges / 2595) - 1)
    bins = np.fft.rfftfreq(window_length, 1 / sample_rate)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank = np.maximum(0, np.minimum(rising, falling))
    empty = np.flatnonzero(bank.sum(axis=0) == 0)
    bank[np.argmin(np.abs(bins - edges[1:-1]), axis=0)[empty], empty] = 1
    return (bank / bank.sum(axis=0)).astype(np.float32)


@lru_cache(maxsize=8)
def cosine_basis(n_in, n_out):
    """First `n_out` columns of the orthonormal DCT-II, an ndarray of shape (n_in, n_out), float32."""
    return np.ascontiguousarray(fft.dct(np.eye(n_in), norm="ortho", axis=1)[:, :n_out].astype(np.float32))


def block_rms(samples, block_length):
    """Root mean square of consecutive blocks.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        Any length.

    block_length : int
        Samples in a block; the last is padded with zeros.

    Returns
    -------
    rms : ndarray of shape (ceil(n_samples / block_length),), float32
        At least one value.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.features._descriptors._frames import block_rms
    >>> block_rms(np.array([3, 3, 4, 0], dtype="float32"), 2)
    array([3.      , 2.828427], dtype=float32)
    """
    n_blocks = max(1, -(-len(samples) // block_length))
    blocks = np.zeros((n_blocks, block_length), dtype=np.float32)
    blocks.reshape(-1)[: len(samples)] = samples
    return np.sqrt(np.einsum("ij,ij->i", blocks, blocks) / block_length)


def summarise(values):
    """Describe how values move over time.

    Parameters
    ----------
    values : ndarray of shape (n_frames, n_values)
        At least one frame.

    Returns
    -------
    statistics : dict of str to ndarray of shape (n_values,)
        "mean", "std", the quantiles "p10", "p50" and "p90", and "delta", the mean absolute step from frame to frame.
    """
    ordered = np.sort(values, axis=0)
    last = len(values) - 1
    quantiles = {f"p{percent}": ordered[round(percent / 100 * last)] for percent in (10, 50, 90)}
    return {"mean": values.mean(axis=0), "std": values.std(axis=0), **quantiles, "delta": mean_step(values)}


def mean_step(values):
    """Mean absolute difference between consecutive rows; zero for a single row."""
    if len(values) < 2:
        return np.zeros(values.shape[1], dtype=values.dtype)
    return np.abs(np.diff(values, axis=0)).mean(axis=0)


def _frames(samples, window_length, hop_length):
    n_frames = 1 + max(0, -(-(len(samples) - window_length) // hop_length))
    padded = np.zeros(window_length + (n_frames - 1) * hop_length, dtype=np.float32)
    padded[: len(samples)] = samples
    return np.lib.stride_tricks.sliding_window_view(padded, window_length)[::hop_length]


@lru_cache(maxsize=8)
def _hann(length):
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


def _to_mel(frequency):
    return 2595 * np.log10(1 + frequency / 700)
