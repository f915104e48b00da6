"""Embeddings on disk: those that a data set ships, and those that were computed here."""

import hashlib
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np

from skbst._files import write_atomically
from skbst._paths import absolute_path
from skbst._vectors import read_embeddings
from skbst.exceptions import DataFormatError
from skbst.features._store._embedding_skew import embedding_skew
from skbst.features._store._shards import ShardFolder

__all__ = ["EmbeddingStore"]


class EmbeddingStore:
    """Embeddings of one kind below the root of a data set.

    Two things stand side by side. The **official layout**, one file per sound, is what data sets ship and other
    programs read: :meth:`read` and :meth:`write` go by sound_id, :meth:`skew` compares. The **cache** is what the
    featurizers use: :meth:`get` and :meth:`put` go by the content of a sound or text and the identity of the pipeline
    that embeds it, so that a changed file or setting is computed anew and nothing stale is served. ::

        root/features/clap_audio_embeddings/{sound_id}.npy     official layout
        root/features/clap_audio_cache/{pipeline}/             cache: pipeline.json, shard-*.npy

    Every file appears whole or not at all, under a name of its own. A run that is killed loses what it had not put
    yet, at most one batch; several processes may write at the same time.

    Parameters
    ----------
    root : str or path-like
        Folder of the data set, or any other. Is made by the first write.

    name : str, default="clap_audio"
        Kind of the embeddings: ``"clap_audio"`` or ``"clap_text"`` for those of the official layout.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skbst.features import EmbeddingStore
    >>> with tempfile.TemporaryDirectory() as root:
    ...     store = EmbeddingStore(root)
    ...     store.write(["17", "23"], np.eye(2))
    ...     store.read(["23"])
    array([[0., 1.]], dtype=float32)
    """

    def __init__(self, root, *, name="clap_audio"):
        self.root = absolute_path(root)
        self.name = str(name)
        if self.name in ("", "..") or Path(self.name).name != self.name:
            raise DataFormatError(f"The name of a store is one word such as 'clap_audio'; got {name!r}.")
        self._folders = {}

    @property
    def official_folder(self):
        """Folder of the official layout, a Path."""
        return self.root / "features" / f"{self.name}_embeddings"

    @property
    def cache_folder(self):
        """Folder of the cache, a Path."""
        return self.root / "features" / f"{self.name}_cache"

    def read(self, sound_ids, *, missing="raise"):
        """Read vectors in the official layout.

        Parameters
        ----------
        sound_ids : sequence of str
            Ids, with or without the extension of the sound file.

        missing : {"raise", "nan"}, default="raise"
            What a sound without a file means: an error, or a row of NaN.

        Returns
        -------
        embeddings : ndarray of shape (n_sounds, n_features), float32

        Raises
        ------
        DataFormatError
            If a file is missing or damaged; the message says how many and names the first.
        """
        if missing not in ("raise", "nan"):
            raise ValueError(f"missing must be 'raise' or 'nan'; got {missing!r}.")
        sound_ids = [str(sound_id) for sound_id in sound_ids]
        if not self.official_folder.is_dir():
            raise DataFormatError(
                f"There is no folder {self.official_folder}. Compute embeddings with ClapAudioFeaturizer or "
                "ClapTextFeaturizer and put them there with EmbeddingStore.write."
            )
        embeddings, absent = read_embeddings(self.official_folder, sound_ids)
        if missing == "raise" and absent.any():
            first = sound_ids[int(np.argmax(absent))]
            raise DataFormatError(
                f"{absent.sum()} of {len(sound_ids)} sounds have no embedding in {self.official_folder} (first: "
                f'{first!r}). Compute them, or pass missing="nan".'
            )
        return embeddings

    def write(self, sound_ids, embeddings, *, overwrite=False):
        """Write vectors in the official layout, one float32 file per sound.

        Parameters
        ----------
        sound_ids : sequence of str
            Ids; no two may be equal.

        embeddings : array-like of shape (n_sounds, n_features)
            Finite numbers.

        overwrite : bool, default=False
            Whether files that hold other numbers are replaced. Files with the same numbers are left alone.

        Raises
        ------
        DataFormatError
            If shapes do not fit, an id occurs twice or is no file name, or a file with other numbers is there;
            nothing is written then.
        """
        sound_ids = [str(sound_id) for sound_id in sound_ids]
        embeddings = np.ascontiguousarray(embeddings, dtype="<f4")
        _check_rows(sound_ids, embeddings)
        paths = [self.official_folder / f"{sound_id}.npy" for sound_id in sound_ids]
        fresh = [row for row, path in enumerate(paths) if not _holds(path, embeddings[row])]
        taken = [row for row in fresh if paths[row].exists()]
        if taken and not overwrite:
            raise DataFormatError(
                f"{len(taken)} of {len(paths)} files exist and hold other numbers (first: {paths[taken[0]]}). "
                "Compare with EmbeddingStore.skew; pass overwrite=True to replace them."
            )
        for row in fresh:
            vector = embeddings[row]
            # thousands of small files: each appears whole, but is not forced to the disk one by one
            write_atomically(paths[row], lambda file, v=vector: np.save(file, v, allow_pickle=False), sync=False)

    def skew(self, sound_ids, embeddings, *, n_worst=10):
        """Compare fresh vectors with those in the official layout; see :func:`~skbst.features.embedding_skew`.

        Parameters
        ----------
        sound_ids : sequence of str
            Ids.

        embeddings : array-like of shape (n_sounds, n_features)
            What this machine makes.

        n_worst : int, default=10
            How many of the most distant sounds are named.

        Returns
        -------
        skew : Bunch
        """
        shipped = self.read(sound_ids, missing="nan")
        return embedding_skew(embeddings, shipped, sound_ids=[str(i) for i in sound_ids], n_worst=n_worst)

    def get(self, keys, pipeline):
        """Read vectors from the cache.

        Parameters
        ----------
        keys : sequence of str
            From `content_key`.

        pipeline : mapping
            All settings that shape a vector, of plain types.

        Returns
        -------
        vectors : dict of str to ndarray of shape (n_features,), float32
            Those that are there.
        """
        return self._shards(pipeline).get(keys)

    def put(self, keys, vectors, pipeline):
        """Add vectors to the cache, in one step.

        Parameters
        ----------
        keys : sequence of str
            From `content_key`.

        vectors : array-like of shape (n_keys, n_features)
            Finite numbers.

        pipeline : mapping
            As in `get`.
        """
        folder = self._shards(pipeline).folder
        label = folder / "pipeline.json"
        if not label.is_file():
            text = json.dumps(pipeline, sort_keys=True, indent=1)
            write_atomically(label, lambda file: file.write(text.encode()))
        self._shards(pipeline).put(keys, vectors)

    def pack(self, pipeline=None, *, above=1):
        """Bring the cache into few files, for speed. The featurizers do so when a run has left many.

        Parameters
        ----------
        pipeline : mapping, default=None
            Which part; None packs all.

        above : int, default=1
            Leave parts of at most this many files alone.
        """
        if pipeline is not None:
            parts = [self._shards(pipeline)]
        else:
            parts = [ShardFolder(path) for path in sorted(self.cache_folder.glob("*")) if path.is_dir()]
        for part in parts:
            if part.n_shards > above:
                part.pack()

    def _shards(self, pipeline):
        text = json.dumps(pipeline, sort_keys=True)
        if text not in self._folders:
            digest = hashlib.sha256(text.encode()).hexdigest()
            self._folders[text] = ShardFolder(self.cache_folder / digest[:16])
        return self._folders[text]

    def __getstate__(self):
        return {"root": self.root, "name": self.name, "_folders": {}}

    def __eq__(self, other):
        return isinstance(other, EmbeddingStore) and (self.root, self.name) == (other.root, other.name)

    def __hash__(self):
        return hash((self.root, self.name))

    def __repr__(self):
        return f"EmbeddingStore({os.fspath(self.root)!r}, name={self.name!r})"


def _check_rows(sound_ids, embeddings):
    if embeddings.ndim != 2 or len(embeddings) != len(sound_ids):
        raise DataFormatError(f"Expected one row for each of {len(sound_ids)} sounds; got shape {embeddings.shape}.")
    if not np.isfinite(embeddings).all():
        raise DataFormatError("Embeddings must be finite; there is NaN or infinity among them.")
    if len(set(sound_ids)) != len(sound_ids):
        twice = Counter(sound_ids).most_common(1)[0][0]
        raise DataFormatError(f"Each sound has one embedding; {twice!r} occurs more than once.")
    bad = [name for name in sound_ids if not name or name in (".", "..") or set(name) & set('/\\:*?"<>|\0')]
    if bad:
        raise DataFormatError(f"{len(bad)} sound_ids cannot be file names (first: {bad[0]!r}).")


def _holds(path, vector):
    """Whether a file holds just these numbers."""
    try:
        there = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return there.shape == vector.shape and there.dtype == vector.dtype and np.array_equal(there, vector)
