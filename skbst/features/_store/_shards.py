"""A folder of shards: vectors under keys, written atomically by any number of processes."""

import os
import threading
import uuid
import zlib
from pathlib import Path

import numpy as np

from skbst._files import remove_abandoned, write_atomically
from skbst._paths import open_regular
from skbst.exceptions import DataFormatError
from skbst.features._store._access import warn_of_store

__all__ = ["ShardFolder"]

_PREFIX, _SUFFIX = "shard-", ".npy"


class ShardFolder:
    """Vectors by key, in files that are never changed once written.

    Each `put` makes one new file under a name of its own, so writers cannot collide; a key that two of them wrote
    is found in both, with the same content.

    Parameters
    ----------
    folder : Path
        Is made by the first `put`.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self._shards = {}
        self._rows = {}
        self._damaged = set()
        self._guard = threading.RLock()

    @property
    def n_shards(self):
        """Number of files."""
        self._look_for_shards()
        return len(self._shards)

    def __len__(self):
        self._look_for_shards()
        return len(self._rows)

    def get(self, keys):
        """Read the vectors of some keys.

        Parameters
        ----------
        keys : sequence of str
            Digests of 64 characters.

        Returns
        -------
        vectors : dict of str to ndarray of shape (n_features,), float32
            Those that are there.
        """
        with self._guard:
            return self._get(set(keys))

    def _get(self, wanted):
        if not wanted <= self._rows.keys():
            self._look_for_shards()
        found, n_damaged = {}, 0
        for key in wanted & self._rows.keys():
            name, row = self._rows[key]
            vector = _whole_vector(self._shards[name][row])
            if vector is None:
                n_damaged += 1
            else:
                found[key] = vector
        if n_damaged:
            warn_of_store(f"{self.folder}: {n_damaged} entries are damaged and were left out (computed again).")
        return found

    def put(self, keys, vectors):
        """Write vectors as one new shard.

        Parameters
        ----------
        keys : sequence of str
            Digests of 64 characters.

        vectors : array-like of shape (n_vectors, n_features)
            Finite numbers.
        """
        remove_abandoned(self.folder)
        vectors = np.asarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or len(keys) != len(vectors) or not np.isfinite(vectors).all():
            raise DataFormatError(
                f"Expected one row of finite numbers for each of {len(keys)} keys; got shape {vectors.shape}."
            )
        if len(keys):
            with self._guard:
                self._write(np.array(keys, dtype="S64"), vectors)

    def pack(self):
        """Write all shards as one and remove the others; other processes may read and write meanwhile."""
        with self._guard:
            self._pack()

    def _pack(self):
        remove_abandoned(self.folder)
        self._look_for_shards()
        merged = dict(self._shards)
        if len(merged) > 1:
            whole = {key: _whole_vector(merged[name][row]) for key, (name, row) in sorted(self._rows.items())}
            whole = {key: vector for key, vector in whole.items() if vector is not None}
            if whole:
                self._write(np.array(list(whole), dtype="S64"), np.stack(list(whole.values())))
            self._forget(set(merged))
            for name in merged:
                _remove(self.folder / name)

    def _write(self, keys, vectors):
        kinds = [("key", "S64"), ("check", "<u4"), ("vector", "<f4", (vectors.shape[1],))]
        table = np.empty(len(keys), dtype=kinds)
        table["key"], table["vector"] = keys, vectors
        table["check"] = [_check(entry) for entry in table]
        path = self.folder / f"{_PREFIX}{uuid.uuid4().hex}{_SUFFIX}"
        write_atomically(path, lambda file: np.save(file, table, allow_pickle=False))
        self._add(path.name)

    def _look_for_shards(self):
        # a shard that vanishes between listing and opening went into a packed one, which the next listing shows
        while not self._take_stock():
            pass

    def _take_stock(self):
        try:
            names = {entry.name for entry in os.scandir(self.folder)}
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            names = set()
        names = {name for name in names if name.startswith(_PREFIX) and name.endswith(_SUFFIX)}
        self._forget(set(self._shards) - names)
        opened = [self._add(name) for name in sorted(names - set(self._shards) - self._damaged)]
        return all(opened)

    def _add(self, name):
        """Open a shard; False if it is gone."""
        path = self.folder / name
        try:
            open_regular(path).close()
            shard = np.load(path, mmap_mode="r", allow_pickle=False)
            keys = [key.decode("ascii") for key in shard["key"].tolist()]
            shard["vector"]
        except FileNotFoundError:
            return False
        except (ValueError, EOFError, IndexError, OSError, SyntaxError, TypeError, MemoryError) as error:
            self._damaged.add(name)
            warn_of_store(f"{path} is damaged and was left out ({error}); delete it.")
            return True
        self._shards[name] = shard
        self._rows.update((key, (name, row)) for row, key in enumerate(keys))
        return True

    def _forget(self, names):
        if not names:
            return
        for name in names:
            del self._shards[name]
        self._rows = {
            key.decode("ascii"): (name, row)
            for name, shard in self._shards.items()
            for row, key in enumerate(shard["key"].tolist())
        }


def _remove(path):
    """Delete a file; on some systems one that another process reads stays until the next time."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def _check(entry):
    """Checksum of one entry, its key included."""
    return zlib.crc32(entry["vector"].tobytes(), zlib.crc32(entry["key"].item()))


def _whole_vector(entry):
    """The vector of an entry, None where it was altered; those of older shards have no checksum."""
    vector = np.array(entry["vector"])
    if "check" in entry.dtype.names and _check(entry) != entry["check"]:
        return None
    return vector if np.isfinite(vector).all() else None
