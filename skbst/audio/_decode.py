"""Read the part of a sound that is needed, as one channel."""

import math
import os
import re
import stat
import threading
from typing import NamedTuple

import numpy as np
import pandas as pd
import soundfile

from skbst.audio._length import crop_start
from skbst.audio._problems import DecodeProblem
from skbst.audio._resample import resampled_length

__all__ = ["Decoded", "decode", "decode_array", "decode_file"]

_BLOCK_SAMPLES = 1 << 19
_SALVAGE_FRAMES = 1 << 10
# decoders of lossy formats may be off by their own delay
_TOLERATED_FRAMES = 4096
_LARGEST_RATE = 10_000_000
# what streams write while they do not know their length yet
_UNKNOWN_FRAMES = 1 << 40
_UNKNOWN_BYTES = 0x7FFF0000
# beyond this a float is garbage, not a sample: its power would overflow
_LARGEST_SAMPLE = 1e6
# soxr's HQ filter is shorter than this on either side
_MARGIN_SECONDS = 0.05
_ANNOUNCED = re.compile(r"(?:\bdata|\bSSND|Data Size)\s*:\s*(\d+) \(should be (\d+)\)")

_local = threading.local()


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


class _ForwardFile(soundfile.SoundFile):
    """A file that is read onward only.

    After each read of a seekable file soundfile seeks to where it already stands, which costs compressed formats
    up to a third of their speed.
    """

    def __init__(self, path):
        try:
            # as bytes, because a name need not be valid text
            super().__init__(path if os.name == "nt" else os.fsencode(path))
        except (TypeError, ValueError) as error:
            # soundfile takes *.raw for samples without a header
            raise soundfile.SoundFileError(str(error)) from error
        if self.samplerate > _LARGEST_RATE:
            self.close()
            raise soundfile.SoundFileError(f"a sample rate of {self.samplerate} Hz")

    def seekable(self):
        return False


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
        with _ForwardFile(path) as file:
            n_frames, rate = file.frames, file.samplerate
            known = n_frames < _UNKNOWN_FRAMES
            if not known and position > 0:
                return _read_onward(path, duration, position, sample_rate)
            plan = _plan(n_frames, rate, duration, position, sample_rate or rate)
            waveform, n_bad = _read_mono(file, plan)
            truncation = _truncation(file)
    except (soundfile.SoundFileError, OSError):
        return _read_onward(path, duration, position, sample_rate)
    if len(waveform) == 0 or (known and len(waveform) + _TOLERATED_FRAMES < plan.count):
        return _read_onward(path, duration, position, sample_rate)
    return Decoded(*_examine(waveform, rate, plan.skip, n_bad, truncation))


def decode_array(waveform, source_rate, *, duration, position=0.0, sample_rate=None):
    """Take what a crop of an array (n_frames,) or (n_frames, n_channels) needs; integers are scaled to [-1, 1]."""
    waveform = np.asarray(waveform)
    if waveform.ndim not in (1, 2) or waveform.dtype.kind not in "fiu":
        raise ValueError(
            "A waveform must be real numbers of shape (n_frames,) or (n_frames, n_channels); "
            f"got {waveform.dtype} of shape {waveform.shape}."
        )
    if waveform.size == 0:
        return _nothing(DecodeProblem("no samples", silent=True), source_rate)
    plan = _plan(len(waveform), source_rate, duration, position, sample_rate or source_rate)
    part = _as_float(waveform[plan.start : plan.start + plan.count])
    mono, n_bad = _mix(part.reshape(len(part), -1))
    return Decoded(*_examine(mono, source_rate, plan.skip, n_bad, None))


def _as_float(samples):
    """Scale integers to [-1, 1] as libsndfile does; unsigned ones have their zero in the middle."""
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


def _read_mono(file, plan):
    """Read the frames of a plan; returns one channel and how many samples were not finite."""
    if plan.start:
        file.seek(plan.start)
    parts, n_bad, missing = [], 0, plan.count
    while missing > 0:
        block = _buffer(min(missing, max(1, _BLOCK_SAMPLES // file.channels)), file.channels)
        part, n_bad_here = _mix(file.read(out=block))
        n_bad += n_bad_here
        missing -= len(part)
        last = len(part) < len(block) or missing <= 0
        # the buffer is reused, so only a part that stays alone may be a view of it
        parts.append(part if last and not parts else part.copy())
        if last:
            break
    if not parts:
        return np.empty(0, dtype=np.float32), 0
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)), n_bad


def _buffer(n_frames, n_channels):
    """A part of this thread's own memory; a new array for each file would cost more than decoding does."""
    size = n_frames * n_channels
    memory = getattr(_local, "memory", None)
    if memory is None or memory.size < size:
        memory = _local.memory = np.empty(size, dtype=np.float32)
    return memory[:size].reshape(n_frames, n_channels)


def _mix(frames):
    """Mean of the channels of (n_frames, n_channels); samples that are not finite count as 0."""
    if len(frames) == 0:
        return frames[:, 0], 0
    n_bad = 0
    if not (frames.max() <= _LARGEST_SAMPLE and frames.min() >= -_LARGEST_SAMPLE):
        bad = ~(np.abs(frames) <= _LARGEST_SAMPLE)
        n_bad = int(bad.any(axis=1).sum())
        if bad.all():
            return np.zeros(len(frames), dtype=np.float32), n_bad
        frames = np.where(bad, np.float32(0), frames)
    n_channels = frames.shape[1]
    if n_channels == 1:
        return frames[:, 0], n_bad
    return frames @ np.full(n_channels, 1 / n_channels, dtype=np.float32), n_bad


def _truncation(file):
    """What the header promised and the file does not hold, after libsndfile's log."""
    log = file.extra_info
    if "lacks an end-of-stream bit" in log:
        return "the last page of the stream is missing"
    for announced, found in _ANNOUNCED.findall(log):
        if int(found) < int(announced) < _UNKNOWN_BYTES:
            return f"{found} of {announced} bytes"
    return None


def _read_onward(path, duration, position, sample_rate):
    """Read a file of unknown or wrong length from its start to the first error, then crop."""
    try:
        with _ForwardFile(path) as file:
            n_frames, rate, truncation = file.frames, file.samplerate, _truncation(file)
            waveform, n_bad, broken = _read_to_error(file)
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


def _read_to_error(file):
    """Read small blocks; returns one channel, how many samples were not finite, and whether an error ended it."""
    parts, n_bad, broken = [np.empty(0, dtype=np.float32)], 0, False
    while True:
        try:
            frames = file.read(_SALVAGE_FRAMES, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, OSError):
            broken = True
            break
        part, n_bad_here = _mix(frames)
        parts.append(part)
        n_bad += n_bad_here
        if len(frames) < _SALVAGE_FRAMES:
            break
    return np.concatenate(parts), n_bad, broken


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
