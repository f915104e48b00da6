"""A key for rows of data that is exact where they lie in memory and cheap where they lie in files."""

import hashlib
import os

import joblib
import numpy as np

from skbst.features import FeatureBundle

__all__ = ["fingerprint"]

_CHUNK_BYTES = 2**22


def fingerprint(*objects):
    """Hash arrays, bundles, estimators and plain values into one key.

    Arrays in memory are read once, in chunks. Rows of a memory map are known by the file (its path, size and time
    of last change) and their positions: gigabytes of spectra are not read.

    Parameters
    ----------
    *objects : object
        FeatureBundles, arrays, or anything that `joblib.hash` takes.

    Returns
    -------
    key : str
        Hexadecimal digest.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.neighbors._fingerprint import fingerprint
    >>> rows = np.arange(6.0).reshape(3, 2)
    >>> fingerprint(rows) == fingerprint(rows.copy())
    True
    >>> fingerprint(rows) == fingerprint(rows + 1e-12)
    False
    """
    digest = hashlib.sha1(usedforsecurity=False)
    for item in objects:
        if isinstance(item, FeatureBundle):
            _add_bundle(digest, item)
        elif isinstance(item, np.ndarray) and item.dtype != object:
            _add_rows(digest, item, None)
        else:
            digest.update(joblib.hash(item, hash_name="sha1").encode())
    return digest.hexdigest()


def _add_bundle(digest, bundle):
    for name in bundle.names:
        digest.update(f"block {name}".encode())
        _add_rows(digest, bundle._base(name), bundle._place(name))
        if name in bundle._lengths:
            _add_rows(digest, bundle.lengths(name), None)


def _add_rows(digest, array, rows):
    n_rows = len(array) if rows is None else len(rows)
    digest.update(f"{array.dtype.str} {(n_rows, *array.shape[1:])}".encode())
    file = _file_of(array)
    if file is not None:
        digest.update(repr(file).encode())
        digest.update(b"all" if rows is None else np.ascontiguousarray(rows, dtype=np.int64).data)
        return
    if array.ndim == 0:
        digest.update(array.tobytes())
        return
    step = max(1, _CHUNK_BYTES // max(1, array.itemsize * int(np.prod(array.shape[1:]))))
    for start in range(0, n_rows, step):
        part = array[start : start + step] if rows is None else array[rows[start : start + step]]
        digest.update(np.ascontiguousarray(part).view(np.uint8).data)


def _file_of(array):
    """What a memory map shows of a file, or None for an array in memory."""
    if not isinstance(array, np.memmap) or array.filename is None:
        return None
    base = array
    while isinstance(base.base, np.memmap):
        base = base.base
    shift = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    stat = os.stat(array.filename)
    return str(array.filename), stat.st_size, stat.st_mtime_ns, base.offset + shift, array.strides
