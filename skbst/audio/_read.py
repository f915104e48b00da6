"""Read what is wanted of a file, however little of its header is true."""

import math
from typing import NamedTuple

import numpy as np
import soundfile

from skbst.audio._length import crop_start
from skbst.audio._quiet import decoders_held_back
from skbst.audio._resample import resampled_blocks, resampled_length
from skbst.audio._sound_file import MAX_SAMPLES, blocks_to_error, open_sounds, read_span, truncation_in

__all__ = ["USUAL_RATES", "Found", "Stream", "TooLong", "Wish", "check_length", "plan_crop", "read_file"]

# libsndfile guesses the length of an MP3 that does not tell it; in one that tells its frames the decoder delay of 1105
# samples may be in or out, in one that tells its delay as well nothing is
_GUESSED_FRAMES, _DELAYED_FRAMES, _EXACT_FRAMES = 4096, 1151, 16
# above what any sound card does, and below what any recorder of other signals does, the number is hardly true
USUAL_RATES = range(100, 1_000_001)
# what libsndfile says of streams that do not know their length
_UNKNOWN_FRAMES = 1 << 40
# soxr's HQ filter is shorter than this on either side
_MARGIN_SECONDS = 0.05


class Wish(NamedTuple):
    """How much of a sound, from where, its new rate (None: its own), and how many samples at most."""

    duration: float | None
    position: float = 0.0
    sample_rate: int | None = None
    most: int = MAX_SAMPLES


class Found(NamedTuple):
    """One channel at its own rate, the margin before the crop, and what ended the reading."""

    waveform: np.ndarray
    rate: int
    skip: int
    truncation: str | None = None
    error: str = ""


class _Plan(NamedTuple):
    start: int
    count: int
    skip: int


class TooLong(Exception):
    """More samples than are kept in memory."""


def read_file(path, look, wish, mixer):
    """Read what is wanted; where the length is unknown or wrong, from the start to the first error.

    Parameters
    ----------
    path : str or path-like
        A regular file.

    look : Look
        What was seen in it.

    wish : Wish
        How much is wanted.

    mixer : Mixer
        Makes one channel of many.

    Returns
    -------
    found : Found

    Raises
    ------
    TooLong
        If that is more than is kept in memory, before the memory is taken.

    SoundFileError
        If libsndfile cannot open it.
    """
    with decoders_held_back():
        if len(look.parts) < 2:
            found = _read_known(path, look, wish, mixer)
            if found is not None:
                return found
            mixer.restart()
        return _read_onward(path, look, wish, mixer)


