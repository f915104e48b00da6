"""Read precomputed embeddings, one .npy file per sound, into one array."""

import os

import numpy as np

from skbst._paths import open_regular
from skbst.exceptions import DataFormatError

__all__ = ["EMBEDDING_FOLDERS", "find_embeddings", "read_embeddings", "read_vectors"]

#: Name of the block and the folder below ``features/`` that holds it.
EMBEDDING_FOLDERS = {"clap_audio": "clap_audio_embeddings", "clap_text": "clap_text_embeddings"}


def read_embeddings(folder, sound_ids):
    """Read ``folder/{sound_id}.npy`` of each sound.

    Parameters
    ----------
    folder : Path
        Folder of .npy files, each of shape (n_features,) or (1, n_features).

    sound_ids : sequence of str
        Ids, with or without the extension of the sound file.

    Returns
    -------
    embeddings : ndarray of shape (n_samples, n_features), float32
        Rows without a file are NaN.

    missing : ndarray of shape (n_samples,), bool
        Which rows have no file.

    Raises
    ------
    DataFormatError
        If no row has a file, or a file is damaged, of another shape than the first, not numeric or not
        finite; the message names it.
    """
    files = find_embeddings(folder, sound_ids)
    missing = np.array([path is None for path in files], dtype=bool)
    if missing.all():
        raise DataFormatError(f"{folder}: none of the {len(files)} sounds has a file such as {sound_ids[0]}.npy here.")
    return read_vectors(files), missing


def find_embeddings(folder, sound_ids):
    """Find ``folder/{sound_id}.npy`` of each sound.

    Parameters
    ----------
    folder : str or path-like
        Folder of .npy files; one that is not there holds none.

    sound_ids : sequence of str
        Ids, with or without the extension of the sound file.

    Returns
    -------
    files : list of str or None
        The path for each id, None where there is no file.
    """
    # asked one by one: to list the folder costs what it holds, each time that a few of its vectors are wanted
    there = os.path.isdir(folder)
    return [_find(os.fspath(folder), sound_id) if there else None for sound_id in sound_ids]


def read_vectors(files, *, damaged=None):
    """Read vectors of one length, one from each file.

    Parameters
    ----------
    files : sequence of str or None
        Paths of .npy files.

    damaged : dict, default=None
        Gets position -> what is wrong with it for each file that holds no vector of finite numbers; its row is NaN
        then. None raises.

    Returns
    -------
    vectors : ndarray of shape (n_files, n_features), float32
        Rows without a file are NaN; no columns where there is no vector at all.

    Raises
    ------
    DataFormatError
        If two vectors differ in length, or a file is damaged and `damaged` is None; the message names it.
    """
    vectors, reader = None, _NpyReader()
    for row, path in enumerate(files):
        if path is None:
            continue
        try:
            vector = reader.read(path)
        except DataFormatError as error:
            if damaged is None:
                raise
            damaged[row] = str(error)
            continue
        if vectors is None:
            vectors = np.full((len(files), len(vector)), np.nan, dtype=np.float32)
        if len(vector) != vectors.shape[1]:
            raise DataFormatError(
                f"{path}: {len(vector)} values, but the files before it have {vectors.shape[1]}. All embeddings of a "
                "folder come from one model."
            )
        vectors[row] = vector
    if vectors is None:
        return np.empty((len(files), 0), dtype=np.float32)
    _check_finite(files, vectors, damaged)
    return vectors


def _find(folder, sound_id):
    if os.path.basename(sound_id) != sound_id:
        return None  # the folder is flat: an id such as "../17" leads nowhere
    for stem in dict.fromkeys([sound_id, os.path.splitext(sound_id)[0]]):
        path = os.path.join(folder, f"{stem}.npy")
        if os.path.exists(path):
            return path
    return None


def _check_finite(files, vectors, damaged):
    read = np.array([path is not None and row not in (damaged or {}) for row, path in enumerate(files)])
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1) & read)
    if not len(bad):
        return
    if damaged is None:
        raise DataFormatError(
            f"{files[bad[0]]}: NaN or infinity in the embedding ({len(bad)} such file(s)). Compute it again, or delete "
            "the file and choose with on_missing_embedding."
        )
    damaged.update({int(row): f"{files[row]}: NaN or infinity in the embedding." for row in bad})
    vectors[bad] = np.nan


class _NpyReader:
    """Reads many small .npy files; the header is parsed once for all files that share it."""

    def __init__(self):
        self._header, self._dtype = None, None

    def read(self, path):
        try:
            with open_regular(path) as file:
                content = file.read()
        except OSError as error:
            raise DataFormatError(f"{path}: cannot be read ({error}).") from error
        n = len(self._header) if self._header else 0
        if n and content[:n] == self._header and len(content) == n + self._n_bytes:
            return np.frombuffer(content, dtype=self._dtype, offset=n)
        return self._read_slowly(path, content)

    def _read_slowly(self, path, content):
        try:
            array = np.load(path, allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise DataFormatError(f"{path}: not a readable .npy file ({error}).") from error
        vector = np.squeeze(array)
        if vector.ndim != 1 or vector.dtype.kind not in "fiu":
            raise DataFormatError(
                f"{path}: expected one vector of numbers, got an array of shape {array.shape} and type {array.dtype}."
            )
        if array.dtype.kind == "f" and array.dtype.isnative:
            self._n_bytes = array.nbytes
            self._header, self._dtype = content[: len(content) - array.nbytes], array.dtype
        return vector
