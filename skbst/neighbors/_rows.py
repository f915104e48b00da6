"""Rows of embeddings: normalisation, and groups as integers."""

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length

from skbst._groups import matched_group_codes
from skbst.exceptions import DataFormatError

__all__ = ["checked_groups", "counted_rows", "label_positions", "normalized_rows"]


def normalized_rows(X, normalize=True):
    """Divide each row by its norm; rows of zeros stay.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Finite numbers.

    normalize : bool, default=True
        False only checks and converts.

    Returns
    -------
    rows : ndarray of shape (n_samples, n_features), float32
        A new array where something was divided.

    Examples
    --------
    >>> from skbst.neighbors._rows import normalized_rows
    >>> normalized_rows([[3, 4], [0, 0]])
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    X = check_array(X, dtype=np.float32, order="C", ensure_min_samples=0, input_name="X")
    if not normalize:
        return X
    norms = _norms(X)
    rows = X / np.where(norms == 0, 1, norms)[:, None]
    # squares of huge and tiny numbers leave the range of float32
    odd = np.flatnonzero(~np.isfinite(norms) | (norms < 1e-15))
    if len(odd):
        largest = np.abs(X[odd]).max(axis=1, initial=0)[:, None]
        scaled = X[odd] / np.where(largest == 0, 1, largest)
        rows[odd] = scaled / np.maximum(_norms(scaled), 1)[:, None]
    return rows


def _norms(X):
    with np.errstate(over="ignore"):
        return np.sqrt(np.einsum("ij,ij->i", X, X))


def checked_groups(query_groups, bank_groups, n_queries, n_bank):
    """Encode two lists of groups as integers that are equal where the groups are.

    Parameters
    ----------
    query_groups, bank_groups : array-like or None
        Labels of any type; missing ones equal nothing.

    n_queries, n_bank : int
        Their expected lengths.

    Returns
    -------
    query_codes, bank_codes : ndarray of int32, or None and None
        Codes.

    Raises
    ------
    DataFormatError
        If only one of the two is given, or one is of the wrong length.
    """
    if query_groups is None and bank_groups is None:
        return None, None
    if query_groups is None or bank_groups is None:
        given, missing = ("bank", "query") if query_groups is None else ("query", "bank")
        raise DataFormatError(f"Groups of the {given} are given, but not those of the {missing}; pass both or none.")
    check_consistent_length(query_groups, range(n_queries))
    check_consistent_length(bank_groups, range(n_bank))
    return tuple(codes.astype(np.int32) for codes in matched_group_codes(query_groups, bank_groups))


def counted_rows(y, sample_weight):
    """Positions of the rows that have a weight.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.

    sample_weight : array-like of shape (n_samples,) or None
        Weights; a row of weight 0 is no row.

    Returns
    -------
    rows : ndarray of shape (n_counted,), int
        Positions.

    Raises
    ------
    ValueError
        If weights of 0 leave one class of several.
    """
    if sample_weight is None:
        return np.arange(len(y))
    sample_weight = np.asarray(sample_weight)
    check_consistent_length(y, sample_weight)
    rows = np.flatnonzero(sample_weight > 0)
    if len(np.unique(y[rows])) < min(2, len(np.unique(y))):
        raise ValueError("sample_weight is 0 for all rows but those of one class; at least 2 classes must count.")
    return rows


def label_positions(y, classes):
    """Positions of labels among classes, which need not be sorted.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.

    classes : ndarray of shape (n_classes,)
        What the classifier knows.

    Returns
    -------
    positions : ndarray of shape (n_samples,), int

    Raises
    ------
    DataFormatError
        If the classifier does not know a label.
    """
    order = np.argsort(classes)
    positions = order[np.minimum(np.searchsorted(classes, y, sorter=order), len(classes) - 1)]
    unknown = classes[positions] != y
    if unknown.any():
        raise DataFormatError(
            f"{int(unknown.sum())} of {len(y)} training rows have a label that the classifier does not know (first: "
            f"{y[unknown][0]!r}). A frozen classifier must have been trained on all classes of y."
        )
    return positions
