"""From the sounds of one call to their embeddings."""

import numpy as np

from skbst.audio import OUT_OF_MEMORY, LongSound, decode_source, resample
from skbst.features._clap._checkpoint._find import find_checkpoint
from skbst.features._clap._encoder import load_encoder
from skbst.features._clap._frontend import quantize_int16, thirds, windows_at_random
from skbst.features._clap._long_mel import LongWaveform
from skbst.features._clips._memory import ran_out_of_memory
from skbst.features._embedding._threads import map_clips
from skbst.features._store._keys import source_key

__all__ = ["AudioRun"]

# raise it when the same settings give other vectors than before
_FORMAT = 1
# samples of a sound that is loaded whole, 5.8 minutes at 48 kHz; longer ones are read twice, block by block
_LONGEST_WHOLE = 1 << 24


class AudioRun:
    """One call of `transform`: loads sounds, embeds them, and notes what was wrong.

    Parameters
    ----------
    featurizer : ClapAudioFeaturizer
        The settings.

    sources : Sources
        The sounds.
    """

    def __init__(self, featurizer, sources):
        self.featurizer = featurizer
        self.sources = sources
        self.problems = {}
        self._silence = None
        self._encoder = None
        seed = featurizer.random_state
        self._random_state = seed if isinstance(seed, np.random.RandomState) else np.random.RandomState(seed)

    @property
    def encoder(self):
        """The shared model, loaded when the first sound has to be embedded."""
        if self._encoder is None:
            own = self.featurizer
            self._encoder = load_encoder(own.backend, own.checkpoint, device=own.device, verbose=own.verbose)
        return self._encoder

    def pipeline(self):
        """All that shapes an embedding beside the sound."""
        own = self.featurizer
        return {
            "format": _FORMAT,
            "embedding": "clap_audio",
            "backend": own.backend,
            "checkpoint": find_checkpoint(own.checkpoint, verbose=own.verbose).digest,
            "windows": own.windows,
            "quantize": bool(own.quantize),
            "antialias": bool(own.antialias),
        }

    def keys(self, rows):
        """Name sounds by content; None for those that cannot be read."""
        if self.featurizer.store is None:
            return [None] * len(rows)
        return [source_key(self.sources.items[row]) for row in rows]

    def compute(self, rows):
        """Embed some sounds; returns their vectors, and for each whether nothing was wrong with it."""
        if self.featurizer.windows == "thirds":
            return self._finish(rows, self._map(lambda row: self._embed(*self._load(row)), rows))
        # what is drawn depends on the order of the sounds alone, so they are loaded before and embedded after
        loaded = self._map(self._load, rows)
        starts = [self._draw(len(waveform)) for waveform, _ in loaded]
        return self._finish(rows, self._map(lambda item: self._embed(*item[0], item[1]), list(zip(loaded, starts))))

    def _map(self, function, items):
        return map_clips(function, items, n_jobs=self.featurizer.n_jobs, device=self.encoder.device)

    def _load(self, row):
        source = self.sources.items[row]
        if not self.sources.are_files:
            waveform, problem = np.asarray(source, dtype=np.float32), None
        else:
            waveform, problem = load_whole(source, self.encoder.spec.sample_rate, most=_LONGEST_WHOLE)
            if problem is not None and problem.reason == "too long":
                return self._load_long(source)
        if self.featurizer.quantize:
            waveform = quantize_int16(waveform)
        return waveform, problem

    def _load_long(self, source):
        sample_rate = self.encoder.spec.sample_rate
        sound = LongSound(source, sample_rate)
        n_samples = _length_of_laion(sound.n_frames, sound.source_rate, sample_rate) if sound.n_samples else 0
        return LongWaveform(sound, n_samples, quantize_int16 if self.featurizer.quantize else None), sound.problem

    def _draw(self, n_samples):
        return windows_at_random(n_samples, self.encoder.spec, self._random_state)

    def _embed(self, waveform, problem, starts=None):
        if problem is not None and problem.silent:
            return None, problem
        starts = thirds(len(waveform), self.encoder.spec) if starts is None else starts
        try:
            return self.encoder.audio(waveform, starts, antialias=bool(self.featurizer.antialias)), problem
        except (MemoryError, RuntimeError) as error:
            if not ran_out_of_memory(error):
                raise
            return None, OUT_OF_MEMORY

    def _finish(self, rows, results):
        self.problems.update({row: problem for row, (_, problem) in zip(rows, results) if problem is not None})
        vectors = [self._silent() if vector is None else vector for vector, _ in results]
        return vectors, [problem is None for _, problem in results]

    def _silent(self):
        """CLAP's embedding of silence, made once a run."""
        if self._silence is None:
            nothing = np.zeros(0, dtype=np.float32)
            self._silence = self._map(lambda waveform: self._embed(waveform, None, ())[0], [nothing])[0]
        return self._silence


def _length_of_laion(n_frames, rate, sample_rate):
    """Samples that librosa, and so laion-clap, makes: rounded up, in floats."""
    return n_frames if rate == sample_rate else int(np.ceil(n_frames * (sample_rate / rate)))


def load_whole(source, sample_rate, *, most=None):
    """Load a sound of any length, as long as laion-clap has it.

    laion-clap reads through librosa, which rounds the length after resampling up (in floats) and fills with zeros; one
    sample moves the windows it draws and the period of a repeated sound.

    Parameters
    ----------
    source : str, path-like, or tuple (waveform, sample_rate)
        The sound; an array alone has the rate that is wanted.

    sample_rate : int
        The rate that is wanted, in Hz.

    most : int, default=None
        Longer sounds are not read, and have the problem "too long"; None is the largest number that is kept in memory.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32

    problem : DecodeProblem or None
        What is wrong with the sound.
    """
    try:
        wanted = {"duration": None, "sample_rate": sample_rate} | ({} if most is None else {"most": most})
        decoded = decode_source(source, array_rate=sample_rate, **wanted)
        n_frames, rate, problem = len(decoded.waveform), decoded.source_rate, decoded.problem
        waveform = resample(decoded.waveform, rate, sample_rate)
        if len(waveform) == 0 or rate == sample_rate:
            return waveform.copy(), problem
        n_samples = _length_of_laion(n_frames, rate, sample_rate)
        return np.pad(waveform[:n_samples], (0, max(0, n_samples - len(waveform)))), problem
    except MemoryError:
        return np.zeros(0, dtype=np.float32), OUT_OF_MEMORY
