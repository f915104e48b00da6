import importlib.util
from pathlib import Path

import numpy as np
import pytest

from skbst.features import FeatureBundle
from skbst.neural import BranchClassifier, Recipe

CLASSES = np.array(["fx-a", "fx-h", "m-si", "m-sp", "ss-n"])


def make_network(branch=None, head="baseline", **settings):
    """A network of a recipe of its own: settings go to whom they belong; with a linear prior unless said otherwise."""
    own = Recipe().get_params()
    recipe = {name: settings.pop(name) for name in list(settings) if name in own}
    shared = {name: recipe.pop(name) for name in ("max_epochs", "validation_fraction") if name in recipe}
    recipe = Recipe(**{"linear_prior": True, "input_norm": "auto", **recipe})
    return BranchClassifier(branch, head, recipe=recipe, **shared, **settings)


def make_bundle(n_samples=150, seed=0, *, spread=1.0):
    """Clips of five classes: each view tells something of the class."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99)
    label = np.arange(n_samples) % len(CLASSES)
    audio = centres.normal(size=(5, 12))[label] + spread * rng.normal(size=(n_samples, 12))
    text = centres.normal(size=(5, 8))[label] + spread * rng.normal(size=(n_samples, 8))
    frames = centres.normal(size=(5, 1, 10))[label] + rng.normal(size=(n_samples, 24, 10))
    lengths = rng.integers(4, 25, size=n_samples)
    frames[np.arange(24) >= lengths[:, None]] = -9.0
    blocks = {"clap_audio": audio, "clap_text": text, "log_stft": frames, "log_mel": frames, "mfcc": frames}
    blocks = {name: block.astype(np.float32) for name, block in blocks.items()}
    framed = ("log_stft", "log_mel", "mfcc")
    return FeatureBundle(blocks, lengths=dict.fromkeys(framed, lengths)), CLASSES[label]


@pytest.fixture(scope="session")
def clips():
    return make_bundle()


@pytest.fixture(scope="session")
def make_clips():
    return make_bundle


@pytest.fixture(scope="session")
def pretended():
    """The module of a device that is the CPU and says that it is another."""
    path = Path(__file__).parent / "_pretended_device.py"
    spec = importlib.util.spec_from_file_location("skbst_pretended_device", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
