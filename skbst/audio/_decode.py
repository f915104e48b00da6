"""Read the part of a sound that is needed, as one channel."""

import math
import os
import stat
from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd
import soundfile

from skbst.audio._length import crop_start
from skbst.audio._problems import DecodeProblem
from skbst.audio._resample import resampled_length
from skbst.audio._sound_file import ForwardFile, mix_to_mono, read_mono, read_to_error, truncation_of
from skbst.exceptions import DataFormatError

__all__ = ["Decoded", "as_waveform", "decode", "decode_array", "decode_file", "scale_integers"]

# decoders of lossy formats may be off by their own delay
_TOLERATED_FRAMES = 4096
# what libsndfile says of streams that do not know their length
_UNKNOWN_FRAMES = 1 << 40
# soxr's HQ filter is shorter than this on either side
_MARGIN_SECONDS = 0.05
# up to here a sound may have more channels than frames; 7.1 has eight
_FEW_CHANNELS = 8


class Decoded(NamedTuple):
    """One channel at its own sample rate; `skip` is the length of the margin before the crop after resampling."""

    waveform: np.ndarray
    source_rate: int
    skip: int
    problem: DecodeProblem | None


class _Plan(NamedTuple):
    start: int
    count: int
    skip: int


def decode(path, *, duration=None, position=0.0):
    """Read a sound file as one channel at its own sample rate; a crop decodes no more than it needs.

    Parameters
    ----------
    path : str or path-like
        Any file that libsndfile reads.

    duration : float, default=None
        How much is needed, in seconds; None reads all.

    position : float in [0, 1], default=0.0
        Where the crop of a longer file lies: 0 its first `duration`, 0.5 the middle, 1 the last.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32 in [-1, 1]
        Mean of the channels; empty if nothing could be decoded. NaN and infinite samples are 0.

    sample_rate : int
        In Hz; 0 if the file could not be opened.

    problem : DecodeProblem or None
        What is wrong with the file.

    Examples
    --------
    >>> from skbst.audio import decode
    >>> waveform, sample_rate, problem = decode("no-such-file.wav")
    >>> len(waveform), sample_rate, problem.reason
    (0, 0, 'not found')
    """
    decoded = decode_file(path, duration=duration, position=position)
    return decoded.waveform.copy(), decoded.source_rate, decoded.problem


def decode_file(path, *, duration, position=0.0, sample_rate=None):
    """Read what a crop of a file needs before it is resampled to `sample_rate` (None: before nothing).

    The waveform may be a view of a buffer that the next call in this thread overwrites.
    """
    problem = _unreadable(path)
    if problem is not None:
        return _nothing(problem)
    try:
        with ForwardFile(path) as file:
            n_frames, rate = file.frames, file.samplerate
            known = n_frames < _UNKNOWN_FRAMES
            if not known and position > 0:
                return _read_onward(path, duration, position, sample_rate)
            plan = _plan(n_frames, rate, duration, position, sample_rate or rate)
            waveform, n_bad = read_mono(file, plan)
            truncation = truncation_of(file)
    except (soundfile.SoundFileError, OSError):
        return _read_onward(path, duration, position, sample_rate)
    if len(waveform) == 0 or (known and len(waveform) + _TOLERATED_FRAMES < plan.count):
        return _read_onward(path, duration, position, sample_rate)
    return Decoded(*_examine(waveform, rate, plan.skip, n_bad, truncation))


def decode_array(waveform, source_rate, *, duration, position=0.0, sample_rate=None):
    """Take what a crop of an array (n_frames,) or (n_frames, n_channels) needs; integers are scaled to [-1, 1]."""
    waveform, source_rate = as_waveform(waveform, source_rate)
    if waveform.size == 0:
        return _nothing(DecodeProblem("no samples", silent=True), source_rate)
    plan = _plan(len(waveform), source_rate, duration, position, sample_rate or source_rate)
    part = scale_integers(waveform[plan.start : plan.start + plan.count])
    mono, n_bad = mix_to_mono(part.reshape(len(part), -1))
    return Decoded(*_examine(mono, source_rate, plan.skip, n_bad, None))


def as_waveform(waveform, sample_rate):
    """Check a sound that is an array.

    Parameters
    ----------
    waveform : array-like of shape (n_frames,) or (n_frames, n_channels)
        Real numbers.

    sample_rate : int, or a float of whole value
        In Hz.

    Returns
    -------
    waveform : ndarray
        The same numbers.

    sample_rate : int
        In Hz.

    Raises
    ------
    DataFormatError
        If these are no real numbers or 64-bit integers, the shape is another, channels come first, or the rate is no
        rate.
    """
    waveform = np.asarray(waveform)
    if waveform.ndim not in (1, 2) or waveform.dtype.kind not in "fiu":
        raise DataFormatError(
            "A waveform must be real numbers of shape (n_frames,) or (n_frames, n_channels); "
            f"got {waveform.dtype} of shape {waveform.shape}."
        )
    if waveform.dtype.kind in "iu" and waveform.dtype.itemsize > 4:
        raise DataFormatError(
            f"A waveform of {waveform.dtype} has no known full scale: pass int16 or int32 (waveform.astype), whichever "
            "the sound was recorded in, or floats in [-1, 1]."
        )
    if waveform.ndim == 2 and waveform.shape[1] > max(_FEW_CHANNELS, len(waveform)):
        raise DataFormatError(
            f"A waveform has the shape (n_frames, n_channels); {waveform.shape} would be {waveform.shape[1]} channels. "
            "Pass waveform.T where the channels come first."
        )
    return waveform, _as_rate(sample_rate)


