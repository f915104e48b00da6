"""The name under which what was made of a sound is kept."""

from pathlib import Path

import numpy as np

from skbst.features._store._embedding_store import content_key

__all__ = ["source_key"]


def source_key(source):
    """Name a sound by its content, a str; None if it cannot be read."""
    if isinstance(source, tuple):
        samples = np.asarray(source[0])
        return content_key(f"{content_key(samples)} {samples.dtype} {samples.shape} {source[1]}")
    if isinstance(source, np.ndarray):
        return content_key(source)
    try:
        return content_key(Path(source))
    except (OSError, TypeError, ValueError):
        return None
