"""The name under which what was made of a sound or text is kept."""

import hashlib
import os
from pathlib import Path

import numpy as np

from skbst._paths import open_regular

__all__ = ["content_key", "source_key"]


def source_key(source):
    """Name a sound by its content, a str; None if it cannot be read."""
    if isinstance(source, tuple):
        samples = np.ascontiguousarray(source[0])
        # the bytes of the samples as they are: float64 and float32 of one sound are two
        return content_key(f"{content_key(samples.tobytes())} {samples.dtype} {samples.shape} {source[1]}")
    if isinstance(source, np.ndarray):
        # integers are scaled by the range of their type: equal numbers of two types are two sounds
        return source_key((source, "")) if source.dtype.kind in "iu" else content_key(source)
    try:
        return content_key(Path(os.fsdecode(source)))
    except (OSError, TypeError, ValueError):
        return None


def content_key(content):
    """Key of a sound or text: the SHA-256 of its bytes.

    Parameters
    ----------
    content : bytes, str, ndarray or Path
        Bytes; a text; the samples of a waveform (float32); a regular file.

    Returns
    -------
    key : str
        64 hexadecimal digits.

    Examples
    --------
    >>> from skbst.features._store._keys import content_key
    >>> content_key("rain")[:8]
    '319b44c5'
    """
    if isinstance(content, Path):
        with open_regular(content) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if isinstance(content, str):
        content = content.encode("utf-8", errors="surrogatepass")
    elif isinstance(content, np.ndarray):
        content = np.ascontiguousarray(content, dtype=np.float32)
    return hashlib.sha256(content).hexdigest()
