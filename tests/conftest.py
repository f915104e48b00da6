import os
from pathlib import Path

import pytest


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
