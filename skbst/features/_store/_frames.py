"""Frames on disk, one row a sound, found again by what the sound and the settings are."""

import hashlib
import json
import os
import threading
import zlib
from contextlib import ExitStack, contextmanager

import numpy as np

from skbst._files import locked, remove_abandoned, write_atomically
from skbst._paths import open_regular
from skbst.audio import DecodeProblem
from skbst.features._store._access import may_write, warn_of_store

__all__ = ["FrameStore", "all_locked"]

# raise it when the same settings give other values, or files another layout, than before
_FORMAT = 2


class FrameStore:
    """A file of rows that grows, and an index of which sound is which row.

    A row is written before its line in the index is, at the end of the file: whatever stops a run, the next one goes on
    behind the last whole batch, and rows that others have mapped never change. Each line carries a checksum of itself
    and of its row, so that what was cut or damaged is made again and never taken for another sound's. One process
    writes at a time; another one that wants the same rows waits, and then finds them. Reading needs no lock.

    Parameters
    ----------
    folder : Path
        Where stores are kept; each has its own folder in there.

    name : str
        Readable part of the store's name.

    settings : dict
        Everything that the values depend on beside the sound, as plain values.

    row_shape : tuple of int
        Shape of a row, float32.
    """

    def __init__(self, folder, name, settings, row_shape):
        self._text = _as_text(_FORMAT, settings)
        self.path = folder / f"{name}-{_short(self._text)}"
        self._old_path = folder / f"{name}-{_short(_as_text(1, settings))}"
        self.row_shape = tuple(row_shape)
        self._row_bytes = 4 * int(np.prod(self.row_shape))
        self._rows, self._index = self.path / "rows.f32", self.path / "index.jsonl"
        self._guard = threading.Lock()
        self._next = 0
        self.writable = False

    @contextmanager
    def lock(self):
        """Keep other processes from writing, and mend what a stopped one left; without a word where that cannot be."""
        with ExitStack() as stack:
            try:
                if may_write(self.path.parent):
                    self.path.mkdir(exist_ok=True)
                    stack.enter_context(locked(self.path / "lock"))
                    self._mend()
                    self.writable = True
            except OSError as error:
                warn_of_store(f"Frames are not kept: {self.path} cannot be written ({error}).")
            try:
                yield
            finally:
                self.writable = False

    def read_index(self, keys):
        """Find some keys.

        Parameters
        ----------
        keys : set of str
            The keys.

        Returns
        -------
        entries : dict
            ``{key: (row, n_valid, problem)}`` of those whose row is whole.

        n_damaged : int
            How many lines or rows were cut or altered.
        """
        try:
            with open_regular(self._index) as file:
                lines = file.read().split(b"\n")
        except OSError:
            return {}, 0
        found, n_damaged = {}, 0
        for line in lines[:-1]:
            entry = _parse(line)
            if entry is None:
                n_damaged += 1
            elif entry[0] in keys:
                found[entry[0]] = entry[1:]  # the last line of a key counts
        whole = self._whole_rows(found)
        n_damaged += len(found) - len(whole)
        entries = {}
        for key in whole:
            row, n_valid, problem, _ = found[key]
            entries[key] = (row, n_valid, None if problem is None else DecodeProblem(*problem))
        return entries, n_damaged

    def write(self, rows, values, lines):
        """Write rows, then their lines ``(key, row, n_valid, problem)`` of the index."""
        checks = []
        descriptor = os.open(self._rows, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        # files are written rather than mapped, so that rows leave this process's memory at once
        with os.fdopen(descriptor, "r+b", buffering=1 << 20) as file:
            for row, value in zip(rows, values):
                content = np.ascontiguousarray(value, dtype=np.float32).data.cast("B")
                file.seek(row * self._row_bytes)
                file.write(content)
                checks.append(zlib.crc32(content))
        text = "".join(_line(*line, check) for line, check in zip(lines, checks))
        with self._guard, open(self._index, "a", encoding="utf-8") as file:
            file.write(text)

    def take_row(self):
        """Number of a row that nobody has."""
        with self._guard:
            self._next += 1
            return self._next - 1

    def open(self, n_rows):
        """Map the first rows, read only."""
        return np.memmap(self._rows, dtype=np.float32, mode="r", shape=(n_rows, *self.row_shape))

    def read(self, row):
        """Read one row."""
        with open(self._rows, "rb") as file:
            file.seek(row * self._row_bytes)
            return np.frombuffer(file.read(self._row_bytes), dtype=np.float32).reshape(self.row_shape)

    def _whole_rows(self, found):
        """Keys whose row has the bytes that its line says."""
        whole = set()
        try:
            with open_regular(self._rows) as file:
                for key, (row, _, _, check) in sorted(found.items(), key=lambda item: item[1][0]):
                    file.seek(row * self._row_bytes)
                    content = file.read(self._row_bytes)
                    if len(content) == self._row_bytes and zlib.crc32(content) == check:
                        whole.add(key)
        except OSError:
            return whole
        return whole

    def _mend(self):
        for path in (self._index, self._rows):
            if path.exists():
                open_regular(path).close()
        remove_abandoned(self.path)
        if not _holds(self.path / "settings.json", self._text):
            write_atomically(self.path / "settings.json", self._text + "\n", sync=False)
        if self._old_path.is_dir():
            warn_of_store(
                f"{self._old_path} holds frames of an older version of skbst, which are made again; delete that folder."
            )
        text = self._index.read_bytes() if self._index.exists() else b""
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            os.truncate(self._index, whole)
        n_whole = self._rows.stat().st_size // self._row_bytes if self._rows.exists() else 0
        entries = [_parse(line) for line in text[:whole].splitlines()]
        # rows behind the last one with a line are of a stopped run; a damaged line may have stood for any row
        used = [entry[1] + 1 if entry is not None else n_whole for entry in entries]
        self._next = min(n_whole, max(used, default=0))


@contextmanager
def all_locked(stores):
    """Lock some stores, each once and in one order, so that two processes never wait for each other."""
    with ExitStack() as stack:
        for _, store in sorted({store.path: store for store in stores}.items()):
            stack.enter_context(store.lock())
        yield


def _as_text(version, settings):
    return json.dumps({"format": version, **settings}, sort_keys=True)


def _short(text):
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()[:16]


def _line(key, row, n_valid, problem, check):
    entry = json.dumps([key, int(row), int(n_valid), problem, check])
    return json.dumps([entry, zlib.crc32(entry.encode())]) + "\n"


def _parse(line):
    """(key, row, n_valid, problem, check) of a line, None where it is not as it was written."""
    try:
        entry, check = json.loads(line)
        if zlib.crc32(entry.encode()) != check:
            return None
        key, row, n_valid, problem, row_check = json.loads(entry)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return key, row, n_valid, problem, row_check


def _holds(path, text):
    try:
        return path.read_text(encoding="utf-8") == text + "\n"
    except (OSError, ValueError):
        return False
