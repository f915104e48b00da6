"""What the encoders share with the other featurizers: rows in batches, the store, threads, names of contents."""

from skbst.features._clap._threads import map_clips
from skbst.features._store._batches import embed_batches, open_store
from skbst.features._store._embedding_store import EmbeddingStore
from skbst.features._store._keys import content_key, source_key

__all__ = ["EmbeddingStore", "content_key", "embed_batches", "map_clips", "open_store", "source_key"]
