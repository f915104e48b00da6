"""A class that only the sound tells is learnt by the small networks: the embeddings tell the top level alone."""

import numpy as np
import pandas as pd
import pytest

from skbst.features import ClipFeaturizer, LogMelFeaturizer, LogSTFTFeaturizer, MFCCFeaturizer
from skbst.systems import make_system

RATE = 16000
CODES = np.array([["fx-a", "fx-h"], ["m-sp", "m-si"]])
FRAMES = {
    "log-mel": ("log_mel", LogMelFeaturizer),
    "mfcc": ("mfcc", MFCCFeaturizer),
    "log-stft": ("log_stft", LogSTFTFeaturizer),
}


def tone(kind, rng):
    """400 or 2,500 Hz."""
    return np.sin(2 * np.pi * (400, 2500)[kind] * rng.uniform(0.95, 1.05) * np.arange(RATE) / RATE)


def order(kind, rng):
    """A tone before noise, or after it: the mean over time is the same."""
    low = np.sin(2 * np.pi * 400 * rng.uniform(0.9, 1.1) * np.arange(RATE) / RATE)
    first = np.arange(RATE) < RATE // 2
    return np.where(first == (kind == 0), low, rng.normal(scale=0.5, size=RATE))


def unit(rng, top):
    rows = rng.normal(size=(len(top), 32))
    rows[:, 0] += 6 * (2 * top - 1)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def make(sound, branch, n_rows, seed):
    rng = np.random.default_rng(seed)
    top, kind = rng.integers(0, 2, n_rows), rng.integers(0, 2, n_rows)
    waves = [(0.3 * sound(k, rng) + rng.normal(scale=0.005, size=RATE)).clip(-1, 1).astype(np.float32) for k in kind]
    name, featurizer = FRAMES[branch]
    clips = ClipFeaturizer([(name, featurizer(duration=1.0))])
    bundle = clips.fit_transform(pd.DataFrame({"audio": [(wave, RATE) for wave in waves]}))
    return bundle.with_block("clap_audio", unit(rng, top)).with_block("clap_text", unit(rng, top)), CODES[top, kind]


@pytest.mark.parametrize(
    ("branch", "head", "sound"),
    [
        ("mfcc", "baseline", tone),
        ("mfcc", "flat", tone),
        ("mfcc", "gc", tone),
        ("mfcc", "lcl", tone),
        ("mfcc", "baseline", order),
        ("log-stft", "baseline", order),
        ("log-mel", "baseline", tone),
    ],
)
def test_what_only_the_sound_tells_is_learnt(branch, head, sound):
    X, y = make(sound, branch, 180, 0)
    X_new, y_new = make(sound, branch, 100, 1)
    model = make_system(branch, head, embeddings="builtin", size="small", random_state=0)[-1].fit(X, y)
    assert model.score(X_new, y_new) >= 0.95
    # where the branch is cut out it cannot be known
    deaf = make_system(None, head, embeddings="builtin", size="small", random_state=0)[-1].fit(X, y)
    assert deaf.score(X_new, y_new) < 0.7
    assert np.mean(deaf.predict_top(X_new) == pd.Series(y_new).str.split("-").str[0]) > 0.95
