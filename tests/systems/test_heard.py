"""A class that only the sound tells is learnt by the small networks: the embeddings tell the top level alone."""

import numpy as np
import pandas as pd
import pytest

from skbst.exceptions import FewClipsWarning
from skbst.features import ClipFeaturizer, LogMelFeaturizer, LogSTFTFeaturizer, MFCCFeaturizer
from skbst.neural import Recipe
from skbst.systems import make_system, system_1, system_2

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


def fade(kind, rng):
    """Noise that grows louder, or less loud: the mean over time is the same."""
    loudness = np.linspace(0.05, 1, RATE)
    return rng.normal(scale=0.5, size=RATE) * (loudness if kind == 0 else loudness[::-1])


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
        ("mfcc", "lcl", fade),
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


def test_the_widths_and_the_recipe_of_the_report_hear_it_too():
    X, y = make(tone, "mfcc", 180, 0)
    X_new, y_new = make(tone, "mfcc", 100, 1)
    # that of few clips, 45 epochs, would train longer and hear as well
    model = make_system("mfcc", embeddings="builtin", size="report", random_state=0)[-1].set_params(patience=20)
    with pytest.warns(FewClipsWarning):
        model.fit(X, y)
    assert model.score(X_new, y_new) >= 0.95


@pytest.fixture(scope="module")
def all_frames():
    """Rows with the frames of all branches, the same rows with the frames of the other kind, and labels."""
    made = [make(tone, branch, 160, 0) for branch in FRAMES]
    X, y = made[0]
    for (name, _), (bundle, _) in zip(FRAMES.values(), made):
        X = X.with_block(name, bundle[name], lengths=bundle.lengths(name))
    kinds = np.isin(y, CODES[:, 0]).astype(int)
    partner = np.where(kinds == 1, np.flatnonzero(kinds == 0)[0], np.flatnonzero(kinds == 1)[0])
    other = X
    for name, _ in FRAMES.values():
        other = other.with_block(name, X[name][partner], lengths=X.lengths(name)[partner])
    return X, other, y


@pytest.mark.parametrize("build", [system_1, system_2])
def test_systems_change_their_answers_with_the_frames(build, all_frames):
    """Systems 3 and 4 are folds of such votes; test_report_size.py sees that each of their branches is heard."""
    X, other, y = all_frames
    system = build(embeddings="builtin", size="small", random_state=0)[-1]
    short = Recipe.small().set_params(max_epochs=4, branch_start=4, branch_max_epochs=16)
    system.set_params(**{name: short for name in system.get_params() if name.endswith("recipe")})
    system.fit(X, y)
    answers, others = system.predict(X), system.predict(other)
    # the embeddings are the same, the sound is that of the other class of the same top level
    assert np.mean(answers == y) > 0.9
    assert np.mean(others != answers) > 0.7
    assert np.mean(system.predict_top(other) == system.predict_top(X)) > 0.95
