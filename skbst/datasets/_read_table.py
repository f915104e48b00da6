"""Read a CSV file of text cells strictly, keeping the line number of each row."""

import csv
import io

import numpy as np
import pandas as pd

from skbst.exceptions import DataFormatError

__all__ = ["check_spelling", "read_table"]


def read_table(path, *, header="sound_id,class,title,tags"):
    """Read a CSV file into a table of text.

    Nothing is interpreted: the title "NA" stays a title, the id "007" keeps its zeros, and an empty cell is
    empty text.

    Parameters
    ----------
    path : Path
        A UTF-8 CSV file (a byte order mark is skipped) with a header.

    header : str, default="sound_id,class,title,tags"
        An example of one, for the message about an empty file.

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
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataFormatError(
            f"{path}, line {line}: byte {error.object[error.start]:#04x} is not UTF-8. Save the table as UTF-8."
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = _header(path, reader, header)
    rows, lines = [], []
    try:
        for row in reader:
            if not row:
                continue
            if len(row) != len(names):
                raise DataFormatError(
                    f"{path}, line {reader.line_num}: {len(row)} cells, but the header has {len(names)} "
                    f"({','.join(names)}). A cell with a comma or a line break needs quotes."
                )
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise DataFormatError(f"{path}, line {reader.line_num}: not valid CSV ({error}).") from error
    if not rows:
        raise DataFormatError(f"{path}: the table has a header but no rows.")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return pd.DataFrame({name: pd.Series(cells, dtype="str") for name, cells in columns.items()}), np.array(lines)


def _header(path, reader, example):
    names = [name.strip() for name in next(reader, [])]
    if not any(names):
        raise DataFormatError(f"{path}: the file is empty; a header such as {example} is needed.")
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise DataFormatError(f"{path}: column(s) {double} stand twice in the header.")
    return names


def check_spelling(path, columns, known):
    """Refuse a column that is a known one in other letters, such as "Title" for "title".

    Parameters
    ----------
    path : Path
        The file, for the message.

    columns : list of str
        The columns found.

    known : iterable of str
        The columns that have a meaning.

    Raises
    ------
    DataFormatError
        If a known column is there in another spelling only.
    """
    for name in columns:
        for proper in known:
            if name != proper and proper not in columns and _plain(name) == _plain(proper):
                raise DataFormatError(f"{path}: column {name!r} must be spelled {proper!r}.")


def _plain(name):
    return name.lower().replace(" ", "").replace("_", "").replace("-", "")
