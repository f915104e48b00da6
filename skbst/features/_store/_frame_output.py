"""Frames of one call: those that a store has, and those that are made and kept."""

import os

import numpy as np

from skbst.features._store._access import warn_of_store
from skbst.features._store._keys import content_key, source_key

__all__ = ["StoreOutput", "sound_keys"]

_SILENCE = "silence"


class StoreOutput:
    """Frames of one feature in a `FrameStore`; only what is not there yet is made. Use it while the store is locked.

    Parameters
    ----------
    kernel : LogSTFTKernel, LogMelKernel or MFCCKernel
        What makes the frames.

    store : FrameStore
        Where they are kept.

    keys : list of tuple
        What `sound_keys` gives; equal sounds share a row.

    sources : sequence
        The sounds.
    """

    def __init__(self, kernel, store, keys, sources):
        self.kernel = kernel
        self._store, self._keys, self._sources = store, keys, sources
        self._key_of = [key for key, _ in keys]
        self._index, self._n_damaged = store.read_index({_SILENCE, *self._key_of} - {None})
        self._loose, self._problems, self._n_valid = {}, {}, {}
        self.todo = np.zeros(len(keys), dtype=bool)
        leaders = {}
        for i, (key, _) in enumerate(keys):
            if key is None or key in self._index:
                # what could not be read is tried each time: the file or the decoder may have been mended
                self.todo[i] = key is None or self._index[key][2] is not None
            else:
                self.todo[i] = leaders.setdefault(key, i) == i

    def tell_of_damage(self):
        """Warn, once a call, of what was cut or altered."""
        if self._n_damaged:
            warn_of_store(f"{self._store.path}: {self._n_damaged} entries are damaged and were left out (made again).")

    def buffers(self, rows):
        """Memory for the frames of some rows, by row."""
        return dict(zip(rows, np.empty((len(rows), *self._store.row_shape), dtype=np.float32)))

    def commit(self, buffers, n_valid, problems):
        """Write frames to the disk; the dictionaries go by row."""
        kept = []
        for row in buffers:
            key, stamp = self._keys[row]
            self._n_valid[row], problem = n_valid[row], problems.get(row)
            if problem is not None:
                self._problems[row] = problem
            if key is None and problem is not None and problem.silent:
                # what cannot be read has no content: all such sounds share one row
                key = self._key_of[row] = _SILENCE
                if self._store.writable and (key in self._index or key in {self._key_of[other] for other in kept}):
                    continue
            known = self._index.get(key)
            if known is not None and known[1:] == (n_valid[row], problem):
                continue
            # a file that changed while it was read is not what its key says
            changed = key != _SILENCE and stamp != stamp_of(self._sources[row])
            if key is None or changed or not self._store.writable:
                self._loose[row] = buffers[row].copy()
            else:
                kept.append(row)
        if kept:
            self._keep(kept, buffers, problems)

    def _keep(self, rows, buffers, problems):
        places = [self._store.take_row() for _ in rows]
        entries = [
            (key, place, self._n_valid[row], None if key == _SILENCE else problems.get(row))
            for key, place, row in zip([self._key_of[row] for row in rows], places, rows)
        ]
        try:
            self._store.write(places, [buffers[row] for row in rows], entries)
        except OSError as error:
            self._store.writable = False
            warn_of_store(f"Frames are not kept any more: {self._store.path} cannot be written ({error}).")
            self._loose.update({row: buffers[row].copy() for row in rows})
            return
        self._index.update({key: (place, n, problem) for key, place, n, problem in entries})

    def result(self):
        """Return the frames, the row of each sound among them (None: in order), n_valid and problems."""
        self._share()
        found = [self._index.get(key) if i not in self._loose else None for i, key in enumerate(self._key_of)]
        n_valid = np.array([self._n_valid[i] if i in self._n_valid else entry[1] for i, entry in enumerate(found)])
        n_valid = n_valid.astype(np.int64)
        if self._loose:
            return self._mixed(found), None, n_valid, self._problems
        rows = np.array([row for row, _, _ in found], dtype=np.int64)
        frames = self._store.open(int(rows.max()) + 1)
        if np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
            frames, rows = frames[rows[0] :], None
        return frames, rows, n_valid, self._problems

    def _share(self):
        """Give the frames of a sound that is not kept to the equal ones that waited for it."""
        leaders = {self._key_of[i]: i for i in self._n_valid}
        for i, (key, _) in enumerate(self._keys):
            leader = leaders.get(key)
            if leader is None or key is None or i in self._n_valid:
                continue
            self._n_valid[i] = self._n_valid[leader]
            if leader in self._loose:
                self._loose[i] = self._loose[leader]
            if leader in self._problems:
                self._problems[i] = self._problems[leader]

    def _mixed(self, found):
        frames = np.empty((len(found), *self._store.row_shape), dtype=np.float32)
        for i, entry in enumerate(found):
            frames[i] = self._loose[i] if i in self._loose else self._store.read(entry[0])
        return frames


def sound_keys(sources, positions, sample_rate):
    """Name each sound by its content.

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
    keys : list of tuple (str or None, stamp)
        The key, None where nothing can be read; and what tells that a file did not change since.
    """
    keys = []
    for source, place in zip(sources, positions):
        if isinstance(source, np.ndarray):
            source = (source, sample_rate)
        stamp = stamp_of(source)
        key = source_key(source)
        keys.append((None if key is None else content_key(f"{key}|{float(place)!r}"), stamp))
    return keys


def stamp_of(source):
    """What changes when a file is written to; None for arrays."""
    if not isinstance(source, (str, bytes, os.PathLike)):
        return None
    try:
        status = os.stat(source)
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
