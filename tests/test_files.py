"""Atomic files, locks, and names of files."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from skbst._files import locked, remove_abandoned, write_atomically
from skbst._paths import absolute_path, is_regular_file, open_regular


def test_a_file_is_whole_or_absent(tmp_path):
    path = tmp_path / "new" / "file.bin"
    write_atomically(path, b"old")

    def fail(file):
        file.write(b"half")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == ["file.bin"]


def test_text_is_utf8(tmp_path):
    write_atomically(tmp_path / "a", "ä", sync=False)
    assert (tmp_path / "a").read_bytes() == "ä".encode()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_what_a_kill_left_is_removed_and_what_is_being_written_stays(tmp_path):
    child = os.fork()
    if child == 0:

        def die(file):
            file.write(b"half")
            os.kill(os.getpid(), signal.SIGKILL)

        write_atomically(tmp_path / "killed", die)
    os.waitpid(child, 0)
    assert len(os.listdir(tmp_path)) == 1

    def look(file):
        remove_abandoned(tmp_path)
        file.write(b"whole")

    write_atomically(tmp_path / "living", look)
    assert os.listdir(tmp_path) == ["living"]
    assert (tmp_path / "living").read_bytes() == b"whole"
    remove_abandoned(tmp_path / "no folder")


def test_one_thread_at_a_time_holds_a_lock(tmp_path):
    inside, most = [], []

    def enter():
        with locked(tmp_path / "lock"):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.002)
            inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 6


def test_a_lock_is_free_after_an_error(tmp_path):
    with pytest.raises(RuntimeError), locked(tmp_path / "lock"):
        raise RuntimeError
    with locked(tmp_path / "lock"):
        pass


def test_home_and_relative_names(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("~/a", "a", b"a", Path("a"), "b/../a"):
        assert absolute_path(name) == tmp_path / "a"
    assert os.fsencode(absolute_path(b"\xff")).endswith(b"/\xff")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_only_regular_files_are_opened(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    os.symlink(tmp_path / "file", tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    for name in ("file", "link"):
        assert is_regular_file(tmp_path / name)
        with open_regular(tmp_path / name) as file:
            assert file.read() == b"content"
    for path in (tmp_path / "pipe", tmp_path, "/dev/zero"):
        assert not is_regular_file(path)
        with pytest.raises(OSError, match="not a regular file"):
            open_regular(path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "gone")
    assert not is_regular_file("a\0b")
    assert not is_regular_file(None)
