"""From the sounds of one call to the vectors of an audio encoder of transformers."""

import numpy as np

from skbst.audio import OUT_OF_MEMORY, ClipLoader, DecodeProblem, LongSound
from skbst.features._clips._memory import ran_out_of_memory
from skbst.features._embedding._threads import map_clips
from skbst.features._encoders._audio_model import load_audio_model, read_settings
from skbst.features._encoders._generator import generator_kept
from skbst.features._encoders._kinds import least_samples, window_seconds
from skbst.features._encoders._locate import find_model, model_digest
from skbst.features._encoders._windows import repeat_to, split_windows, weighted_mean, windows_in
from skbst.features._store._keys import source_key

__all__ = ["AudioEncoding", "AudioEncoderRun"]

# raise it when the same settings give other vectors than before
_FORMAT = 1
# samples of a sound that is loaded whole, 17 minutes at 16 kHz; longer ones are read twice, window by window
_LONGEST_WHOLE = 1 << 24


class AudioEncoding:
    """Settings of a featurizer, resolved against the model's configuration; no weights are read.

    Parameters
    ----------
    featurizer : TransformersAudioFeaturizer
        The settings.

    Raises
    ------
    ValueError
        If the pooling, layer or window is none that the model has; the message lists the choices.
    """

    def __init__(self, featurizer):
        own, self.name = featurizer, type(featurizer).__name__
        self.folder = find_model(
            own.model,
            revision=own.revision,
            local_files_only=bool(own.local_files_only),
            trust_remote_code=bool(own.trust_remote_code),
            needed_by=self.name,
        )
        self.settings = read_settings(self.folder, trust_remote_code=bool(own.trust_remote_code), needed_by=self.name)
        self.kind, self.config = self.settings.kind, self.settings.config
        self.sample_rate = int(self.settings.extractor.sampling_rate)
        self.layer = own.layer
        self.pooling = self._choose_pooling(own.pooling)
        self._check_layer()
        self.window, self.hop = self._choose_window(own.window, own.hop)
        self.least = least_samples(self.kind, self.config, self.settings.extractor)
        if own.window != "auto" and self.window < self.least:
            raise ValueError(
                f"window={own.window:g} s is shorter than the {self.least / self.sample_rate:g} s that "
                f"{self.config.model_type!r} needs."
            )
        self.n_features = self.kind.n_features(self.config, self.pooling)

    def _choose_pooling(self, pooling):
        choices = self.kind.poolings
        if self.layer != "last":
            choices = tuple(name for name in choices if name not in ("projection", "pooler"))
        if pooling == "auto" and choices:
            return choices[0]
        if pooling not in choices:
            raise ValueError(
                f"pooling={pooling!r} is none that {self.config.model_type!r} has with layer={self.layer!r}; choose "
                f"among {', '.join(map(repr, choices)) or 'those of layer=' + repr('last')}."
            )
        return pooling

    def _check_layer(self):
        if self.layer == "last":
            return
        own = self.kind.own_config(self.config)
        n_layers = getattr(own, "encoder_layers", None) or own.num_hidden_layers
        if not -n_layers - 1 <= self.layer <= n_layers:
            raise ValueError(f'layer={self.layer} is none of the model\'s; it has 0 (input) to {n_layers}, or "last".')

    def _choose_window(self, window, hop):
        most = window_seconds(self.kind, self.config, self.settings.extractor)
        seconds = most if window == "auto" else float(window)
        if self.kind.fixed and seconds > most:
            raise ValueError(
                f"window={window} s is longer than the {most:g} s that {self.config.model_type!r} reads at once."
            )
        hop = seconds if hop is None else float(hop)
        if hop > seconds:
            raise ValueError(f"hop={hop:g} s is longer than the window of {seconds:g} s; sound would be left out.")
        if hop * self.sample_rate < 1:
            raise ValueError(f"hop={hop:g} s is less than one sample at {self.sample_rate} Hz.")
        return max(1, round(seconds * self.sample_rate)), round(hop * self.sample_rate)


