"""A small, seeded part of benchmarks/attack/sounds.py: the whole of it runs by hand."""

import importlib.util
from pathlib import Path

import pytest

_PATH = Path(__file__).parents[2] / "benchmarks" / "attack" / "sounds.py"


@pytest.fixture(scope="module")
def attack_sounds():
    if not _PATH.exists():
        pytest.skip("the benchmarks are not here")
    spec = importlib.util.spec_from_file_location("sounds", _PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", [0])
def test_no_damaged_sound_ends_the_process_or_goes_unnamed(attack_sounds, tmp_path, seed):
    status, rows, printed = attack_sounds.attack(72, 60, seed, tmp_path)
    assert (status, printed) == (0, [])
    assert [row["sounds"] for row in rows] == [132] * 3
    assert [(row["lost"], row["unnamed_files"]) for row in rows] == [(0, [])] * 3
