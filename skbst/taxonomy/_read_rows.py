"""Read a CSV file strictly, keeping the line number of each row; no pandas, so that the taxonomy stays light."""

import csv
import io
from pathlib import Path

from skbst.exceptions import DataFormatError

__all__ = ["read_rows"]


def read_rows(path):
    """Read a CSV file into rows of text.

    Nothing is interpreted: the title "NA" stays a title, the id "007" keeps its zeros, and an empty cell is
    empty text.

    Parameters
    ----------
    path : str or path-like
        A UTF-8 CSV file (a byte order mark is skipped) with a header.

    Returns
    -------
    header : list of str
        Names of the columns, stripped.

    rows : list of list of str
        The records in file order, each with as many cells as the header; empty lines are passed over.

    lines : list of int
        Line of the file in which each record ends, counted from 1.

    Raises
    ------
    DataFormatError
        If the file is not UTF-8, has no header or no rows, a header is double, or a row has another number
        of cells than the header; the message names the file and the line.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataFormatError(
            f"{path}, line {line}: byte {error.object[error.start]:#04x} is not UTF-8. Save the table as UTF-8."
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, lines = [], []
    try:
        header = _header(path, reader)
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise DataFormatError(
                    f"{path}, line {reader.line_num}: {len(row)} cells, but the header has {len(header)} "
                    f"({','.join(header)}). A cell with a comma or a line break needs quotes."
                )
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise DataFormatError(f"{path}, line {reader.line_num}: not valid CSV ({error}).") from error
    if not rows:
        raise DataFormatError(f"{path}: the table has a header but no rows.")
    return header, rows, lines


def _header(path, reader):
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise DataFormatError(f"{path}: the file is empty; a header such as sound_id,class,title,tags is needed.")
    double = sorted({name for name in header if header.count(name) > 1})
    if double:
        raise DataFormatError(f"{path}: column(s) {double} stand twice in the header.")
    return header
