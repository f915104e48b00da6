"""Random-weight CLAPs, made once a session; no test needs a network."""

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

# without skbst[clap] there is nothing to run here
collect_ignore_glob = [] if find_spec("transformers") and find_spec("laion_clap") else ["*.py"]

RATE = 48000


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in Path(item.path).parents:
            item.add_marker(pytest.mark.clap)


@pytest.fixture(scope="session", autouse=True)
def offline(hub_cache):
    """All tests of this folder see the stand-in cache and no network."""


@pytest.fixture(scope="session", autouse=True)
def room_for_models():
    """The tests use more checkpoints at once than anybody else would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skbst.features._clap._encoder._MAX_MODELS", 8)
        yield


@pytest.fixture(scope="session")
def laion_module(hub_cache, tmp_path_factory, standin):
    """laion-clap's own CLAP_Module with random weights, and the checkpoint that holds them: (module, path)."""
    return _laion(standin, tmp_path_factory.mktemp("laion") / "fusion.pt", fusion=True)


@pytest.fixture(scope="session")
def unfused_module(hub_cache, tmp_path_factory, standin):
    """The same without fusion."""
    return _laion(standin, tmp_path_factory.mktemp("laion") / "unfused.pt", fusion=False)


@pytest.fixture
def large_module(hub_cache, tmp_path, standin):
    """The larger audio encoder of the music and speech checkpoints."""
    return _laion(standin, tmp_path / "large.pt", fusion=False, encoder="HTSAT-base")


def _laion(standin, path, *, fusion, encoder="HTSAT-tiny"):
    import laion_clap
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = laion_clap.CLAP_Module(enable_fusion=fusion, amodel=encoder, device="cpu")
    standin.enliven(module.model)
    standin.save_checkpoint(module.model, path)
    module.eval()
    return module, path


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Sound files by name: short, 48 kHz and not, stereo, longer than the window of 10 s, and broken ones."""
    import soundfile

    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)

    def write(name, seconds, rate=RATE, channels=1):
        time = np.arange(round(seconds * rate)) / rate
        tone = np.sin(2 * np.pi * rng.uniform(200, 2000) * time) * np.exp(-time)
        sound = 0.4 * tone[:, None] + rng.normal(scale=0.05, size=(len(time), channels))
        soundfile.write(folder / name, sound, rate, subtype="PCM_16")
        return folder / name

    paths = {
        "short": write("short.wav", 0.4),
        "other_rate": write("other_rate.wav", 1.3, rate=44100),
        "stereo": write("stereo.flac", 0.7, rate=22050, channels=2),
        "long": write("long.wav", 13.7, rate=44100),
        "zero_bytes": folder / "zero_bytes.wav",
        "garbage": folder / "garbage.wav",
    }
    paths["zero_bytes"].write_bytes(b"")
    paths["garbage"].write_bytes(bytes(range(256)) * 40)
    return paths


@pytest.fixture
def no_models(monkeypatch):
    """As in a process that has loaded no model; those that others share come back afterwards."""
    from collections import OrderedDict

    monkeypatch.setattr("skbst.features._clap._encoder._models", OrderedDict())
    monkeypatch.setattr("skbst.features._clap._encoder._tokenizers", OrderedDict())


@pytest.fixture(scope="session")
def child_environment(hub_cache):
    """Environment of child processes: this one's, one thread."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
