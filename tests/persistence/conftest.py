import hashlib
import json

import pytest


@pytest.fixture(scope="session")
def sign():
    """Make the checksums of a folder right, as whoever alters a file on purpose would."""

    def sign(folder):
        names = ("model.json", "arrays.safetensors", "arrays.npz")
        sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
        (folder / "checksums.json").write_text(json.dumps(sums))

    return sign


@pytest.fixture(scope="session")
def write_content(sign):
    """Write another ``model.json`` with right checksums."""

    def write(folder, content):
        (folder / "model.json").write_text(json.dumps(content))
        sign(folder)

    return write
