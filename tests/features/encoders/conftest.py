import importlib.util
from pathlib import Path

import pytest

if not all(importlib.util.find_spec(name) for name in ("transformers", "sentence_transformers")):
    collect_ignore_glob = ["test_*.py"]


def _module(name):
    path = Path(__file__).parent / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"skbst_encoders{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny():
    """The module that writes random-weight encoders."""
    return _module("_tiny")


@pytest.fixture(scope="session")
def folder_of(tiny, tmp_path_factory):
    """Folder of a small random-weight encoder of a model type, written once."""
    written = {}

    def find(model_type):
        if model_type not in written:
            written[model_type] = tiny.write_tiny(tmp_path_factory.mktemp("encoder"), model_type)
        return written[model_type]

    return find