def _as_rate(sample_rate):
    rate = sample_rate.item() if isinstance(sample_rate, np.ndarray) and sample_rate.ndim == 0 else sample_rate
    is_number = isinstance(rate, Real) and not isinstance(rate, (bool, np.bool_))
    if not is_number or not math.isfinite(rate) or rate < 1 or rate != round(rate):
        raise DataFormatError(
            f"The sample rate of a waveform is a whole number of Hz above 0, such as 44100; got {sample_rate!r}."
        )
    return int(rate)


def scale_integers(samples):
    """Scale integers to [-1, 1] as libsndfile does; unsigned ones have their zero in the middle. Gives float32."""
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return samples.astype(np.float32, copy=False)
    half = 2.0 ** (8 * samples.dtype.itemsize - 1)
    return (samples / half - (samples.dtype.kind == "u")).astype(np.float32)


def _unreadable(path):
    """Say why a path cannot even be opened."""
    if path is None or path is pd.NA or path == "" or (isinstance(path, float) and math.isnan(path)):
        return DecodeProblem("no path", silent=True)
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return DecodeProblem("not found", silent=True)
    except OSError as error:
        return DecodeProblem("not found", silent=True, detail=error.strerror or "")
    except ValueError as error:
        return DecodeProblem("not found", silent=True, detail=str(error))
    if not stat.S_ISREG(status.st_mode):
        return DecodeProblem("not found", silent=True, detail="not a regular file")
    if not os.access(path, os.R_OK):
        return DecodeProblem("not found", silent=True, detail="no right to read it")
    return DecodeProblem("zero bytes", silent=True) if status.st_size == 0 else None


def _plan(n_frames, rate, duration, position, sample_rate):
    """Which frames a crop needs, the resampler's margin included.

    The start is a frame that falls on a sample of the new rate, so that a crop has the samples that the whole file
    would have had.
    """
    if duration is None:
        return _Plan(0, n_frames, 0)
    n_wanted = round(duration * sample_rate)
    margin = 0 if rate == sample_rate else math.ceil(_MARGIN_SECONDS * rate)
    if n_frames >= _UNKNOWN_FRAMES:
        return _Plan(0, math.ceil(n_wanted * rate / sample_rate) + margin, 0)
    first = crop_start(resampled_length(n_frames, rate, sample_rate), n_wanted, position)
    common = math.gcd(rate, sample_rate)
    step_in, step_out = rate // common, sample_rate // common
    n_steps = max(0, (first * rate // sample_rate - margin) // step_in)
    start = n_steps * step_in
    stop = min(n_frames, math.ceil((first + n_wanted) * rate / sample_rate) + margin)
    return _Plan(start, stop - start, first - n_steps * step_out)


def _read_onward(path, duration, position, sample_rate):
    """Read a file of unknown or wrong length from its start to the first error, then crop."""
    try:
        with ForwardFile(path) as file:
            n_frames, rate, truncation = file.frames, file.samplerate, truncation_of(file)
            waveform, n_bad, broken = read_to_error(file)
    except (soundfile.SoundFileError, OSError):
        return _nothing(DecodeProblem("not decodable", silent=True))
    if len(waveform) == 0:
        return _nothing(DecodeProblem("not decodable" if broken else "no samples", silent=True), rate)
    missing = len(waveform) + _TOLERATED_FRAMES < n_frames < _UNKNOWN_FRAMES
    if truncation is None and (broken or missing):
        announced = n_frames if n_frames < _UNKNOWN_FRAMES else "an unknown number of"
        truncation = f"{len(waveform)} of {announced} samples"
    plan = _plan(len(waveform), rate, duration, position, sample_rate or rate)
    part = waveform[plan.start : plan.start + plan.count]
    return Decoded(*_examine(part, rate, plan.skip, n_bad, truncation))


def _examine(waveform, rate, skip, n_bad, truncation):
    """Name what is wrong with a sound that was read."""
    if n_bad and n_bad >= len(waveform) and not waveform.any():
        return _nothing(DecodeProblem("no finite sample", silent=True), rate)
    reasons, details = [], []
    if truncation:
        reasons.append("truncated")
        details.append(truncation)
    if n_bad:
        reasons.append("non-finite samples")
        details.append(f"{n_bad} samples set to 0")
    problem = DecodeProblem("; ".join(reasons), silent=False, detail="; ".join(details)) if reasons else None
    return waveform, rate, skip, problem


def _nothing(problem, rate=0):
    return Decoded(np.empty(0, dtype=np.float32), rate, 0, problem)
