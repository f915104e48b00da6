"""Stand-ins for the CLAP vectors that a data set may ship: fixed random projections, no pretrained model."""

from functools import lru_cache

import numpy as np
from scipy.signal import resample_poly
from sklearn.feature_extraction.text import HashingVectorizer

__all__ = ["audio_vector", "text_vector"]

# what the made vectors look at; taken as they are, for they only stand in for CLAP's
_RATE, _SIZE, _HOP, _BANDS = 16000, 512, 256, 48


@lru_cache(maxsize=4)
def _projection(n_inputs, key):
    return np.random.default_rng([1821, key]).standard_normal((n_inputs, 512)).astype(np.float32) / np.sqrt(n_inputs)


def _unit(x):
    return (x / (np.linalg.norm(x) + 1e-12)).astype(np.float32)


def _log_bands(x):
    x = np.pad(x, (0, max(0, _SIZE - len(x))))
    frames = np.lib.stride_tricks.sliding_window_view(x, _SIZE)[::_HOP] * np.hanning(_SIZE).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.unique(np.geomspace(1, _SIZE // 2, _BANDS).astype(int))
    return np.log(np.add.reduceat(power, edges, axis=1) + 1e-5)


def audio_vector(x, sample_rate):
    """Statistics of log band energies, projected to 512 dimensions, unit norm, float32."""
    divisor = int(np.gcd(_RATE, int(sample_rate)))
    bands = _log_bands(
        resample_poly(x[: 10 * sample_rate], _RATE // divisor, sample_rate // divisor).astype(np.float32)
    )
    steps = np.diff(bands, axis=0) if len(bands) > 1 else np.zeros_like(bands)
    level = bands.mean(axis=0).max()
    parts = [bands.mean(axis=0) - level, bands.std(axis=0), np.percentile(bands, 90, axis=0) - level, steps.std(axis=0)]
    statistics = np.concatenate([*parts, [np.log(len(bands)), level]]).astype(np.float32)
    return _unit(np.tanh(0.5 * statistics @ _projection(len(statistics), 1)))


def text_vector(text):
    """Hashed words and character trigrams, projected to 512 dimensions, unit norm, float32."""
    words = HashingVectorizer(n_features=4096, token_pattern=r"[A-Za-z]{2,}").transform([text])
    grams = HashingVectorizer(n_features=4096, analyzer="char_wb", ngram_range=(3, 4)).transform([text])
    return _unit(words @ _projection(4096, 2) + 0.7 * (grams @ _projection(4096, 3))).ravel()
