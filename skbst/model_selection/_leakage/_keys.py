"""Keys that two clips share when they are copies of each other."""

import hashlib
import os
import re
import stat
import unicodedata

import numpy as np
import pandas as pd

from skbst.audio import decode_source
from skbst.exceptions import DataFormatError
from skbst.taxonomy import resolve_taxonomy

__all__ = [
    "TEXT_COLUMNS",
    "audio_keys",
    "is_sound",
    "label_mentions",
    "label_terms",
    "near_duplicate_pairs",
    "shared_with_training",
    "text_keys",
]

TEXT_COLUMNS = ("title", "tags", "description")
# more pairs are no list that anybody reads; taken as it is
_MAX_PAIRS = 5_000_000


def text_keys(data):
    """Number the texts of clips; clips with the same words, in any order, get the same number.

    Parameters
    ----------
    data : DataFrame
        With any of the columns ``title``, ``tags``, ``description``.

    Returns
    -------
    keys : ndarray of shape (n_samples,), int
        -1 for clips without a word.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.model_selection._leakage._keys import text_keys
    >>> text_keys(pd.DataFrame({"title": ["Big dog", "dog_big", "cat", ""]}))
    array([ 0,  0,  1, -1])
    """
    # letters and marks may be written as one character or two, and wide
    texts = (unicodedata.normalize("NFKC", text).casefold() for text in _joined_text(data))
    words = [" ".join(sorted(re.findall(r"[^\W_]+", text))) for text in texts]
    return pd.factorize(pd.Series(words, dtype=object).replace("", None))[0]


def _joined_text(data):
    columns = [data[name].fillna("").astype(str) for name in TEXT_COLUMNS if name in data]
    return [" \n ".join(cells) for cells in zip(*columns, strict=True)]


def audio_keys(paths, *, compare="bytes"):
    """Number the contents of sound files; equal contents get the same number.

    Parameters
    ----------
    paths : sequence of str, path-like or tuple (waveform, sample_rate)
        Sounds; None or "" where there is none.

    compare : {"bytes", "samples"}, default="bytes"
        Compare files as they are (only those of equal size are read), or decoded to one channel of 16 bit, so that a
        FLAC copy of a WAV file counts.

    Returns
    -------
    keys : ndarray of shape (n_samples,), int
        -1 for files that are missing, empty or (samples) cannot be decoded, and for those that have no equal in size.
    """
    content_of = _samples_digest if compare == "samples" else _bytes_digest
    paths = [path if is_sound(path) else "" for path in paths]
    sizes = np.array([_size_of(path) for path in paths], dtype=np.int64)
    if compare == "bytes":
        unique, counts = np.unique(sizes, return_counts=True)
        wanted = np.isin(sizes, unique[(counts > 1) & (unique > 0)])
    else:
        wanted = sizes > 0
    digests = [content_of(path) if chosen else None for path, chosen in zip(paths, wanted, strict=True)]
    return pd.factorize(np.array([*digests, None], dtype=object))[0][:-1]


def is_sound(source):
    """Whether a cell names a sound, or is one; None, NaN, pd.NA and "" do not."""
    return not pd.api.types.is_scalar(source) or not (pd.isna(source) or source == "")


def _size_of(source):
    """Bytes of a sound; 0 for what has none, such as a folder, a pipe or a missing file."""
    if isinstance(source, (tuple, np.ndarray)):
        waveform = source[0] if isinstance(source, tuple) else source
        return np.asarray(waveform).nbytes
    try:
        status = os.stat(source)
    except (OSError, TypeError, ValueError):
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _bytes_digest(source):
    if isinstance(source, (tuple, np.ndarray)):
        waveform, rate = source if isinstance(source, tuple) else (source, 0)
        # never the digest of a file that happens to hold these bytes
        return hashlib.blake2b(np.ascontiguousarray(waveform).tobytes(), person=str(rate).encode()[:16]).hexdigest()
    try:
        with open(source, "rb") as file:
            return hashlib.file_digest(file, "blake2b").hexdigest()
    except OSError:
        return None


