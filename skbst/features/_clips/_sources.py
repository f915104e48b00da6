"""What a featurizer of sounds is given: paths, arrays with their rate, or a table of waveforms."""

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skbst._sklearn import validate_data
from skbst.audio import as_waveform, scale_integers
from skbst.exceptions import DataFormatError

__all__ = ["Sources", "read_sources"]

_KINDS = "Pass text, path objects or tuples (waveform, sample_rate)."


@dataclass
class Sources:
    """Sounds in order.

    Parameters
    ----------
    items : list or ndarray of shape (n_samples, n_values)
        Paths, tuples (waveform, sample_rate), or the rows of a table of waveforms.

    ids : sequence or None
        Their names.

    are_files : bool
        False for a table of waveforms, which has no file that could be broken.
    """

    items: object
    ids: object
    are_files: bool

    def __len__(self):
        return len(self.items)


def read_sources(estimator, X, column, *, reset):
    """Find the sounds in what a featurizer was given.

    Parameters
    ----------
    estimator : estimator
        Whose ``n_features_in_`` is set (`reset`) or compared, where X is a table of waveforms.

    X : DataFrame, Series, Index, sequence of paths, or array-like of shape (n_samples, n_values)
        The sounds. Integers in a table are scaled to [-1, 1] by the range of their type, as in a file. Among paths, a
        cell that is none (a number, a list) is the problem "no path" of its row, as in `skbst.audio.load_clips`.

    column : str
        Column of a DataFrame that holds the paths.

    reset : bool
        Whether this is `fit`.

    Returns
    -------
    sources : Sources
        The sounds.

    Raises
    ------
    DataFormatError
        If a DataFrame has no such column and is no table of numbers; if X is one single sound, has no order, can be
        read only once, or holds no sound; if an array or tuple is no waveform with its rate; or, in `fit`, if no cell
        of a column is a path.
    """
    _refuse_what_has_no_rows(X)
    if isinstance(X, pd.DataFrame):
        if column in X.columns:
            cells = X[column]
            if isinstance(cells, pd.DataFrame):
                raise DataFormatError(f"The DataFrame has {cells.shape[1]} columns {column!r}. Leave one of them.")
            return _files(cells.tolist(), X.index, reset)
        if not all(pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes):
            raise DataFormatError(
                f"The DataFrame has no column {column!r} with the paths of the sounds; it has {list(X.columns)}. "
                "Name the column with column=..."
            )
    elif isinstance(X, pd.Series):
        if not pd.api.types.is_numeric_dtype(X.dtype) or X.isna().all():
            return _files(X.tolist(), X.index, reset)
    else:
        items = _sounds_of(X)
        if items is not None:
            return _files(items, None, reset)
    return Sources(_waveforms(estimator, X, reset), None, are_files=False)


def _refuse_what_has_no_rows(X):
    if isinstance(X, np.ndarray) and X.ndim == 0:
        X = X.item()
    if isinstance(X, (str, bytes, os.PathLike)):
        raise DataFormatError(f"Expected a sequence of paths; got the single path {X!r}. Pass [path].")
    if _is_pair(X):
        raise DataFormatError("Expected a sequence of sounds; got a single (waveform, sample_rate). Pass it in a list.")
    if isinstance(X, Iterator):
        raise DataFormatError(
            f"Expected a sequence of paths; got {type(X).__name__}, which can be read only once. Pass list(X)."
        )
    if isinstance(X, (set, frozenset)):
        raise DataFormatError(
            f"Expected a sequence of paths; got {type(X).__name__}, without an order. Pass sorted(X)."
        )
    # one kind of sparse matrix is a mapping, too
    if isinstance(X, Mapping) and not hasattr(X, "shape"):
        raise DataFormatError(f"Expected a sequence of paths; got {type(X).__name__}. Pass pandas.Series(X).")


