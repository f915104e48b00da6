"""Descriptors of how a clip moves: pitch, modulation, envelope, rhythm, level."""

from functools import lru_cache

import numpy as np
from scipy import fft

from skbst.features._descriptors._frames import block_rms

__all__ = [
    "describe_course",
    "describe_envelope",
    "describe_level",
    "describe_modulation",
    "describe_pitch",
    "describe_rhythm",
]

# All numbers here are taken as they are; the worth of all descriptors together stands in docs/guide/text.rst.
# frames of a long sound that are looked at, equally spaced
_MAX_PITCH_FRAMES = 400
# from a low voice to a high whistle
_PITCH_RANGE_HZ = (60, 2000)
# normalised autocorrelation from which a frame has a pitch
_VOICED = 0.6
# the autocorrelation must have fallen below this before a peak is a period
_MAIN_LOBE = 0.3
# from slow waves over steps and syllables to roughness
_MODULATION_EDGES_HZ = (0.3, 1, 2, 4, 8, 13, 22)
# of five Mel filters each, over five parts of the sound
_N_BANDS = 8
_N_PARTS = 5
# one point of the envelope
_BLOCK_SECONDS = 0.005
_ENVELOPE_FLOOR_DB = -80.0
# a rise of the level that is an onset
_ONSET_RISE_DB = 9.0
# seconds between two beats
_LONGEST_PERIOD = 2.0


