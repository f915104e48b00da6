"""benchmarks/gpu.py runs from end to end; on a CPU that says nothing of its figures."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


def run(*words):
    if not _SCRIPT.exists():
        pytest.skip("the benchmarks are not here")
    command = [sys.executable, str(_SCRIPT), *words]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def test_a_tiny_run_prints_its_tables():
    done = run("--tiny")
    assert done.returncode == 0, done.stderr
    tables = done.stdout.split("\n\n")
    assert tables[0].startswith("CPU: says nothing of a GPU")
    rows = {title: body.splitlines()[3:-1] for title, body in zip(tables[1::2], tables[2::2])}
    assert [len(body) for body in rows.values()] == [2, 7, 14]
    assert all(line.split()[-1] == "cpu" for line in rows["Pickled, loaded on a CPU"])
    assert all(float(line.split()[-2]) < 1e-6 for line in rows["Pickled, loaded on a CPU"])
    names = [line.split()[0] for line in rows["An epoch of 46 rows without a branch, 46 with one"]]
    assert names[::2] == names[1::2] == ["baseline", "flat", "gc", "lcl", "log-stft", "log-mel", "mfcc"]


def test_what_there_is_no_time_for_is_named(monkeypatch, capsys):
    if not _SCRIPT.exists():
        pytest.skip("the benchmarks are not here")
    monkeypatch.syspath_prepend(_SCRIPT.parent)
    gpu = importlib.import_module("gpu")
    assert not gpu.Budget(0.0).allows("mfcc, bfloat16")
    assert capsys.readouterr().out == "left out, no time: mfcc, bfloat16\n"
    budget = gpu.Budget(1.0)
    assert budget.allows("flat")
    budget.longest = 120.0  # as long as a step before it
    assert not budget.allows("lcl")