def _samples_digest(source):
    """Digest of the samples as 16 bits; None for what cannot be decoded."""
    # an array alone has no rate of its own; all such have the same
    decoded = decode_source(source, array_rate=1, duration=None)
    waveform = decoded.waveform
    if len(waveform) == 0:
        return None
    samples = np.clip(np.round(waveform * 32768.0), -32768, 32767).astype(np.int16)
    return hashlib.blake2b(samples.tobytes(), person=str(decoded.source_rate).encode()).hexdigest()


def shared_with_training(keys, train, test):
    """Test rows whose key also stands in the training part.

    Parameters
    ----------
    keys : ndarray of shape (n_samples,), int
        -1 means no key.

    train, test : ndarray of int
        Positions of rows.

    Returns
    -------
    hit : ndarray of int
        Those of `test`.

    partner : ndarray of int
        The first training row with the same key.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.model_selection._leakage._keys import shared_with_training
    >>> shared_with_training(np.array([7, -1, 7, -1, 7]), np.array([0, 1, 2]), np.array([3, 4]))
    (array([4]), array([0]))
    """
    first = np.full(keys.max(initial=-1) + 2, -1)
    first[keys[train[::-1]]] = train[::-1]
    first[-1] = -1
    partner = first[keys[test]]
    return test[partner >= 0], partner[partner >= 0]


def near_duplicate_pairs(embeddings, similarity):
    """Pairs of rows whose cosine similarity reaches a limit.

    Parameters
    ----------
    embeddings : ndarray of shape (n_samples, n_features)
        Embeddings; rows of zeros or NaN have no pair.

    similarity : float
        The limit, at most 1.

    Returns
    -------
    pairs : ndarray of shape (n_pairs, 2), int
        Positions, the smaller first.

    cosine : ndarray of shape (n_pairs,), float32
        The similarity of each pair.
    """
    values = np.asarray(embeddings, dtype=np.float32)
    if values.ndim != 2:
        raise DataFormatError(f"embeddings must have shape (n_samples, n_features); got {values.shape}.")
    values = np.where(np.isfinite(values), values, 0)
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    values = np.divide(values, norms, out=np.zeros_like(values), where=norms > 0)
    pairs, cosines, n_pairs = [], [], 0
    for start in range(0, len(values), 1024):
        cosine = values[start : start + 1024] @ values[start:].T
        left, right = np.nonzero(cosine >= similarity)
        kept = right > left
        left, right = left[kept], right[kept]
        pairs.append(np.stack([left + start, right + start], axis=1))
        cosines.append(cosine[left, right])
        n_pairs += len(left)
        if n_pairs > _MAX_PAIRS:
            raise ValueError(f"More than {_MAX_PAIRS} pairs reach similarity={similarity}; ask for a higher one.")
    return np.concatenate(pairs), np.concatenate(cosines)


def label_mentions(data, y, taxonomy=None):
    """Where the text of a clip holds its own class code, or a name of several words of its class or top level.

    Words such as "dog" and "music" belong in a title (539 of the 1,250 clips of speech in BSD10k v1.0 have the word in
    title or tags); "fx-a", "Objects / House appliances" or "Instrument samples" can only come from the labels: none of
    the 10,309 clips has a name of its own there.

    Parameters
    ----------
    data : DataFrame
        With any of the columns ``title``, ``tags``, ``description``.

    y : array-like of shape (n_samples,)
        Class codes.

    taxonomy : Taxonomy, default=None
        The tree.

    Returns
    -------
    mentions : list of str
        What was found in each row, "" for nothing.
    """
    labels = np.asarray(y).astype(str)
    tree = resolve_taxonomy(taxonomy, labels)
    patterns = {}
    for label in np.unique(labels).tolist():
        terms = label_terms(tree, label)
        patterns[label] = re.compile(
            "|".join(rf"(?<![^\W_]){re.escape(term)}(?![^\W_])" for term in terms) or r"(?!)", re.IGNORECASE
        )
    found = (patterns[label].search(text) for label, text in zip(labels.tolist(), _joined_text(data), strict=True))
    return ["" if match is None else match.group() for match in found]


def label_terms(tree, label):
    """The code of a class and the names of it and of its top level, where they are more than one word."""
    names = (label, tree.leaf_names[label], tree.top_names[tree.top_of([label])[0]])
    return [term for term in names if not term.isalnum()]
