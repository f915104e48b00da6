"""Replacing a model: whatever happens, the old one or the new one can be loaded."""

import os
import stat
import subprocess
import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skbst.persistence import load_model, save_model


def fitted(C):
    return LogisticRegression(C=C).fit([[0.0], [1.0]], ["fx-a", "m-sp"])


def failing(function, call):
    """`function`, with an error in place of its call of that number."""
    calls = []

    def replaced(*args, **kwargs):
        calls.append(args)
        if len(calls) == call:
            raise OSError("no space left")
        return function(*args, **kwargs)

    return replaced


@pytest.mark.parametrize("call", [1, 2])
def test_an_error_in_replacing_keeps_the_old_model(call, tmp_path, monkeypatch):
    folder = save_model(fitted(1.0), tmp_path / "model")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing(os.replace, call))
        with pytest.raises(OSError, match="no space left"):
            save_model(fitted(2.0), folder, overwrite=True)
    assert load_model(folder).C == 1.0
    assert list(tmp_path.iterdir()) == [folder]


def test_an_error_in_writing_keeps_the_old_model(tmp_path, monkeypatch):
    folder = save_model(fitted(1.0), tmp_path / "model")
    with monkeypatch.context() as patch:
        patch.setattr("numpy.savez", failing(None, 1))
        with pytest.raises(OSError, match="no space left"):
            save_model(fitted(2.0), folder, overwrite=True)
    assert load_model(folder).C == 1.0
    assert list(tmp_path.iterdir()) == [folder]


def test_an_error_after_replacing_keeps_the_new_model(tmp_path, monkeypatch):
    folder = save_model(fitted(1.0), tmp_path / "model")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing(os.replace, 3))
        save_model(fitted(2.0), folder, overwrite=True)
    assert load_model(folder).C == 2.0
    save_model(fitted(3.0), folder, overwrite=True)
    assert load_model(folder).C == 3.0
    assert list(tmp_path.iterdir()) == [folder]


# each child kills itself before its n-th call of one function, from the first to one that is never reached
KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from sklearn.linear_model import LogisticRegression
from skbst.persistence import save_model

def deadly(function, call):
    calls = []
    def replaced(*args, **kwargs):
        calls.append(args)
        if len(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return replaced

def child(folder, module, name, call):
    setattr(module, name, deadly(getattr(module, name), call))
    save_model(new, folder, overwrite=True)
    os._exit(0)

old, new = (LogisticRegression(C=C).fit([[0.0], [1.0]], ["fx-a", "m-sp"]) for C in (1.0, 2.0))
for name, module in {"replace": os, "rmtree": shutil, "rmdir": os}.items():
    for call in range(1, 6):
        folder = save_model(old, Path(sys.argv[1]) / f"{name}-{call}" / "model")
        process = os.fork()
        if not process:
            child(folder, module, name, call)
        killed = os.waitpid(process, 0)[1] != 0
        print(name, call, killed)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
def test_a_kill_at_any_moment_leaves_a_model(tmp_path):
    run = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, check=True)
    kills = [line.split() for line in run.stdout.splitlines()]
    assert [name for name, _, killed in kills if killed == "True"].count("replace") == 3
    assert [killed for _, call, killed in kills if call == "5"] == ["False"] * 3
    found = {}
    for name, call, killed in kills:
        folder = tmp_path / f"{name}-{call}" / "model"
        if folder.exists():
            found[name, call] = load_model(folder).C
        else:
            with pytest.warns(UserWarning, match=r"the old model is loaded from .*\.model\.skbst-old"):
                found[name, call] = load_model(folder).C
        if killed == "False":
            assert found[name, call] == 2.0
            assert list(folder.parent.iterdir()) == [folder]
        # and the next one goes through
        assert load_model(save_model(fitted(3.0), folder, overwrite=True)).C == 3.0
    assert [found["replace", str(call)] for call in (1, 2, 3)] == [1.0, 1.0, 2.0]
    assert not (tmp_path / "replace-2" / ".model.skbst-old").exists()


def test_an_old_model_put_aside_is_not_overwritten_unasked(tmp_path):
    folder = save_model(fitted(1.0), tmp_path / "model")
    folder.rename(tmp_path / ".model.skbst-old")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        save_model(fitted(2.0), folder)
    assert load_model(folder).C == 1.0


def test_the_target_of_a_link_is_replaced(tmp_path):
    folder, link = save_model(fitted(1.0), tmp_path / "model"), tmp_path / "latest"
    try:
        link.symlink_to(folder, target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    assert save_model(fitted(2.0), link, overwrite=True) == link
    assert link.is_symlink()
    assert load_model(folder).C == load_model(link).C == 2.0


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_permissions_are_those_of_any_new_file(umask, tmp_path):
    before = os.umask(umask)
    try:
        for folder in (tmp_path / "model", tmp_path / "deep" / "er"):
            for C in (1.0, 2.0):
                save_model(fitted(C), folder, overwrite=True)
            assert stat.S_IMODE(folder.stat().st_mode) == 0o777 & ~umask
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
            assert modes == dict.fromkeys(modes, 0o666 & ~umask)
            assert len(modes) == 5
    finally:
        os.umask(before)


def test_a_full_disk_is_an_os_error_and_leaves_the_old_model(tmp_path):
    resource = pytest.importorskip("resource")
    X = np.random.default_rng(0).normal(size=(40, 500))
    old, new = (LogisticRegression(C=C).fit(X, np.arange(40) % 4) for C in (1.0, 2.0))
    saved = save_model(old, tmp_path / "model")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match=r"arrays.safetensors|File too large"):
            save_model(new, saved, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    np.testing.assert_array_equal(load_model(saved).predict_proba(X), old.predict_proba(X))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
