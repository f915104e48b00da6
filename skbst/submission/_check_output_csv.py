"""The rules for the output file of a submission."""

import math
from collections import Counter

import numpy as np

from skbst._paths import open_regular
from skbst._tables import read_table
from skbst.exceptions import DataFormatError
from skbst.submission._format import OUTPUT_COLUMNS, SCORE_COLUMN

__all__ = ["check_output_csv"]


def check_output_csv(path, *, ids=None, taxonomy):
    """List what is wrong with an output file.

    Parameters
    ----------
    path : Path
        The CSV file.

    ids : sequence of str, default=None
        Ids of the evaluation set; None does not compare them.

    taxonomy : Taxonomy
        Its leaves are the classes that may be predicted.

    Returns
    -------
    problems : list of str
        Empty if all is well.

    notes : list of str
        What is allowed but odd.
    """
    with open_regular(path) as file:
        content = file.read()
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        return [f"{path}: the file is empty; the header {','.join(OUTPUT_COLUMNS)} is needed."], []
    try:
        table, lines = read_table(path)
    except DataFormatError as error:
        return [str(error)], []
    columns = tuple(table.columns)
    if columns not in (OUTPUT_COLUMNS, (*OUTPUT_COLUMNS, SCORE_COLUMN)):
        return [
            f"{path}: the header is {','.join(columns)}; expected {','.join(OUTPUT_COLUMNS)} and, if there are scores, "
            f",{SCORE_COLUMN} (in this order)."
        ], []
    problems = _check_ids(path, table["id"].tolist(), lines, ids)
    labels = table[OUTPUT_COLUMNS[1]].to_numpy(dtype=object)
    problems += _check_classes(path, labels, lines, taxonomy)
    notes = []
    if len(labels) > 1 and len(set(labels)) == 1:
        notes.append(f"{path}: every row is predicted {labels[0]!r}.")
    if SCORE_COLUMN in table:
        problems += _check_scores(path, table[SCORE_COLUMN].tolist(), lines)
        if len(labels) > 1 and table[SCORE_COLUMN].nunique() == 1:
            notes.append(f"{path}: every row has the score {table[SCORE_COLUMN].iloc[0]}.")
    return problems, notes


def _check_ids(path, found, lines, expected):
    problems = []
    empty = [line for value, line in zip(found, lines, strict=True) if not value.strip()]
    if empty:
        problems.append(f"{path}, line {empty[0]}: the id is empty ({len(empty)} such row(s)).")
    double = [value for value, count in Counter(found).items() if count > 1 and value.strip()]
    if double:
        problems.append(f"{path}: {len(double)} id(s) stand more than once {_some(double)}.")
    if expected is None:
        return problems
    missing = [value for value in dict.fromkeys(expected) if value not in set(found)]
    foreign = [value for value in dict.fromkeys(found) if value not in set(expected) and value.strip()]
    hint = ""
    if missing and {_stem(value) for value in missing} & {_stem(value) for value in foreign}:
        hint = " They differ by an extension such as .wav; write the ids as the metadata has them."
    if missing:
        problems.append(f"{path}: {len(missing)} of {len(expected)} ids are missing {_some(missing)}.{hint}")
    if foreign:
        problems.append(f"{path}: {len(foreign)} id(s) are not in the evaluation set {_some(foreign)}.")
    return problems


def _check_classes(path, labels, lines, taxonomy):
    wrong = np.flatnonzero(~taxonomy.is_leaf(labels))
    if not len(wrong):
        return []
    codes = sorted({str(labels[row]) for row in wrong})
    return [
        f"{path}, line {lines[wrong[0]]}: {len(wrong)} row(s) predict something else than one of the "
        f"{taxonomy.n_leaves} second-level classes {_some(codes)}."
    ]


def _check_scores(path, cells, lines):
    wrong = [(cell, line) for cell, line in zip(cells, lines, strict=True) if not _is_score(cell)]
    if not wrong:
        return []
    return [
        f"{path}, line {wrong[0][1]}: {SCORE_COLUMN} {wrong[0][0]!r} is not a number in [0, 1] ({len(wrong)} such "
        "row(s)); leave the column out if there are no scores."
    ]


def _is_score(cell):
    try:
        value = float(cell)
    except ValueError:
        return False
    return math.isfinite(value) and 0 <= value <= 1


def _stem(value):
    return value.rsplit(".", 1)[0] if "." in value else value


def _some(values):
    shown = ", ".join(repr(value) for value in values[:3])
    return f"({shown}{', ...' if len(values) > 3 else ''})"
