"""Rows of metadata as lists of texts."""

import numpy as np
import pandas as pd

from skbst._groups import read_groups
from skbst.exceptions import DataFormatError

__all__ = ["FIELDS", "read_texts", "read_uploaders"]

#: Columns that are cleaned, in the order in which a view joins them.
FIELDS = ("title", "tags", "description")


def read_texts(column):
    """Texts of a column or a sequence, a list of str; a missing value is "", a list is joined by commas."""
    if isinstance(column, str):
        raise DataFormatError(f"Expected a sequence of texts; got one str ({column[:40]!r}). Put it in a list.")
    values = np.asarray(column, dtype=object)
    if values.ndim != 1:
        raise DataFormatError(f"Expected a DataFrame or a sequence of texts; got an array of shape {values.shape}.")
    return ["" if _is_missing(value) else _as_text(value) for value in values]


def _is_missing(value):
    return value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))


def _as_text(value):
    if isinstance(value, (list, tuple, np.ndarray)):
        return ",".join(str(item) for item in value)
    return str(value)


def read_uploaders(X, groups, n_samples):
    """Uploader of each row as text, None where it is nobody's; None as a whole where there are no groups."""
    if groups is None and isinstance(X, pd.DataFrame) and "uploader" in X.columns:
        groups = X["uploader"]
    if groups is None:
        return None
    return [None if name is None else str(name) for name in read_groups(groups, n_samples)]
