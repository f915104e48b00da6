"""Rows to embeddings in batches: what is stored is read, the rest is computed once and stored."""

import numpy as np

from skbst._progress import progress_bar
from skbst.features._store._access import folder_of, may_write, warn_of_store
from skbst.features._store._embedding_store import EmbeddingStore

__all__ = ["embed_batches", "open_store"]

# files of one run that a later one has to open; from there they are made one; taken as it is
_PACK_ABOVE = 32


def open_store(featurizer, name):
    """Make a store of what a featurizer was given as ``store``: None, a folder or an `EmbeddingStore`."""
    if featurizer.store is None or isinstance(featurizer.store, EmbeddingStore):
        return featurizer.store
    return EmbeddingStore(folder_of(featurizer), name=name)


def embed_batches(n_rows, n_features, make_keys, compute, *, batch_size, store=None, pipeline=None, progress=None):
    """Embed all rows.

    Parameters
    ----------
    n_rows, n_features : int
        Shape of the result.

    make_keys : callable
        Gets a range of rows, returns for each its key, or None for a row that shall not be stored nor shared.

    compute : callable
        Gets a list of rows; returns their embeddings, an array, and for each whether it may be stored.

    batch_size : int
        Rows that are computed and stored together.

    store : EmbeddingStore, default=None
        Where embeddings are kept.

    pipeline : callable, default=None
        Returns the identity of what `compute` does; called only with a store.

    progress : dict, default=None
        Options of the progress bar.

    Returns
    -------
    embeddings : ndarray of shape (n_rows, n_features), float32
    """
    embeddings = np.empty((n_rows, n_features), dtype=np.float32)
    identity = pipeline() if store is not None else None
    keeps = store is not None and may_write(store.root)
    with progress_bar(total=n_rows, **(progress or {})) as bar:
        for start in range(0, n_rows, batch_size):
            rows = range(start, min(start + batch_size, n_rows))
            keys = make_keys(rows)
            known = {} if store is None else store.get([key for key in keys if key is not None], identity)
            # equal content is computed once
            leaders = {key if key is not None else row: row for row, key in zip(rows, keys) if key not in known}
            if leaders:
                made, storable = compute(list(leaders.values()))
                fresh = dict(zip(leaders, made))
                kept = [key for key, good in zip(leaders, storable) if good and isinstance(key, str)]
                keeps = keeps and _keep(store, kept, fresh, identity)
                broken = {key for key, good in zip(leaders, storable) if not good}
                # whose equal had something wrong is tried itself, so that each such row has its own record
                others = [row for row, key in zip(rows, keys) if key in broken and leaders[key] != row]
                if others:
                    fresh.update(zip(others, compute(others)[0]))
                known = {**known, **fresh}
            for row, key in zip(rows, keys):
                embeddings[row] = known[row if row in known or key is None else key]
            bar.update(len(rows))
    if keeps:
        _pack(store, identity)
    return embeddings


def _keep(store, keys, vectors, identity):
    """Store some vectors; whether that was possible."""
    try:
        if keys:
            store.put(keys, np.stack([vectors[key] for key in keys]), identity)
    except OSError as error:
        warn_of_store(f"Embeddings are not kept: {store.cache_folder} cannot be written ({error}).")
        return False
    return True


def _pack(store, identity):
    try:
        store.pack(identity, above=_PACK_ABOVE)
    except OSError as error:
        warn_of_store(f"{store.cache_folder} was not packed ({error}).")
