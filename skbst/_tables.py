"""Read CSV files strictly, keeping the line number of each row, write cells as text; pandas only where it is meant."""

import csv
import io
from collections import Counter
from pathlib import Path

from skbst._paths import absolute_path, open_regular, printable
from skbst.exceptions import DataFormatError

__all__ = ["as_text", "check_double", "check_spelling", "id_text", "iterate_rows", "read_rows", "read_table"]

# csv refuses cells above 131,072 characters unless told otherwise, for the whole process; a pasted log is longer
_MAX_CELL = 2**31 - 1
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# spreadsheets and archives, Parquet, sounds
_BINARY = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"PAR1\x15", b"RIFF", b"fLaC", b"OggS\0", b"FORM\0")
_BINARY += (b"ID3\2", b"ID3\3", b"ID3\4", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2")


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
    records = iterate_rows(path)
    _, header = next(records)
    lines, rows = zip(*records)
    return header, list(rows), list(lines)


def read_table(path):
    """Read a CSV file into a table of text, as `read_rows` does.

    Parameters
    ----------
    path : str or path-like
        As in `read_rows`.

    Returns
    -------
    table : DataFrame of str
        One row per record, in file order.

    lines : ndarray of shape (n_rows,), int
        Line of the file in which each record ends, counted from 1.

    Raises
    ------
    DataFormatError
        As `read_rows` does.
    """
    import numpy as np
    import pandas as pd

    header, rows, lines = read_rows(path)
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    return pd.DataFrame({name: pd.Series(cells, dtype="str") for name, cells in columns.items()}), np.array(lines)


def iterate_rows(path):
    """Yield the header, then record after record, of a CSV file; the file is never in memory as a whole.

    Parameters
    ----------
    path : str or path-like
        As in `read_rows`.

    Yields
    ------
    line : int
        Line of the file in which the record ends, counted from 1.

    row : list of str
        The cells; of the header, stripped.

    Raises
    ------
    DataFormatError
        As `read_rows` does; what is wrong with a row is raised when it is reached.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_CELL))
    n_rows, path = 0, absolute_path(path)
    with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = _header(path, reader)
            yield reader.line_num, header
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise DataFormatError(
                        f"{path}, line {reader.line_num}: {len(row)} cells, but the header has {len(header)} "
                        f"({','.join(header)}). A cell with a comma or a line break needs quotes."
                    )
                n_rows += 1
                yield reader.line_num, row
        except csv.Error as error:
            raise DataFormatError(f"{path}, line {reader.line_num}: not valid CSV ({error}).") from error
        except UnicodeDecodeError as error:
            raise DataFormatError(_not_utf8(path)) from error
    if not n_rows:
        raise DataFormatError(f"{path}: the table has a header but no rows.")


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
    return str(name).lower().replace(" ", "").replace("_", "").replace("-", "")


def _header(path, reader):
    _refuse_binary(path)
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise DataFormatError(f"{path}: the file is empty; a header such as sound_id,class,title,tags is needed.")
    other = next((mark for mark in ";\t|" if len(header) == 1 and mark in header[0]), None)
    if other is not None:
        raise DataFormatError(f"{path}: its cells are separated by {other!r}. Save the table with commas between them.")
    check_double(path, header)
    return header


def check_double(path, header):
    """Refuse a header in which a column stands twice."""
    double = sorted(name for name, count in Counter(header).items() if count > 1)
    if double:
        raise DataFormatError(f"{path}: column(s) {double} stand twice in the header.")


def _refuse_binary(path):
    """A sound, a spreadsheet or an archive is no table, whatever its bytes happen to decode to."""
    with open_regular(path) as file:
        head = file.read(8)
    if head.startswith(_BINARY):
        raise DataFormatError(f"{path} is no table of text: it begins with {head!r}. Save the table as UTF-8 CSV.")


def _not_utf8(path):
    """Name the first line that is no UTF-8."""
    head = Path(path).read_bytes()[:4]
    if head.startswith(_UTF16):
        return f"{path}: the table is UTF-16 (as some spreadsheets export it), not UTF-8. Save the table as UTF-8."
    with open(path, "rb") as file:
        for line, content in enumerate(file, start=1):
            try:
                content.decode("utf-8")
            except UnicodeDecodeError as error:
                byte = content[error.start]
                return f"{path}, line {line}: byte {byte:#04x} is not UTF-8. Save the table as UTF-8."
    return f"{path}: the table is not UTF-8. Save the table as UTF-8."


def id_text(sound_id):
    """An id as text that a file holds; ``"a/b"`` for the tuple of a MultiIndex, ``"17"`` for 17.0."""
    import numpy as np

    if isinstance(sound_id, tuple):
        return printable("/".join(map(str, sound_id)))
    if isinstance(sound_id, bytes):
        return sound_id.decode("utf-8", "backslashreplace")
    # pandas makes floats of numbers in a column with gaps
    whole = isinstance(sound_id, (float, np.floating)) and sound_id.is_integer()
    return str(int(sound_id)) if whole else printable(as_text(sound_id))


def as_text(cell):
    """A cell as text, "" where there is none."""
    import numpy as np
    import pandas as pd

    if isinstance(cell, str):
        return cell
    if isinstance(cell, (list, tuple, np.ndarray)):  # tags, as Parquet and JSON hold them
        return ", ".join(map(as_text, cell))
    return "" if cell is None or cell is pd.NA or cell != cell else str(cell)