def _sounds_of(X):
    """List of sounds, or None where X is a table of numbers."""
    if isinstance(X, np.ndarray):
        if X.dtype.kind not in "OUS" or X.ndim > 2:
            return None
        items = list(X)
    elif isinstance(X, (pd.Index, pd.api.extensions.ExtensionArray)):
        items = X.tolist()
    elif isinstance(X, Iterable) and not hasattr(X, "shape") and not hasattr(X, "__array__"):
        items = list(X)
    else:
        return None
    if any(_is_path(item) or _is_pair(item) for item in items) or (items and all(map(_is_missing, items))):
        return items
    rows = [row for row in items if _has_paths(row)]
    if not rows:
        _check_lengths(items)
        return None
    if len(rows) < len(items) or any(len(row) != 1 for row in items):
        raise DataFormatError(
            f"Expected one path a row; got rows such as {list(rows[0])!r}. Pass the column with the paths alone, or a "
            "DataFrame."
        )
    return [row[0] for row in items]


def _has_paths(row):
    """Whether a row of a table holds paths; its first few values tell."""
    if isinstance(row, np.ndarray):
        return row.ndim == 1 and row.dtype.kind in "OUS" and any(map(_is_path, row[:8]))
    return isinstance(row, (list, tuple)) and any(map(_is_path, row[:8]))


def _check_lengths(rows):
    """Refuse waveforms that make no table, where numpy would only speak of an inhomogeneous shape."""
    lengths = {len(row) for row in rows if isinstance(row, (list, tuple)) or (isinstance(row, np.ndarray) and row.ndim)}
    if len(lengths) > 1:
        raise DataFormatError(
            f"The rows of a table of waveforms have one length; these have {min(lengths)} to {max(lengths)} values. "
            "Pass a list of tuples (waveform, sample_rate) for sounds of different length."
        )


def _is_path(item):
    return isinstance(item, (str, bytes, os.PathLike))


def _is_pair(item):
    """Whether something is meant as (waveform, sample_rate), however wrong either is."""
    if not isinstance(item, tuple) or len(item) != 2:
        return False
    waveform, rate = item
    return hasattr(waveform, "__len__") and not _is_path(waveform) and (np.ndim(rate) == 0 or _is_path(rate))


def _is_missing(item):
    return item is None or item is pd.NA or (isinstance(item, float) and item != item)


def _files(items, ids, reset):
    if not items:
        raise DataFormatError("Found 0 sounds while a minimum of 1 is required.")
    strange = []
    for row, item in enumerate(items):
        if isinstance(item, (tuple, np.ndarray)):
            items[row] = _checked(item, f"Sound {row + 1} of {len(items)}")
        elif not (_is_path(item) or _is_missing(item)):
            strange.append(item)
    if reset and len(strange) == len(items):
        raise DataFormatError(f"{len(strange)} of {len(items)} sounds are no paths (first: {strange[0]!r}). {_KINDS}")
    return Sources(items, ids, are_files=True)


def _checked(sound, name):
    """A sound that is an array, with its rate or alone."""
    if isinstance(sound, tuple) and not _is_pair(sound):
        raise DataFormatError(f"{name} is a tuple, but not (waveform, sample_rate). {_KINDS}")
    try:
        # any rate for an array alone: it has that of the featurizer
        return as_waveform(*sound) if isinstance(sound, tuple) else as_waveform(sound, 1)[0]
    except ValueError as error:
        raise DataFormatError(f"{name}: {error}") from error


def _waveforms(estimator, X, reset):
    """Rows of numbers as floats, integers scaled."""
    waveforms = validate_data(estimator, X, dtype="numeric", reset=reset)
    # scikit-learn makes floats of pandas' nullable integers
    dtypes = X.dtypes if isinstance(X, pd.DataFrame) else [waveforms.dtype]
    dtype = np.result_type(*(getattr(dtype, "numpy_dtype", dtype) for dtype in dtypes))
    if dtype.kind in "iu":
        if dtype.itemsize > 4:
            warnings.warn(
                f"Waveforms of {dtype} are taken for full scale at 2**63: those of 16 or 32 bits become silence. Pass "
                "int16 or int32 (X.astype), or floats in [-1, 1].",
                UserWarning,
                stacklevel=3,
            )
        return scale_integers(waveforms.astype(dtype, copy=False))
    return waveforms if waveforms.dtype in (np.float32, np.float64) else waveforms.astype(np.float32)
