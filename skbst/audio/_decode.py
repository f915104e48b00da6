"""Read the part of a sound that is needed, as one channel."""

from typing import NamedTuple

import numpy as np
import soundfile

from skbst.audio._arrays import as_waveform, scale_integers
from skbst.audio._containers._look import look_at
from skbst.audio._levels import Mixer, Scaling, into_range
from skbst.audio._problems import DecodeProblem
from skbst.audio._read import Found, TooLong, Wish, plan_crop, read_file
from skbst.audio._sound_file import MAX_SAMPLES, words_of
from skbst.audio._survey import OUT_OF_MEMORY, Survey, name_problem, not_decodable, too_long, unreadable
from skbst.exceptions import DataFormatError

__all__ = [
    "Decoded",
    "as_waveform",
    "decode",
    "decode_array",
    "decode_file",
    "decode_nothing",
    "decode_source",
    "scale_integers",
]


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


def decode_file(path, *, duration, position=0.0, sample_rate=None, most=MAX_SAMPLES):
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

    most : int, default=2**28
        More samples, before or after that, are the problem "too long".

    Returns
    -------
    decoded : tuple
        The waveform (float32, mono), its rate in Hz, how many of its first samples come before the crop, and a
        `DecodeProblem` or None.
    """
    problem = unreadable(path)
    if problem is not None:
        return decode_nothing(problem)
    wish = Wish(duration, position, sample_rate, most)
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
        return decode_nothing(too_long(error))
    except MemoryError:
        return decode_nothing(OUT_OF_MEMORY)
    except (soundfile.SoundFileError, OSError) as error:
        return decode_nothing(not_decodable(words_of(error)))


def decode_array(waveform, source_rate, *, duration, position=0.0, sample_rate=None, most=MAX_SAMPLES):
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

    most : int, default=2**28
        More samples, before or after that, are the problem "too long".

    Returns
    -------
    decoded : tuple
        The waveform (float32, mono), its rate in Hz, how many of its first samples come before the crop, and a
        `DecodeProblem` or None.
    """
    waveform, source_rate = as_waveform(waveform, source_rate)
    if waveform.size == 0:
        return decode_nothing(DecodeProblem("no samples", silent=True), source_rate)
    try:
        plan = plan_crop(len(waveform), source_rate, Wish(duration, position, sample_rate, most))
        part = scale_integers(waveform[plan.start : plan.start + plan.count])
        mixer = Mixer()
        mono = mixer(part.reshape(len(part), -1))
        channel = mixer.cancelled
        if channel is not None:
            mixer = Mixer(channel)
            mono = mixer(part.reshape(len(part), -1))
        return _examine(Found(mono, source_rate, plan.skip, None), mixer.n_bad, None, channel=channel)
    except TooLong as error:
        return decode_nothing(too_long(error), source_rate)


def decode_source(source, *, array_rate, **wanted):
    """Decode a sound of any kind that is taken: a file, or an array with its rate or alone.

    Parameters
    ----------
    source : str, bytes, path-like, tuple (waveform, sample_rate) or ndarray
        The sound.

    array_rate : int
        Rate of an array alone, in Hz.

    **wanted
        As in `decode_file`.

    Returns
    -------
    decoded : tuple
        As of `decode_file`.

    Raises
    ------
    DataFormatError
        If a tuple is no pair, an array no waveform, or its rate no rate.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.audio import decode_source
    >>> decode_source(np.ones(8, dtype=np.float32), array_rate=16000, duration=None).source_rate
    16000
    """
    if isinstance(source, np.ndarray):
        source = (source, array_rate)
    if not isinstance(source, tuple):
        return decode_file(source, **wanted)
    if len(source) != 2:
        raise DataFormatError(f"A sound that is a tuple is (waveform, sample_rate); got {len(source)} values.")
    return decode_array(*source, **wanted)


def _examine(found, n_bad, look, *, channel=None):
    """Bring a sound that was read into range, and name what is wrong with it."""
    waveform, scaling = found.waveform, Scaling()
    if not (n_bad and n_bad >= len(waveform) and not waveform.any()):
        waveform, scaling = into_range(waveform)
    survey = Survey(
        len(waveform), not waveform.any(), found.rate, n_bad, found.truncation, found.error, channel, scaling
    )
    problem = name_problem(survey, look)
    if problem is not None and problem.silent:
        return decode_nothing(problem, found.rate)
    return Decoded(waveform, found.rate, found.skip, problem)


def decode_nothing(problem, rate=0):
    """A sound of which nothing can be had."""
    return Decoded(np.empty(0, dtype=np.float32), rate, 0, problem)
