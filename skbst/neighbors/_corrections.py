"""Corrected labels of the rows of a bank."""

import numpy as np
import pandas as pd

from skbst.exceptions import DataFormatError

__all__ = ["corrections_of_bank"]


def corrections_of_bank(rows, labels, bank_rows, classes):
    """Find where corrections belong.

    Parameters
    ----------
    rows : array-like of shape (n_corrections,), int
        Positions among the training rows.

    labels : array-like of shape (n_corrections,)
        Their right classes.

    bank_rows : ndarray of shape (n_bank,), int
        Position of each row of the bank among the training rows, ascending.

    classes : ndarray of shape (n_classes,)
        What the classifier knows.

    Returns
    -------
    places : ndarray of shape (n_corrections,), int
        Positions in the bank.

    codes : ndarray of shape (n_corrections,), int
        Positions in `classes`.

    Raises
    ------
    DataFormatError
        If a row or a label is not there, or two corrections of one row disagree.
    """
    rows, labels = np.asarray(rows), np.asarray(labels, dtype=object)
    if rows.size == 0:
        rows = rows.astype(np.intp)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or labels.shape != rows.shape:
        raise DataFormatError(
            f"correct needs one label for each of some whole numbers of rows; got rows of shape {rows.shape} and type "
            f"{rows.dtype}, labels of shape {labels.shape}."
        )
    places = np.minimum(np.searchsorted(bank_rows, rows), len(bank_rows) - 1)
    outside = bank_rows[places] != rows
    if outside.any():
        raise DataFormatError(
            f"{int(outside.sum())} of {len(rows)} rows are not in the bank (first: {rows[outside][0]}). Rows are "
            f"positions in what fit got, and those of sample_weight 0 are left out."
        )
    codes = pd.Index(classes, dtype=object).get_indexer(labels)
    unknown = codes < 0
    if unknown.any():
        raise DataFormatError(
            f"{int(unknown.sum())} of {len(labels)} labels are no class of the model (first: {labels[unknown][0]!r}). "
            f"Take one of {classes.tolist()[:30]}, or fit again with rows of the new class."
        )
    first = pd.DataFrame({"place": places, "code": codes}).drop_duplicates()["place"]
    if first.duplicated().any():
        raise DataFormatError(f"Row {bank_rows[first[first.duplicated()].iloc[0]]} is corrected twice, to two classes.")
    return places, codes
