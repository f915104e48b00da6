"""Descriptors of the spectrum of a clip: its mean shape, how it varies, how tonal it is."""

from functools import lru_cache

import numpy as np

from skbst.features._descriptors._frames import cosine_basis, mean_step, summarise

__all__ = ["describe_cepstrum", "describe_chroma", "describe_log_mel", "describe_shape"]

# All numbers here are taken as they are; the worth of all descriptors together stands in docs/guide/text.rst.
# cepstral coefficients
_N_MFCC = 20
# octaves
_BAND_EDGES_HZ = (0, 200, 400, 800, 1600, 3200, 6400)
# where tones have a pitch class
_CHROMA_RANGE_HZ = (100, 4000)
# keeps divisions and logarithms finite
_TINY = 1e-12


def describe_log_mel(analysis):
    """Statistics of the log-Mel spectrum, in dB below the loudest band of the clip.

    Parameters
    ----------
    analysis : ClipAnalysis
        The clip.

    Returns
    -------
    descriptors : dict of str to ndarray of shape (40,)
        Over active frames: "mean", "std", "p90"; over all frames "delta", the mean absolute step, and "power",
        the spectrum of the mean power in dB below its maximum.
    """
    active = analysis.log_mel[analysis.active]
    statistics = summarise(active)
    mean_power = (10 ** (analysis.log_mel / 10)).mean(axis=0)
    return {
        **{f"log_mel_{name}": statistics[name] for name in ("mean", "std", "p90")},
        "log_mel_delta": mean_step(analysis.log_mel),
        "log_mel_power": 10 * np.log10(mean_power / mean_power.max() + 1e-8),
    }


def describe_cepstrum(analysis):
    """Statistics of 20 Mel-frequency cepstral coefficients over active frames.

    Parameters
    ----------
    analysis : ClipAnalysis
        The clip.

    Returns
    -------
    descriptors : dict of str to ndarray of shape (20,)
        Standard deviation of the coefficients and of their first and second differences. Their means follow from those
        of the log-Mel spectrum.
    """
    cepstrum = (analysis.log_mel @ cosine_basis(analysis.log_mel.shape[1], _N_MFCC))[analysis.active]
    return {
        "mfcc_std": cepstrum.std(axis=0),
        "mfcc_delta_std": _std_of_difference(cepstrum, 1),
        "mfcc_delta2_std": _std_of_difference(cepstrum, 2),
    }


def describe_shape(analysis):
    """Statistics of centroid, bandwidth, roll-off, flatness, crest, entropy, flux, level and zero crossings.

    Frequencies are in octaves, levels in dB, entropy and flatness in nats.

    Parameters
    ----------
    analysis : ClipAnalysis
        The clip.

    Returns
    -------
    descriptors : dict of str to ndarray of shape (6,) or (7,)
        The six statistics of `summarise` of each over active frames; mean and standard deviation of the flatness in
        seven octave bands.
    """
    power = analysis.power + _TINY
    frequencies = analysis.frequencies
    log_power = np.log(power)
    total = power.sum(axis=1)
    centroid = power @ frequencies / total
    variance = power @ frequencies**2 / total - centroid**2
    curves = {
        "centroid": _octaves(centroid),
        "bandwidth": _octaves(np.sqrt(np.maximum(variance, 0))),
        **_rolloff(power, total, frequencies),
        "flatness": log_power.mean(axis=1) - np.log(total / power.shape[1]),
        "crest": log_power.max(axis=1) - np.log(total / power.shape[1]),
        "entropy": np.log(total) - np.einsum("ij,ij->i", power, log_power) / total,
        "flux": _flux(analysis),
        "level": 10 * np.log10(total / total.max()),
        "zero_crossings": _zero_crossings(analysis),
    }
    table = summarise(np.column_stack(list(curves.values())))
    descriptors = {name: np.array([table[key][i] for key in table]) for i, name in enumerate(curves)}
    flatness = _band_flatness(power, log_power, frequencies)
    return {**descriptors, "flatness_band_mean": flatness.mean(axis=0), "flatness_band_std": flatness.std(axis=0)}


