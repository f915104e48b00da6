"""What a featurizer of sounds is given: paths, arrays with their rate, or a table of waveforms."""

import os
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skbst._sklearn import validate_data
from skbst.exceptions import DataFormatError

__all__ = ["Sources", "read_sources"]


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

    X : DataFrame, Series, sequence of paths, or array-like of shape (n_samples, n_values)
        The sounds.

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
        If a DataFrame has no such column and is no table of numbers, if X is one single path, or holds no sound.
    """
    if isinstance(X, (str, bytes, os.PathLike)):
        raise DataFormatError(f"Expected a sequence of paths; got the single path {X!r}. Pass [path].")
    if isinstance(X, pd.DataFrame):
        if column in X.columns:
            return _files(X[column].tolist(), X.index)
        if not all(pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes):
            raise DataFormatError(
                f"The DataFrame has no column {column!r} with the paths of the sounds; it has {list(X.columns)}. "
                "Name the column with column=..."
            )
    elif isinstance(X, pd.Series):
        if not pd.api.types.is_numeric_dtype(X.dtype) or X.isna().all():
            return _files(X.tolist(), X.index)
    elif _is_sequence_of_sounds(X):
        return _files(list(X), None)
    waveforms = validate_data(estimator, X, dtype=[np.float32, np.float64], reset=reset)
    return Sources(waveforms, None, are_files=False)


def _is_sequence_of_sounds(X):
    """Whether X is 1-D and holds paths or (waveform, sample_rate), rather than numbers."""
    if isinstance(X, np.ndarray):
        return X.ndim == 1 and X.dtype.kind in "OUS" and len(X) > 0
    return isinstance(X, (list, tuple)) and len(X) > 0 and all(_is_sound(item) for item in X)


def _is_sound(item):
    if isinstance(item, tuple):
        return len(item) == 2 and np.ndim(item[0]) in (1, 2) and np.ndim(item[1]) == 0
    return item is None or item is pd.NA or isinstance(item, (str, os.PathLike))


def _files(items, ids):
    if not items:
        raise DataFormatError("Found 0 sounds while a minimum of 1 is required.")
    strange = [item for item in items if isinstance(item, (int, np.integer, bytes))]
    if strange:
        raise DataFormatError(
            f"{len(strange)} of {len(items)} sounds are no paths (first: {strange[0]!r}). "
            "Pass text, path objects or tuples (waveform, sample_rate)."
        )
    return Sources(items, ids, are_files=True)
