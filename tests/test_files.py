"""Atomic files, locks, and names of files."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from skbst._files import FileLock, locked, put_in_place, remove_abandoned, scratch_folder, write_atomically
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


def test_a_writer_may_read_what_it_wrote(tmp_path):
    seen = []

    def write(file):
        file.write(b"content")
        file.seek(0)
        seen.append(file.read())

    write_atomically(tmp_path / "a", write)
    assert seen == [b"content"]


@pytest.mark.parametrize("error", [FileNotFoundError, KeyboardInterrupt])
def test_an_error_of_the_writer_is_raised_at_once(tmp_path, error):
    calls = []

    def fail(file):
        calls.append(1)
        raise error("weights.bin")

    with pytest.raises(error, match=r"weights\.bin"):
        write_atomically(tmp_path / "a", fail)
    assert (calls, os.listdir(tmp_path)) == ([1], [])


def test_hidden_files_of_others_are_left_alone(tmp_path):
    names = [".notes.tmp", ".model.draft.tmp", ".a.0123.tmp", "a.0123456789abcdef0123456789abcdef.tmp"]
    for name in names:
        (tmp_path / name).write_text("mine")
    remove_abandoned(tmp_path)
    with scratch_folder(tmp_path / "model"):
        pass
    assert sorted(os.listdir(tmp_path)) == sorted(names)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_folder_that_a_kill_left_goes_and_a_living_one_stays(tmp_path):
    place = tmp_path / "model"
    if os.fork() == 0:
        with scratch_folder(place) as scratch:
            (scratch / "half").write_bytes(bytes(100))
            os.kill(os.getpid(), signal.SIGKILL)
    os.wait()
    assert len(os.listdir(tmp_path)) == 1
    with scratch_folder(place) as living:
        assert os.listdir(tmp_path) == [living.name]
        with scratch_folder(place) as second, scratch_folder(tmp_path / "model.2") as other:
            assert {living.name, second.name, other.name} == set(os.listdir(tmp_path))
        (living / "whole").write_bytes(b"1")
        put_in_place(living, place, is_whole=Path.is_dir)
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "whole"]


def test_a_folder_that_cannot_be_replaced_comes_back(tmp_path, monkeypatch):
    place, replace = tmp_path / "model", os.replace
    place.mkdir()
    (place / "old").touch()

    def fail(source, target):
        if target == place and ".skbst-old" not in str(source):
            raise OSError("stop")
        replace(source, target)

    with scratch_folder(place) as scratch, monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(OSError, match="stop"):
            put_in_place(scratch, place, is_whole=Path.is_dir)
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "old"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs locks that can be shared")
def test_several_share_a_lock_and_the_last_holds_it_alone(tmp_path):
    first, second, alone = (FileLock(tmp_path / "lock") for _ in range(3))
    assert first.take(shared=True)
    assert second.take(shared=True)
    assert not alone.take()
    assert not first.only_holder()
    second.release()
    assert first.only_holder()
    assert not second.take(shared=True)
    first.release(remove=True)
    assert os.listdir(tmp_path) == []
    assert alone.take()
    alone.release()


def test_who_waited_for_a_lock_that_goes_takes_a_new_one(tmp_path):
    inside, most = [], []

    def enter():
        with locked(tmp_path / "lock", remove=True):
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
    assert os.listdir(tmp_path) == []


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
