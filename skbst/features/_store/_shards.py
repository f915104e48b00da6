"""A folder of shards: vectors under keys, written atomically by any number of processes."""

import os
import time
import uuid
import warnings
from pathlib import Path

import numpy as np

from skbst.exceptions import DataFormatError

__all__ = ["ShardFolder", "write_atomically"]

_PREFIX, _SUFFIX = "shard-", ".npy"
_ABANDONED_SECONDS = 3600


def write_atomically(path, write, *, sync=True):
    """Write a file so that it is seen whole or not at all.

    Parameters
    ----------
    path : Path
        Its folder is made if needed.

    write : callable
        Gets a binary file.

    sync : bool, default=True
        Whether to wait until the content is on the disk, so that it also survives a loss of power.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
        wanted = set(keys)
        if not wanted <= self._rows.keys():
            self._look_for_shards()
        found = {}
        for key in wanted & self._rows.keys():
            name, row = self._rows[key]
            vector = np.array(self._shards[name]["vector"][row])
            if np.isfinite(vector).all():
                found[key] = vector
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
        vectors = np.asarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or len(keys) != len(vectors) or not np.isfinite(vectors).all():
            raise DataFormatError(
                f"Expected one row of finite numbers for each of {len(keys)} keys; got shape {vectors.shape}."
            )
        if len(keys):
            self._write(np.array(keys, dtype="S64"), vectors)

    def pack(self):
        """Write all shards as one and remove the others; other processes may read and write meanwhile."""
        self._look_for_shards()
        merged = dict(self._shards)
        if len(merged) > 1:
            keys = np.array(sorted(self._rows), dtype="S64")
            places = [self._rows[key.decode()] for key in keys]
            self._write(keys, np.stack([merged[name]["vector"][row] for name, row in places]))
            self._forget(set(merged))
            for name in merged:
                _remove(self.folder / name)
        self._remove_abandoned()

    def _write(self, keys, vectors):
        table = np.empty(len(keys), dtype=[("key", "S64"), ("vector", "<f4", (vectors.shape[1],))])
        table["key"], table["vector"] = keys, vectors
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
        except FileNotFoundError:
            names = set()
        names = {name for name in names if name.startswith(_PREFIX) and name.endswith(_SUFFIX)}
        self._forget(set(self._shards) - names)
        opened = [self._add(name) for name in sorted(names - set(self._shards) - self._damaged)]
        return all(opened)

    def _add(self, name):
        """Open a shard; False if it is gone."""
        path = self.folder / name
        try:
            shard = np.load(path, mmap_mode="r", allow_pickle=False)
            keys = shard["key"].tolist()
        except FileNotFoundError:
            return False
        except (ValueError, EOFError, IndexError, OSError) as error:
            self._damaged.add(name)
            warnings.warn(f"{path} is damaged and was left out ({error}); delete it.", RuntimeWarning, stacklevel=2)
            return True
        self._shards[name] = shard
        self._rows.update((key.decode(), (name, row)) for row, key in enumerate(keys))
        return True

    def _forget(self, names):
        if not names:
            return
        for name in names:
            del self._shards[name]
        self._rows = {
            key.decode(): (name, row)
            for name, shard in self._shards.items()
            for row, key in enumerate(shard["key"].tolist())
        }

    def _remove_abandoned(self):
        """Remove what killed writers left."""
        for path in self.folder.glob(".*.tmp"):
            try:
                if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                    path.unlink()
            except OSError:
                continue


def _remove(path):
    """Delete a file; on some systems one that another process reads stays until the next time."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
