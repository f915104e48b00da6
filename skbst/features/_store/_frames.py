"""Frames on disk, one row a sound, found again by what the sound and the settings are."""

import hashlib
import json
import os
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from skbst.audio import DecodeProblem

__all__ = ["FrameStore", "StoreOutput", "locked", "sound_keys"]

# raise it when the same settings give other values than before
_FORMAT = 1


class FrameStore:
    """A file of rows that grows, and an index of which sound is which row.

    A row is written before its line in the index is: whatever stops a run, the next one goes on behind the last whole
    batch. One process writes at a time; another one that wants the same rows waits, and then finds them.

    Parameters
    ----------
    folder : str or path-like
        Where stores are kept; each has its own folder in there.

    name : str
        Readable part of the store's name.

    settings : dict
        Everything that the values depend on beside the sound, as plain values.

    row_shape : tuple of int
        Shape of a row, float32.
    """

    def __init__(self, folder, name, settings, row_shape):
        text = json.dumps({"format": _FORMAT, **settings}, sort_keys=True)
        self.path = Path(folder).resolve() / f"{name}-{_digest(text.encode())[:16]}"
        self.path.mkdir(parents=True, exist_ok=True)
        self.row_shape = tuple(row_shape)
        self._row_bytes = 4 * int(np.prod(self.row_shape))
        self._rows, self._index = self.path / "rows.f32", self.path / "index.jsonl"
        self._guard = threading.Lock()
        if not (self.path / "settings.json").exists():
            (self.path / "settings.json").write_text(text + "\n", encoding="utf-8")

    @contextmanager
    def lock(self):
        """Keep other processes from writing, and mend what a stopped one left."""
        with open(self.path / "lock", "a+b") as file:
            _lock_file(file)
            try:
                self._drop_half_line()
                yield
            finally:
                _unlock_file(file)

    def read_index(self):
        """Return ``{key: (row, n_valid, problem)}`` of the rows that are whole."""
        if not (self._index.exists() and self._rows.exists()):
            return {}
        n_whole = self._rows.stat().st_size // self._row_bytes
        lines = map(json.loads, self._index.read_text(encoding="utf-8").splitlines())
        return {
            key: (row, n_valid, None if problem is None else DecodeProblem(*problem))
            for key, row, n_valid, problem in lines
            if row < n_whole
        }

    def write(self, rows, values, lines):
        """Write rows, then their lines ``(key, row, n_valid, problem)`` of the index."""
        descriptor = os.open(self._rows, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        # files are written rather than mapped, so that rows leave this process's memory at once
        with os.fdopen(descriptor, "r+b", buffering=1 << 20) as file:
            for row, value in zip(rows, values):
                file.seek(row * self._row_bytes)
                file.write(np.ascontiguousarray(value, dtype=np.float32).data)
        text = "".join(json.dumps(line) + "\n" for line in lines)
        with self._guard, open(self._index, "a", encoding="utf-8") as file:
            file.write(text)

    def open(self, n_rows):
        """Map the first rows, read only."""
        return np.memmap(self._rows, dtype=np.float32, mode="r", shape=(n_rows, *self.row_shape))

    def _drop_half_line(self):
        text = self._index.read_bytes() if self._index.exists() else b""
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            os.truncate(self._index, whole)


class StoreOutput:
    """Frames of one feature in a `FrameStore`; only what is not there yet is made. Use it while the store is locked.

    Parameters
    ----------
    kernel : LogSTFTKernel, LogMelKernel or MFCCKernel
        What makes the frames.

    store : FrameStore
        Where they are kept.

    keys : list of str
        Key of each sound, from `sound_keys`; equal sounds share a row.
    """

    def __init__(self, kernel, store, keys):
        self.kernel = kernel
        self._store, self._keys = store, keys
        index = store.read_index()
        first = {}
        for i, key in enumerate(keys):
            if key not in index:
                first.setdefault(key, i)
        self.todo = np.zeros(len(keys), dtype=bool)
        self.todo[list(first.values())] = True
        taken = {row for row, _, _ in index.values()}
        free = (row for row in range(len(taken) + len(first)) if row not in taken)
        self._new_row = dict(zip(first, free))

    def buffers(self, rows):
        """Memory for the frames of some rows, by row."""
        return dict(zip(rows, np.empty((len(rows), *self._store.row_shape), dtype=np.float32)))

    def commit(self, buffers, n_valid, problems):
        """Write frames to the disk; the dictionaries go by row."""
        if not buffers:
            return
        places = [self._new_row[self._keys[row]] for row in buffers]
        lines = [(self._keys[row], place, n_valid[row], problems.get(row)) for row, place in zip(buffers, places)]
        self._store.write(places, buffers.values(), lines)

    def result(self):
        """Return the mapped frames, the row of each sound among them (None: in order), n_valid and problems."""
        index = self._store.read_index()
        found = [index[key] for key in self._keys]
        rows = np.array([row for row, _, _ in found], dtype=np.int64)
        n_valid = np.array([n for _, n, _ in found], dtype=np.int64)
        problems = {i: problem for i, (_, _, problem) in enumerate(found) if problem is not None}
        frames = self._store.open(int(rows.max()) + 1)
        if np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
            frames, rows = frames[rows[0] :], None
        return frames, rows, n_valid, problems


@contextmanager
def locked(stores):
    """Lock some stores, each once and in one order, so that two processes never wait for each other."""
    with ExitStack() as stack:
        for _, store in sorted({store.path: store for store in stores}.items()):
            stack.enter_context(store.lock())
        yield


def sound_keys(sources, positions, sample_rate):
    """Name each sound by what it is: a file by its path, size and times, an array by its bytes.

    Parameters
    ----------
    sources : sequence
        Paths, tuples (waveform, sample_rate), or rows of waveforms.

    positions : ndarray of shape (n_samples,), float
        Place of each crop, part of the key.

    sample_rate : int
        Rate of arrays that come without one.

    Returns
    -------
    keys : list of str
        Hexadecimal digests.
    """
    return [
        _digest(_identity(source, sample_rate) + f"|{place!r}".encode()) for source, place in zip(sources, positions)
    ]


def _identity(source, sample_rate):
    if isinstance(source, np.ndarray):
        source = (source, sample_rate)
    if isinstance(source, tuple):
        waveform = np.ascontiguousarray(source[0])
        return f"array|{waveform.dtype.str}|{waveform.shape}|{int(source[1])}|".encode() + waveform.tobytes()
    if not isinstance(source, (str, os.PathLike)) or not str(source):
        return b"no path"
    path = os.path.abspath(source)
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return f"missing|{path}".encode(errors="surrogatepass")
    times = f"{status.st_size}|{status.st_mtime_ns}|{status.st_ctime_ns}"
    return f"file|{path}|{times}".encode(errors="surrogatepass")


def _digest(content):
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _lock_file(file):
    try:
        import fcntl
    except ImportError:
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        return
    fcntl.flock(file, fcntl.LOCK_EX)


def _unlock_file(file):
    try:
        import fcntl
    except ImportError:
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        return
    fcntl.flock(file, fcntl.LOCK_UN)
