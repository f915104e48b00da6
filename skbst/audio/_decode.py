"""Read the part of a sound that is needed, as one channel."""

import math
import os
import stat
from typing import NamedTuple

import numpy as np
import pandas as pd
import soundfile

from skbst.audio._arrays import as_waveform, scale_integers
from skbst.audio._containers._look import look_at
from skbst.audio._levels import Mixer, into_range
from skbst.audio._problems import DecodeProblem
from skbst.audio._read import USUAL_RATES, Found, TooLong, Wish, plan_crop, read_file
from skbst.audio._sound_file import words_of

__all__ = [
    "OUT_OF_MEMORY",
    "Decoded",
    "as_waveform",
    "decode",
    "decode_array",
    "decode_file",
    "decode_nothing",
    "scale_integers",
]

_REMEDY = "convert it, for example with ffmpeg -i FILE NEW.wav, or leave the row out"

OUT_OF_MEMORY = DecodeProblem("out of memory", silent=True, detail="pass a duration, or free memory")


class Decoded(NamedTuple):
    """One channel at its own sample rate; `skip` is the length of the margin before the crop after resampling."""

    waveform: np.ndarray
    source_rate: int
    skip: int
    problem: DecodeProblem | None


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
        Mean of the channels (the loudest one where they cancel); empty if nothing could be decoded. NaN and infinite
        samples are 0, floats of another scale are divided.

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
    """Read what a crop of a file needs before it is resampled.

    The waveform may be a view of a buffer that the next call in this thread overwrites.

    Parameters
    ----------
    path : str, bytes or path-like
        The file.

    duration : float or None
        Length of the crop, in seconds; None takes all.

    position : float in [0, 1], default=0.0
        Place of the crop, from the start to the end.

    sample_rate : int, default=None
        Rate that it will be resampled to, in Hz; None: to none.
    """
    problem = _unreadable(path)
    if problem is not None:
        return decode_nothing(problem)
    wish = Wish(duration, position, sample_rate)
    try:
        look = look_at(path)
        mixer = Mixer()
        found = read_file(path, look, wish, mixer)
        if mixer.cancelled is not None:
            mixer = Mixer(mixer.cancelled)
            found = read_file(path, look, wish, mixer)
            return _examine(found, mixer.n_bad, look, channel=mixer.channel)
        return _examine(found, mixer.n_bad, look)
    except TooLong as error:
        return decode_nothing(_too_long(error))
    except MemoryError:
        return decode_nothing(OUT_OF_MEMORY)
    except (soundfile.SoundFileError, OSError) as error:
        return decode_nothing(DecodeProblem("not decodable", silent=True, detail=f"{words_of(error)}; {_REMEDY}"))


def decode_array(waveform, source_rate, *, duration, position=0.0, sample_rate=None):
    """Take what a crop of an array needs before it is resampled; integers are scaled to [-1, 1].

    Parameters
    ----------
    waveform : array-like of shape (n_frames,) or (n_frames, n_channels)
        Samples; floats in [-1, 1], or integers of any type.

    source_rate : int
        Its rate, in Hz.

    duration : float or None
        Length of the crop, in seconds; None takes all.

    position : float in [0, 1], default=0.0
        Place of the crop, from the start to the end.

    sample_rate : int, default=None
        Rate that it will be resampled to, in Hz; None: to none.
    """
    waveform, source_rate = as_waveform(waveform, source_rate)
    if waveform.size == 0:
        return decode_nothing(DecodeProblem("no samples", silent=True), source_rate)
    try:
        plan = plan_crop(len(waveform), source_rate, Wish(duration, position, sample_rate))
        part = scale_integers(waveform[plan.start : plan.start + plan.count])
        mixer = Mixer()
        mono = mixer(part.reshape(len(part), -1))
        channel = mixer.cancelled
        if channel is not None:
            mixer = Mixer(channel)
            mono = mixer(part.reshape(len(part), -1))
        return _examine(Found(mono, source_rate, plan.skip, None), mixer.n_bad, None, channel=channel)
    except TooLong as error:
        return decode_nothing(_too_long(error), source_rate)


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


def _examine(found, n_bad, look, *, channel=None):
    """Name what is wrong with a sound that was read."""
    waveform, rate = found.waveform, found.rate
    if len(waveform) == 0:
        words = found.error or found.truncation or (look.truncation if look is not None else None)
        if words:
            return decode_nothing(DecodeProblem("not decodable", silent=True, detail=f"{words}; {_REMEDY}"), rate)
        return decode_nothing(DecodeProblem("no samples", silent=True), rate)
    if n_bad and n_bad >= len(waveform) and not waveform.any():
        return decode_nothing(DecodeProblem("no finite sample", silent=True), rate)
    waveform, n_wild, scale, scale_detail = into_range(waveform)
    notes = []
    truncation = (look.truncation if look is not None else None) or found.truncation
    if truncation:
        notes.append(("truncated", truncation + (f" ({found.error})" if found.error else "")))
    elif found.error:
        notes.append(("truncated", f"{len(waveform)} samples before an error: {found.error}"))
    if look is not None and look.reason:
        notes.append((look.reason, look.detail))
    if look is not None and look.kind == "ogg" and not waveform.any():
        # a damaged header of Vorbis decodes to zeros without a word; recorded silence hardly ever does
        notes.append(("only zeros", "what was decoded is digital silence; play the file to see whether it should be"))
    if look is not None and rate not in USUAL_RATES:
        notes.append(("unusual rate", f"its header says {rate} Hz"))
    if n_bad or n_wild:
        notes.append(("non-finite samples", f"{n_bad + n_wild} samples set to 0"))
    if channel is not None:
        notes.append(("channels cancel", f"their mean is near silence; channel {channel + 1}, the loudest, was taken"))
    if scale:
        notes.append((scale, scale_detail))
    problem = DecodeProblem("; ".join(n[0] for n in notes), False, "; ".join(n[1] for n in notes)) if notes else None
    return Decoded(waveform, rate, found.skip, problem)


def _too_long(error):
    return DecodeProblem("too long", silent=True, detail=f"{error}; pass a duration, or cut the file")


def decode_nothing(problem, rate=0):
    """A sound of which nothing can be had."""
    return Decoded(np.empty(0, dtype=np.float32), rate, 0, problem)
