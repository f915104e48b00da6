"""A small, seeded part of benchmarks/attack: ``python -m pytest -m attack``; the whole of it runs by hand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_FOLDER = Path(__file__).parents[1] / "benchmarks" / "attack"
pytestmark = [
    pytest.mark.attack,
    pytest.mark.slow,
    pytest.mark.skipif(not _FOLDER.exists(), reason="the benchmarks are not here"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked and killed"),
]


# texts are timed, and no test depends on the clock
@pytest.mark.parametrize("part", ["sounds", "kills", "models", "checkpoints", "limits"])
def test_what_is_promised_holds(part):
    pytest.importorskip("torch")
    pytest.importorskip("pyarrow")
    command = [sys.executable, str(_FOLDER), "--small", "--only", part]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "held" in done.stdout
    assert "BROKEN" not in done.stdout
