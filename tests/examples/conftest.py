import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

# Runs a script, and kills it without warning when it is about to put the n-th file of a kind in its place.
_KILLED = """
import os, runpy, signal, sys
script, suffix, n, *sys.argv[1:] = sys.argv[1:]
sys.argv[0] = script
sys.path.insert(0, os.path.dirname(script))
replace, seen = os.replace, 0

def replace_or_die(source, target):
    global seen
    seen += str(target).endswith(suffix)
    if seen == int(n):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

os.replace = replace_or_die
runpy.run_path(script, run_name="__main__")
"""


def load_example(name):
    """Import a script of examples/ as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run_killed():
    """``run_killed(script, suffix, n, *arguments)``: SIGKILL at the moment the n-th file with `suffix` is moved."""
    if not hasattr(signal, "SIGKILL"):
        pytest.skip("needs SIGKILL")

    def run(script, suffix, n, *arguments):
        command = [sys.executable, "-c", _KILLED, EXAMPLES / f"{script}.py", suffix, n, *arguments]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=os.environ)
        assert done.returncode == -signal.SIGKILL, done.stderr

    return run


@pytest.fixture(scope="session")
def example():
    """``example(name)`` imports a script of examples/."""
    return load_example
