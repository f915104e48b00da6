"""What an encoder makes of clips that were changed on purpose."""

import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import soundfile

from skbst.audio import decode, resample
from skbst.exceptions import DataFormatError

__all__ = ["SoundProbes", "TextProbes", "share_moved", "unlike_distance"]

#: Lengths that any clip of a library may have, in seconds; the first is a single sample.
LENGTHS = (0.0, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
# longer than the window of every encoder known here; Whisper's is 30 s
_LONG_SECONDS = 35.0


def unlike_distance(vectors):
    """Median distance between vectors of different clips; what a change is measured by."""
    first, second = np.triu_indices(len(vectors), 1)
    return float(np.median(np.linalg.norm(vectors[first] - vectors[second], axis=1)))


def share_moved(before, after, unlike):
    """How far vectors moved, as a share of the distance between unlike clips; the worst row counts.

    Parameters
    ----------
    before, after : ndarray of shape (n_clips, n_features)
        Of the same clips.

    unlike : float
        From `unlike_distance`.

    Returns
    -------
    share : float
        0 where nothing moved by more than rounding, infinity where one is not finite.
    """
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        return float("inf")
    moved = np.linalg.norm(before - after, axis=1)
    # two ways through a matrix product differ in the last bits of float32
    moved = np.where(moved > 2e-5 * np.linalg.norm(before, axis=1), moved, 0)
    if not moved.any():
        return 0.0
    return float(moved.max() / unlike) if unlike > 0 else float("inf")


def _vectors(made, n_clips):
    """What a featurizer gave as float64 of shape (n_clips, n_features)."""
    try:
        vectors = np.asarray(made.toarray() if hasattr(made, "toarray") else made, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataFormatError(
            f"transform gave {type(made).__name__}, which is no table of numbers ({error})."
        ) from error
    if vectors.ndim != 2 or len(vectors) != n_clips or not vectors.shape[1]:
        raise DataFormatError(
            f"transform gave an array of shape {vectors.shape} for {n_clips} clips; expected one vector each."
        )
    return vectors


def _decoded(path):
    waveform, rate, problem = decode(path)
    if not len(waveform):
        raise DataFormatError(f"{path}: no sound to change and to embed again ({problem.reason}). Leave it out.")
    return waveform, rate


class TextProbes:
    """Runs a fitted featurizer on texts, in any company.

    Parameters
    ----------
    featurizer : transformer
        Fitted.

    clips : DataFrame or list
        The clips.
    """

    def __init__(self, featurizer, clips):
        self.featurizer = featurizer
        self.clips = clips
        self.seconds = 0.0

    def embed(self, rows):
        """Embed some of the clips, by position."""
        picked = self.clips.iloc[rows] if hasattr(self.clips, "iloc") else [self.clips[row] for row in rows]
        return self.run(picked)

    def run(self, clips):
        """Embed clips, and add to the time."""
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = self.featurizer.transform(clips)
        self.seconds += time.perf_counter() - start
        return _vectors(made, len(clips))


class SoundProbes(TextProbes):
    """Runs a fitted featurizer on sounds, and on what was made of them.

    Parameters
    ----------
    featurizer : transformer
        Fitted.

    clips : list of path or tuple (waveform, sample_rate)
        The sounds. What is made of them is written to files where a path is among them, since that is what counts.
    """

    def __init__(self, featurizer, clips):
        super().__init__(featurizer, list(clips))
        self.as_files = not all(isinstance(clip, tuple) for clip in self.clips)
        self.sounds = [clip if isinstance(clip, tuple) else _decoded(clip) for clip in self.clips]
        self.sounds = [(_mono(waveform), int(rate)) for waveform, rate in self.sounds]

    @property
    def duration(self):
        """Seconds of sound in all clips."""
        return sum(len(waveform) / rate for waveform, rate in self.sounds)

    def run_sounds(self, sounds):
        """Embed waveforms in the form in which the clips came."""
        if not self.as_files:
            return self.run(list(sounds))
        with tempfile.TemporaryDirectory() as folder:
            paths = [str(Path(folder) / f"{number}.wav") for number in range(len(sounds))]
            for path, (waveform, rate) in zip(paths, sounds):
                soundfile.write(path, waveform, rate, subtype="FLOAT")
            return self.run(paths)

    def changed(self, change):
        """Embed what `change` makes of each (waveform, rate)."""
        return self.run_sounds([change(waveform, rate) for waveform, rate in self.sounds])

    def longest(self):
        """One sound that is longer than encoders read at once, and nowhere the same: all clips, louder and softer."""
        rate = self.sounds[0][1]
        parts = [resample(waveform, own, rate) for waveform, own in self.sounds]
        n_rounds = 1 + int(_LONG_SECONDS * rate / max(1, sum(map(len, parts))))
        loudness = np.linspace(0.3, 1.0, n_rounds, dtype=np.float32)
        return np.concatenate([gain * part for gain in loudness for part in parts]), rate

    def same_at_two_rates(self):
        """Vectors of the same sounds: as they are, at twice the rate, and at twice the rate as a mix-up would read it.

        All lack the upper half of the spectrum, so that no filter takes anything away.
        """
        soft = [(resample(resample(w, rate, rate // 2), rate // 2, rate), rate) for w, rate in self.sounds]
        fast = [(resample(waveform, rate, 2 * rate), 2 * rate) for waveform, rate in soft]
        mixed = [(waveform, rate // 2) for waveform, rate in fast]
        return self.run_sounds(soft), self.run_sounds(fast), self.run_sounds(mixed)

    def of_length(self, seconds):
        """Vectors of the first part of each sound; the error where the encoder raises one."""
        cut = [(waveform[: max(1, round(seconds * rate))], rate) for waveform, rate in self.sounds]
        return self.run_sounds([(waveform, rate) for waveform, rate in cut if len(waveform)])


def _mono(waveform):
    waveform = np.asarray(waveform)
    if waveform.dtype.kind in "iu":
        waveform = waveform / float(np.iinfo(waveform.dtype).max)
    waveform = waveform.astype(np.float32)
    return waveform.mean(axis=1) if waveform.ndim == 2 else waveform