def plan_crop(n_frames, rate, wish):
    """Which frames a crop needs, the resampler's margin included.

    The start is a frame that falls on a sample of the new rate, so that a crop has the samples that the whole file
    would have had. An `n_frames` of None is a sound of unknown length, of which the start is wanted.
    """
    sample_rate = wish.sample_rate or rate
    if wish.duration is None:
        check_length(n_frames, rate, sample_rate, wish.most)
        return _Plan(0, n_frames, 0)
    n_wanted = round(wish.duration * sample_rate)
    margin = 0 if rate == sample_rate else math.ceil(_MARGIN_SECONDS * rate)
    if n_frames is None:
        count = math.ceil(n_wanted * rate / sample_rate) + margin
        check_length(count, rate, sample_rate, wish.most)
        return _Plan(0, count, 0)
    first = crop_start(resampled_length(n_frames, rate, sample_rate), n_wanted, wish.position)
    common = math.gcd(rate, sample_rate)
    step_in, step_out = rate // common, sample_rate // common
    n_steps = max(0, (first * rate // sample_rate - margin) // step_in)
    start = n_steps * step_in
    stop = min(n_frames, math.ceil((first + n_wanted) * rate / sample_rate) + margin)
    check_length(stop - start, rate, sample_rate, wish.most)
    return _Plan(start, stop - start, first - n_steps * step_out)


def check_length(n_frames, rate, sample_rate, most=MAX_SAMPLES):
    """Refuse what would not fit, before memory is taken."""
    n_made = max(n_frames, resampled_length(n_frames, rate, sample_rate))
    if n_made > most:
        raise TooLong(f"{n_frames} samples at {rate} Hz would be {n_made} at {sample_rate} Hz, more than {most}")


def _read_known(path, look, wish, mixer):
    """Read a file whose length is what it says; None where it is not."""
    for file in open_sounds(path, look):
        n_frames, rate = file.frames, file.samplerate
        known = n_frames < _UNKNOWN_FRAMES
        if not known and (wish.position > 0 or wish.duration is None):
            return None
        if look.truncation and n_frames > MAX_SAMPLES:
            # what the header says is not what there is
            return None
        plan = plan_crop(n_frames if known else None, rate, wish)
        waveform, broken = read_span(file, plan.start, plan.count, mixer)
        if broken or len(waveform) == 0 or (known and len(waveform) + _tolerated(file, look) < plan.count):
            return None
        return Found(waveform, rate, plan.skip, truncation_in(file))
    return None


def _tolerated(file, look):
    """How many samples less than stated are no loss."""
    if file.subtype != "MPEG_LAYER_III":
        return 0
    if look.is_exact:
        return _EXACT_FRAMES
    return _DELAYED_FRAMES if look.kind == "mpeg" and all(told for _, _, told in look.parts) else _GUESSED_FRAMES


def _read_onward(path, look, wish, mixer):
    """Read all there is; where only a part is wanted, count first, so that no more is kept."""
    stream = Stream(path, look, mixer)
    if wish.duration is None:
        waveform = _gather(stream, 0, wish.most + 1, wish)
        stream.check_opened()
        return Found(waveform, stream.rate, 0, stream.truncation(len(waveform)), stream.error)
    n_frames = sum(len(block) for block in stream)
    stream.check_opened()
    truncation, error = stream.truncation(n_frames), stream.error
    plan = plan_crop(n_frames, stream.rate, wish)
    mixer.restart()
    waveform = _gather(Stream(path, look, mixer), plan.start, plan.start + plan.count, wish)
    return Found(waveform, stream.rate, plan.skip, truncation, error)


def _gather(stream, start, stop, wish):
    """Samples `start` to `stop` of a stream of blocks."""
    at, parts = 0, [np.empty(0, dtype=np.float32)]
    for block in stream:
        parts.append(block[max(0, start - at) : stop - at])
        at += len(block)
        if wish.duration is None:
            check_length(at - start, stream.rate, wish.sample_rate or stream.rate, wish.most)
        if at >= stop:
            break
    return np.concatenate(parts)


class Stream:
    """The sounds of a file, one behind the other at the rate of the first, in blocks of one channel."""

    def __init__(self, path, look, mixer):
        self._path, self._look, self._mixer = path, look, mixer
        self.rate = 0
        self._announced, self._tolerated, self._truncation, self._errors = 0, 0, None, []

    def __iter__(self):
        for file in open_sounds(self._path, self._look, self._errors):
            self.rate = self.rate or file.samplerate
            self._truncation = self._truncation or truncation_in(file)
            self._tolerated += _tolerated(file, self._look)
            if file.frames < _UNKNOWN_FRAMES:
                self._announced += resampled_length(file.frames, file.samplerate, self.rate)
            blocks = blocks_to_error(file, self._mixer, self._errors)
            yield from resampled_blocks(blocks, file.samplerate, self.rate)

    def check_opened(self):
        """Raise what libsndfile said where it could open none of the sounds."""
        if self.rate == 0:
            raise soundfile.SoundFileError(self.error or "Format not recognised")

    @property
    def error(self):
        """What libsndfile said where it ended."""
        return "; ".join(self._errors)

    def truncation(self, n_frames):
        """What is missing, where this is known."""
        if self._truncation or not n_frames + self._tolerated < self._announced:
            return self._truncation
        return f"{n_frames} of {self._announced} samples"
