"""Read precomputed embeddings, one .npy file per sound, into one array."""

import os

import numpy as np

from skbst.exceptions import DataFormatError

__all__ = ["EMBEDDING_FOLDERS", "read_embeddings"]

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
    names = {entry.name for entry in os.scandir(folder)}
    files = [_find(sound_id, names) for sound_id in sound_ids]
    missing = np.array([name is None for name in files], dtype=bool)
    if missing.all():
        raise DataFormatError(f"{folder}: none of the {len(files)} sounds has a file such as {sound_ids[0]}.npy here.")
    embeddings, reader = None, _NpyReader()
    for row, name in enumerate(files):
        if name is None:
            continue
        vector = reader.read(os.path.join(folder, name))
        if embeddings is None:
            embeddings = np.full((len(files), len(vector)), np.nan, dtype=np.float32)
        if len(vector) != embeddings.shape[1]:
            raise DataFormatError(
                f"{os.path.join(folder, name)}: {len(vector)} values, but the files before it have "
                f"{embeddings.shape[1]}. All embeddings of a folder come from one model."
            )
        embeddings[row] = vector
    _check_finite(folder, files, embeddings, missing)
    return embeddings, missing


def _find(sound_id, names):
    for stem in (sound_id, os.path.splitext(sound_id)[0]):
        if f"{stem}.npy" in names:
            return f"{stem}.npy"
    return None


def _check_finite(folder, files, embeddings, missing):
    bad = np.flatnonzero(~np.isfinite(embeddings).all(axis=1) & ~missing)
    if len(bad):
        raise DataFormatError(
            f"{os.path.join(folder, files[bad[0]])}: NaN or infinity in the embedding ({len(bad)} such file(s)). "
            "Compute it again, or delete the file and choose with on_missing_embedding."
        )


class _NpyReader:
    """Reads many small .npy files; the header is parsed once for all files that share it."""

    def __init__(self):
        self._header, self._dtype = None, None

    def read(self, path):
        with open(path, "rb") as file:
            content = file.read()
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
