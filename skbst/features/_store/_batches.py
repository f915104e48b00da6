"""Rows to embeddings in batches: what is stored is read, the rest is computed once and stored."""

import numpy as np

from skbst._progress import progress_bar
from skbst.features._store._embedding_store import EmbeddingStore

__all__ = ["embed_batches", "open_store"]

_PACK_ABOVE = 32


def open_store(store, name):
    """Make a store of what a featurizer was given: None, a folder or an `EmbeddingStore`."""
    if store is None or isinstance(store, EmbeddingStore):
        return store
    return EmbeddingStore(store, name=name)


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
                if store is not None and kept:
                    store.put(kept, np.stack([fresh[key] for key in kept]), identity)
                known = {**known, **fresh}
            for row, key in zip(rows, keys):
                embeddings[row] = known[key if key is not None else row]
            bar.update(len(rows))
    if store is not None:
        store.pack(identity, above=_PACK_ABOVE)
    return embeddings