class AudioEncoderRun:
    """One call of `transform`: loads sounds, embeds them, and notes what was wrong.

    Parameters
    ----------
    featurizer : TransformersAudioFeaturizer
        The settings.

    sources : Sources
        The sounds.
    """

    def __init__(self, featurizer, sources):
        self.featurizer = featurizer
        self.sources = sources
        self.encoding = AudioEncoding(featurizer)
        self._problems = {}
        self._keys = {}
        self._model = None

    @property
    def model(self):
        """The shared network, loaded when the first sound has to be embedded."""
        if self._model is None:
            own, found = self.featurizer, self.encoding
            self._model = load_audio_model(
                found.folder,
                found.settings,
                device=own.device,
                precision=own.precision,
                trust_remote_code=bool(own.trust_remote_code),
                needed_by=found.name,
            )
        return self._model

    def pipeline(self):
        """All that shapes an embedding beside the sound."""
        found = self.encoding
        return {
            "format": _FORMAT,
            "embedding": "transformers_audio",
            "model": model_digest(found.folder),
            "layer": found.layer,
            "pooling": found.pooling,
            "window": found.window,
            "hop": found.hop,
            "normalize": bool(self.featurizer.normalize),
            "precision": self.featurizer.precision,
        }

    def keys(self, rows):
        """Name sounds by content; None for those that cannot be read."""
        if self.featurizer.store is None:
            return [None] * len(rows)
        keys = [source_key(self.sources.items[row]) for row in rows]
        self._keys.update({row: key for row, key in zip(rows, keys) if key is not None})
        return keys

    @property
    def problems(self):
        """What was wrong, by row; equal sounds, which are embedded once, have equal problems."""
        shared = {self._keys[row]: problem for row, problem in self._problems.items() if row in self._keys}
        return self._problems | {row: shared[key] for row, key in self._keys.items() if key in shared}

    def compute(self, rows):
        """Embed some sounds; returns their vectors, and for each whether nothing was wrong with it."""
        with generator_kept():
            results = map_clips(self._embed_row, rows, n_jobs=self.featurizer.n_jobs, device=self.model.device)
        self._problems.update({row: problem for row, (_, problem) in zip(rows, results) if problem is not None})
        return [vector for vector, _ in results], [problem is None for _, problem in results]

    def _embed_row(self, row):
        waveform, problem = self._load(row)
        least = self.encoding.least
        if problem is None and isinstance(waveform, np.ndarray) and 0 < len(waveform) < least:
            detail = f"{len(waveform)} of the {least} samples that the encoder needs"
            problem = DecodeProblem("too short, repeated", silent=False, detail=detail)
        try:
            vector = self.embed(waveform)
        except (MemoryError, RuntimeError) as error:
            if not ran_out_of_memory(error):
                raise
            vector, problem = self.embed(np.zeros(0, dtype=np.float32)), OUT_OF_MEMORY
        if not np.isfinite(vector).all():
            vector = np.zeros_like(vector)
            problem = DecodeProblem("no finite embedding", silent=True, detail="the row is 0")
        return vector, problem

    def _load(self, row):
        source = self.sources.items[row]
        if not self.sources.are_files:
            return np.asarray(source, dtype=np.float32), None
        waveform, _, problem = ClipLoader(self.encoding.sample_rate, None).load(source, most=_LONGEST_WHOLE)
        if problem is not None and problem.reason == "too long":
            waveform = LongSound(source, self.encoding.sample_rate)
            problem = waveform.problem
        if problem is not None and problem.silent:
            return np.zeros(0, dtype=np.float32), problem
        return waveform, problem

    def embed(self, waveform):
        """Embed one sound of any length, an array or a `LongSound`; a vector of float32."""
        found = self.encoding
        is_long = isinstance(waveform, LongSound)
        spans = split_windows(waveform.n_samples if is_long else len(waveform), found.window, found.hop)
        windows = windows_in(waveform.blocks() if is_long else [waveform], spans)
        vectors = [
            self.model.embed(repeat_to(window, found.least), layer=found.layer, pooling=found.pooling)
            for window in windows
        ]
        vector = weighted_mean(vectors, [stop - start for start, stop in spans])
        length = float(np.linalg.norm(vector))
        return vector / np.float32(length) if self.featurizer.normalize and length > 0 else vector