def describe_pitch(analysis):
    """Harmonicity and pitch from the normalised autocorrelation of each active frame.

    The autocorrelation is divided by that of the window; the pitch period is the first maximum that comes within a
    tenth of the highest (after de Cheveigne & Kawahara, 2002). A frame is voiced if the highest is above 0.6.

    Parameters
    ----------
    analysis : ClipAnalysis
        The clip; of long ones at most 400 frames are used, evenly spaced.

    Returns
    -------
    descriptors : dict of str to ndarray
        Share of voiced frames and of changes; mean, standard deviation and quantiles of the harmonicity; of the
        pitch of voiced frames, in octaves: mean, standard deviation, quantiles, mean step and share of steady steps.
    """
    power = analysis.power[:: -(-len(analysis.power) // _MAX_PITCH_FRAMES)]
    peak, period = _first_period(power, 2 * analysis.hop_length, analysis.sample_rate)
    voiced = peak > _VOICED
    ordered = np.sort(peak)
    last = len(peak) - 1
    changes = np.mean(voiced[1:] != voiced[:-1]) if last else 0.0
    harmonicity = [
        voiced.mean(),
        changes,
        peak.mean(),
        peak.std(),
        *(ordered[round(q * last)] for q in (0.1, 0.5, 0.9)),
    ]
    pitch = np.log2(analysis.sample_rate / period[voiced])
    return {"harmonicity": np.array(harmonicity), "pitch": _describe_track(pitch)}


def describe_modulation(analysis):
    """Log power of the fluctuation of eight frequency bands at six ranges of rate, from 0.3 to 22 Hz.

    Parameters
    ----------
    analysis : ClipAnalysis
        The clip.

    Returns
    -------
    descriptors : dict of str to ndarray of shape (48,)
        Rates vary slowest.
    """
    bands = _band_means(analysis.log_mel)
    bands = (bands - bands.mean(axis=0)) * _taper(len(bands))
    n_points = fft.next_fast_len(max(len(bands), 64))
    power = np.abs(fft.rfft(bands, n=n_points, axis=0)) ** 2 / len(bands)
    rates = np.fft.rfftfreq(n_points, analysis.hop_length / analysis.sample_rate)
    cumulated = np.vstack([np.zeros(_N_BANDS), np.cumsum(power, axis=0)])
    edges = np.searchsorted(rates, _MODULATION_EDGES_HZ)
    return {"modulation": np.log1p(np.diff(cumulated[edges], axis=0).clip(0).ravel())}


def describe_course(analysis):
    """Course of eight frequency bands over five equal parts of the sounding clip, in dB around their means.

    Parameters
    ----------
    analysis : ClipAnalysis
        The clip.

    Returns
    -------
    descriptors : dict of str to ndarray of shape (40,)
        Parts vary slowest.
    """
    sounding = np.flatnonzero(analysis.active)
    bands = _band_means(analysis.log_mel[sounding[0] : sounding[-1] + 1])
    starts = np.arange(_N_PARTS) * len(bands) // _N_PARTS
    stops = np.maximum((np.arange(_N_PARTS) + 1) * len(bands) // _N_PARTS, starts + 1)
    parts = np.array([bands[start:stop].mean(axis=0) for start, stop in zip(starts, stops)])
    return {"course": (parts - bands.mean(axis=0)).ravel()}


def describe_envelope(analysis):
    """Duration, silence, attack and decay, from the level in blocks of 5 ms.

    Times are in octaves of (seconds + 10 ms), levels in dB below the loudest block.

    Parameters
    ----------
    analysis : ClipAnalysis
        The clip.

    Returns
    -------
    descriptors : dict of str to ndarray
        Duration, sounding duration, start; shares of blocks above -60, -40, -20 dB; place of the maximum, centre and
        spread of the energy, absolute and as shares; attack from -40, -20, -3 dB, decay to -6, -20, -40 dB; mean,
        standard deviation, quantiles and mean step of the level.
    """
    level, step = _level_curve(analysis)
    last = len(level) - 1
    duration = len(level) * step
    peak = int(np.argmax(level))
    sounding = np.flatnonzero(level > -40)
    energy = 10 ** (level / 10)
    energy /= energy.sum()
    times = np.arange(len(level)) * step
    centre = energy @ times
    spread = np.sqrt(energy @ (times - centre) ** 2)
    ordered = np.sort(level)
    descriptors = {
        "duration": _octaves_of(np.array([duration, (sounding[-1] - sounding[0]) * step, sounding[0] * step])),
        "sounding_share": np.array([np.mean(level > threshold) for threshold in (-60, -40, -20)]),
        "energy_place": np.array([peak / max(last, 1), centre / duration, spread / duration]),
        "energy_time": _octaves_of(np.array([centre, spread])),
        "attack": _octaves_of(np.array([_blocks_since(level[: peak + 1], db) * step for db in (-40, -20, -3)])),
        "decay": _octaves_of(np.array([_blocks_until(level[peak:], db) * step for db in (-6, -20, -40)])),
        "level_curve": np.array(
            [
                level.mean(),
                level.std(),
                *(ordered[round(q * last)] for q in (0.05, 0.25, 0.5, 0.75, 0.95)),
                np.abs(np.diff(level)).mean() if last else 0.0,
            ]
        ),
    }
    return descriptors


def describe_rhythm(analysis):
    """Onsets and their regularity.

    An onset is a local maximum of the rise of the level within 20 ms, of at least 9 dB and 50 ms after the last.

    Parameters
    ----------
    analysis : ClipAnalysis
        The clip.

    Returns
    -------
    descriptors : dict of str to ndarray
        Log number and rate of onsets, mean and variation of the intervals (4); highest autocorrelation of the rises in
        twelve ranges of period from 0.1 to 2 s; height, period and second multiple of its best period (3).
    """
    level, step = _level_curve(analysis)
    rises = np.maximum(np.diff(level, prepend=level[:1]), 0)
    onsets = _onsets(np.convolve(rises, np.ones(4))[: len(rises)], level, round(0.05 / step))
    intervals = np.diff(onsets) * step if len(onsets) > 1 else np.zeros(1)
    rate = len(onsets) / max(len(level) * step, 0.25)
    variation = intervals.std() / (intervals.mean() + 0.01)
    return {
        "onsets": np.array([np.log1p(len(onsets)), rate, _octaves_of(intervals.mean()), variation]),
        **_periodicity(rises - rises.mean(), step),
    }


def describe_level(waveform):
    """Absolute level: peak, root mean square and crest in dB, log share of clipped samples, offset.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,), float32
        As decoded.

    Returns
    -------
    descriptors : dict of str to ndarray of shape (5,)
    """
    magnitude = np.abs(waveform)
    peak = 20 * np.log10(max(float(magnitude.max()), 1e-6))
    mean_square = max(float(np.mean(np.square(waveform, dtype=np.float64))), 1e-12)
    rms = 10 * np.log10(mean_square)
    clipped = np.log10(np.mean(magnitude > 0.99) + 1e-5)
    offset = abs(float(waveform.mean(dtype=np.float64))) / np.sqrt(mean_square)
    return {"absolute_level": np.array([peak, rms, peak - rms, clipped, offset])}


def _first_period(power, window_length, sample_rate):
    """Height (in [0, 1]) and lag (in samples) of the first high peak of the autocorrelation of each frame."""
    shortest = max(1, int(sample_rate / _PITCH_RANGE_HZ[1]))
    longest = max(shortest + 2, min(int(sample_rate / _PITCH_RANGE_HZ[0]), int(0.45 * window_length)))
    correlation = fft.irfft(power, axis=1)[:, :longest]
    correlation = correlation / (correlation[:, :1] + 1e-9) / _window_correlation(window_length)[:longest]
    # the main lobe around lag 0 is no period
    after_lobe = np.logical_or.accumulate(correlation[:, :-1] < _MAIN_LOBE, axis=1)[:, shortest:]
    inner, left, right = correlation[:, shortest:-1], correlation[:, shortest - 1 : -2], correlation[:, shortest + 1 :]
    candidates = np.where(after_lobe & (inner >= left) & (inner >= right), inner, 0)
    best = candidates.max(axis=1)
    first = np.argmax(candidates >= 0.9 * best[:, None], axis=1)
    rows = np.arange(len(first))
    before, here, after = left[rows, first], inner[rows, first], right[rows, first]
    # the parabola through a maximum and its neighbours peaks less than a sample away
    shift = 0.5 * (before - after) / np.minimum(before - 2 * here + after, -1e-6)
    return np.clip(best, 0, 1), shortest + first + np.clip(shift, -0.5, 0.5)


@lru_cache(maxsize=8)
def _window_correlation(window_length):
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window_length) / window_length)
    correlation = fft.irfft(np.abs(fft.rfft(window)) ** 2)
    return (correlation / correlation[0]).astype(np.float32)


def _describe_track(pitch):
    """Mean, std, p10, p90, mean step, share of steps under a quarter tone; of an unvoiced clip A4 / 2 and zeros."""
    if len(pitch) == 0:
        return np.array([7.8, 0.0, 7.8, 7.8, 0.0, 0.0])
    steps = np.abs(np.diff(pitch))
    ordered = np.sort(pitch)
    last = len(pitch) - 1
    moves = [steps.mean(), np.mean(steps < 1 / 24)] if last else [0.0, 0.0]
    return np.array([pitch.mean(), pitch.std(), ordered[round(0.1 * last)], ordered[round(0.9 * last)], *moves])


def _band_means(log_mel):
    return log_mel.reshape(len(log_mel), _N_BANDS, -1).mean(axis=2)


@lru_cache(maxsize=256)
def _taper(length):
    return np.hanning(length + 2)[1:-1, None]


def _level_curve(analysis):
    """Level of blocks of 5 ms in dB below the loudest, not below -80; and the length of a block in seconds."""
    block_length = max(1, round(_BLOCK_SECONDS * analysis.sample_rate))
    rms = block_rms(analysis.samples, block_length)
    level = 20 * np.log10(np.maximum(rms, 1e-9) / max(rms.max(), 1e-9))
    return np.maximum(level, _ENVELOPE_FLOOR_DB), block_length / analysis.sample_rate


def _octaves_of(seconds):
    return np.log2(seconds + 0.01)


def _blocks_since(level, threshold):
    """Blocks since the level was last below the threshold; all of them if it never was."""
    below = np.flatnonzero(level < threshold)
    return len(level) - 1 - below[-1] if len(below) else len(level) - 1


def _blocks_until(level, threshold):
    below = np.flatnonzero(level < threshold)
    return below[0] if len(below) else len(level)


def _onsets(rise, level, distance):
    """Positions of local maxima of the rise, loud enough and apart from each other."""
    inner = (rise[1:-1] > rise[:-2]) & (rise[1:-1] >= rise[2:]) & (rise[1:-1] > _ONSET_RISE_DB) & (level[1:-1] > -50)
    kept = []
    for position in (np.flatnonzero(inner) + 1).tolist():
        if not kept or position - kept[-1] > distance:
            kept.append(position)
    return np.array(kept, dtype=int)


def _periodicity(rises, step):
    edges = (np.geomspace(0.1, _LONGEST_PERIOD, 13) / step).astype(int)
    correlation = np.zeros(2 * edges[-1] + 2)
    n_points = fft.next_fast_len(2 * len(rises))
    found = fft.irfft(np.abs(fft.rfft(rises, n_points)) ** 2, n_points)[: min(len(rises), len(correlation))]
    correlation[: len(found)] = found / (found[0] + 1e-9)
    in_range = np.maximum.reduceat(correlation[: edges[-1]], edges[:-1])
    best = edges[1] + int(np.argmax(correlation[edges[1] : edges[-1]]))
    height = correlation[best]
    pulse = np.array([height, _octaves_of(best * step) if height > 0 else 0.0, correlation[2 * best]])
    return {"periodicity": in_range, "pulse": pulse}
