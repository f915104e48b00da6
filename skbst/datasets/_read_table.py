"""Read a CSV file of text cells strictly, keeping the line number of each row."""

import numpy as np
import pandas as pd

from skbst._tables import check_spelling, read_rows

__all__ = ["check_spelling", "read_table"]


def read_table(path):
    """Read a CSV file into a table of text.

    Nothing is interpreted: the title "NA" stays a title, the id "007" keeps its zeros, and an empty cell is
    empty text.

    Parameters
    ----------
    path : Path
        A UTF-8 CSV file (a byte order mark is skipped) with a header.

    Returns
    -------
    table : DataFrame of str
        One row per record, in file order.

    lines : ndarray of shape (n_rows,), int
        Line of the file in which each record ends, counted from 1.

    Raises
    ------
    DataFormatError
        If the file is not UTF-8, has no header or no rows, a header is double, or a row has another number
        of cells than the header; the message names the file and the line.
    """
    header, rows, lines = read_rows(path)
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    return pd.DataFrame({name: pd.Series(cells, dtype="str") for name, cells in columns.items()}), np.array(lines)