def describe_chroma(analysis):
    """How the spectrum from 100 Hz to 4 kHz is spread over the twelve pitch classes, whatever the key.

    Parameters
    ----------
    analysis : ClipAnalysis
        The clip.

    Returns
    -------
    descriptors : dict of str to ndarray
        Mean share of each pitch class, sorted (12); entropy of the mean, mean and standard deviation of the
        entropy of frames, mean step between frames (4).
    """
    chroma = np.sqrt(analysis.power @ _chroma_bank(len(analysis.frequencies), analysis.sample_rate) + _TINY)
    chroma /= chroma.sum(axis=1, keepdims=True)
    mean = chroma.mean(axis=0)
    entropy = -(chroma * np.log(chroma)).sum(axis=1)
    moves = np.array([-(mean * np.log(mean)).sum(), entropy.mean(), entropy.std(), mean_step(chroma).sum()])
    return {"chroma_sorted": np.sort(mean), "chroma_spread": moves}


def _std_of_difference(values, order):
    if len(values) <= order:
        return np.zeros(values.shape[1])
    return np.diff(values, n=order, axis=0).std(axis=0)


def _octaves(frequency):
    return np.log2(frequency + 30)


def _rolloff(power, total, frequencies):
    """Frequencies below which a share of the power lies."""
    cumulated = np.cumsum(power, axis=1)
    return {
        f"rolloff_{percent}": _octaves(
            frequencies[np.minimum((cumulated < percent / 100 * total[:, None]).sum(axis=1), len(frequencies) - 1)]
        )
        for percent in (25, 50, 85, 95)
    }


def _flux(analysis):
    """Distance between the shapes of consecutive active log-Mel spectra; the first is 0."""
    shape = 10 ** (analysis.log_mel[analysis.active] / 20)
    shape /= np.linalg.norm(shape, axis=1, keepdims=True)
    return np.concatenate([[0], np.linalg.norm(np.diff(shape, axis=0), axis=1)])


def _zero_crossings(analysis):
    """Log share of samples of each active frame that change the sign."""
    hop_length = analysis.hop_length
    n_frames = len(analysis.active)
    crossings = np.zeros((n_frames + 1) * hop_length, dtype=np.int32)
    crossings[1 : len(analysis.samples)] = np.diff(np.signbit(analysis.samples))
    in_hop = crossings.reshape(n_frames + 1, hop_length).sum(axis=1)
    share = (in_hop[:-1] + in_hop[1:]) / (2 * hop_length)
    return np.log(share[analysis.active] + 1e-4)


def _band_flatness(power, log_power, frequencies):
    """Log ratio of the geometric to the arithmetic mean of the power in octave bands; 0 for an empty band."""
    starts = np.searchsorted(frequencies, [edge for edge in _BAND_EDGES_HZ if edge < frequencies[-1]])
    counts = np.diff([*starts, len(frequencies)])
    arithmetic = np.log(np.add.reduceat(power, starts, axis=1) / counts)
    flatness = np.add.reduceat(log_power, starts, axis=1) / counts - arithmetic
    return np.pad(flatness, [(0, 0), (0, len(_BAND_EDGES_HZ) - len(starts))])


@lru_cache(maxsize=8)
def _chroma_bank(n_bins, sample_rate):
    frequencies = np.arange(n_bins) * sample_rate / 2 / (n_bins - 1)
    low, high = _CHROMA_RANGE_HZ
    inside = np.flatnonzero((frequencies > low) & (frequencies < high))
    bank = np.zeros((n_bins, 12), dtype=np.float32)
    bank[inside, np.round(12 * np.log2(frequencies[inside] / 440)).astype(int) % 12] = 1
    return bank
