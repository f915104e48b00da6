"""A sound that is read block by block, however long it is."""

from contextlib import closing

import numpy as np
import soundfile

from skbst.audio._arrays import as_waveform, scale_integers
from skbst.audio._containers._look import look_at
from skbst.audio._levels import Levels, Mixer
from skbst.audio._quiet import decoders_held_back
from skbst.audio._read import Stream, TooLong, check_length
from skbst.audio._resample import resampled_blocks, resampled_length
from skbst.audio._sound_file import MAX_SAMPLES, words_of
from skbst.audio._survey import OUT_OF_MEMORY, Survey, name_problem, not_decodable, too_long, unreadable

__all__ = ["LongSound"]

# 24.8 hours at 48 kHz: what takes an hour to decode is hardly wanted, and files of a few kilobytes can say days
_MAX_STREAMED = 1 << 32
# a header that says 1 Hz makes hours of a few kilobytes
_LARGEST_RATIO = 64
# 1 MiB of float32 at a time; taken as it is
_BLOCK_SAMPLES = 1 << 18


class LongSound:
    """A sound of any length in blocks of one channel, at a rate that is chosen.

    It is read twice: once to find its length, its scale and what is wrong with it, once for the samples. No more than
    a few blocks stand in memory.

    Parameters
    ----------
    source : str, path-like, or tuple (waveform, sample_rate)
        The sound, as in `load_clip`; an array alone has the rate that is wanted.

    sample_rate : int
        The rate that is wanted, in Hz.

    Attributes
    ----------
    n_samples : int
        Its length at `sample_rate`; 0 where nothing can be had.

    n_frames, source_rate : int
        Its own length and rate, in Hz.

    problem : DecodeProblem or None
        What is wrong with it.

    Raises
    ------
    DataFormatError
        If an array is no waveform or its rate no rate.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.audio import LongSound
    >>> sound = LongSound((np.ones(3_000_000, dtype=np.float32), 8000), 16000)
    >>> sound.n_samples, sum(len(block) for block in sound.blocks()), sound.problem
    (6000000, 6000000, None)
    """

    def __init__(self, source, sample_rate):
        self.sample_rate = sample_rate
        self.n_samples = self.n_frames = self.source_rate = 0
        self.problem, self._look, self._channel = None, None, None
        if isinstance(source, np.ndarray):
            source = (source, sample_rate)
        if isinstance(source, tuple):
            waveform, self.source_rate = as_waveform(*source)
            self._source = waveform
        else:
            self._source = source
            self.problem = unreadable(source)
        if self.problem is None:
            self.problem = self._survey()
        if self.problem is not None and self.problem.silent:
            self.n_samples = 0

    def blocks(self):
        """Yield the samples, float32 in [-1, 1], in blocks of about 2**18."""
        if self.n_samples == 0:
            return
        grouped = _grouped(self._stream(Mixer(self._channel))[0])
        yield from resampled_blocks(map(self._scaling.apply, grouped), self.source_rate, self.sample_rate)

    def _stream(self, mixer):
        if isinstance(self._source, np.ndarray):
            frames = self._source.reshape(len(self._source), -1)
            step = max(1, _BLOCK_SAMPLES // max(1, frames.shape[1]))
            starts = range(0, len(frames), step)
            return (mixer(scale_integers(frames[start : start + step])) for start in starts), None
        stream = Stream(self._source, self._look, mixer)
        return iter(stream), stream

    def _survey(self):
        try:
            if not isinstance(self._source, np.ndarray):
                self._look = look_at(self._source)
            survey, cancelled = self._surveyed(None)
            if cancelled is not None:
                self._channel = cancelled
                survey, _ = self._surveyed(cancelled)
        except TooLong as error:
            return too_long(error)
        except MemoryError:
            return OUT_OF_MEMORY
        except (soundfile.SoundFileError, OSError) as error:
            return not_decodable(words_of(error))
        self.n_frames, self._scaling = survey.n_samples, survey.scaling
        self.source_rate = survey.rate
        self.n_samples = resampled_length(self.n_frames, self.source_rate, self.sample_rate)
        return name_problem(survey, self._look)

    def _surveyed(self, channel):
        mixer, levels, n_frames = Mixer(channel), Levels(), 0
        blocks, stream = self._stream(mixer)
        with closing(_grouped(blocks)) as grouped:
            for block in grouped:
                n_frames += len(block)
                levels(block)
                rate = stream.rate if stream else self.source_rate
                most = _MAX_STREAMED if self.sample_rate <= _LARGEST_RATIO * rate else MAX_SAMPLES
                check_length(n_frames, rate, self.sample_rate, most)
        survey = Survey(
            n_frames,
            levels.is_silent,
            stream.rate if stream else self.source_rate,
            mixer.n_bad,
            stream.truncation(n_frames) if stream else None,
            stream.error if stream else "",
            channel,
            levels.scaling,
        )
        return survey, mixer.cancelled if channel is None else None


def _grouped(blocks):
    """Join small blocks, and hold back what decoders print only while they decode."""
    is_over = False
    while not is_over:
        parts, size = [], 0
        with decoders_held_back():
            while size < _BLOCK_SAMPLES and not is_over:
                block = next(blocks, None)
                is_over = block is None
                if not is_over and len(block):
                    # some are views of a buffer that is reused
                    parts.append(block.copy())
                    size += len(block)
        if parts:
            yield np.concatenate(parts)
