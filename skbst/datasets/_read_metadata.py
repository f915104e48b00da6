"""Read and check the metadata table of a data set."""

import numpy as np
import pandas as pd

from skbst._tables import check_spelling, read_table
from skbst.exceptions import DataFormatError

__all__ = ["read_metadata"]

_KNOWN = (
    *("sound_id", "anonymous_id", "class", "class_idx", "class_top", "confidence", "uploader", "license"),
    *("title", "tags", "description"),
)


def read_metadata(path, *, labelled=None, told=False):
    """Read a metadata table in any of the released layouts.

    Parameters
    ----------
    path : Path
        The CSV file.

    labelled : bool, default=None
        Whether the ``class`` column is wanted. None: if the id column is ``sound_id``; a table with
        ``anonymous_id`` (BSD2k) is read without labels unless it has a ``class`` column.

    told : bool, default=False
        Whether it is known which labels are predicted.

    Returns
    -------
    metadata : DataFrame
        Index ``sound_id`` (str, unique), all columns of the file as text, in file order; ``confidence`` as
        float (NaN where empty); ``description`` added empty where the release has none.

    lines : ndarray of shape (n_rows,), int
        Line of the file of each row.

    labelled : bool
        Whether there are labels.

    notes : list of str
        What a user should be told about.

    Raises
    ------
    DataFormatError
        On a missing column, an empty or double id, or a confidence that is no number from 1 to 5.
    """
    table, lines = read_table(path)
    check_spelling(path, list(table.columns), _KNOWN)
    notes = [] if labelled is False else _take_pack_labels(path, table, told)
    id_column = _id_column(path, table)
    if labelled is None:
        labelled = id_column == "sound_id" or "class" in table
    _require(path, table, labelled)
    table[id_column] = table[id_column].str.strip()
    _check_ids(path, table[id_column], lines)
    if labelled:
        table["class"] = table["class"].str.strip()
    if "description" not in table:
        table["description"] = pd.Series([""] * len(table), dtype="str")
    if "confidence" in table:
        table["confidence"] = _as_scores(path, table["confidence"], lines)
    notes += _contradictions(path, table, lines) if labelled else []
    return table.set_index(id_column).rename_axis("sound_id"), lines, labelled, notes


def _take_pack_labels(path, table, told):
    """Labels of a Freesound data pack, which do not tell what users chose from what Freesound predicted."""
    if "class" in table or "bst_category" not in table:
        return []
    table["class"] = table["bst_category"]
    if told:
        return []
    return [
        f"{path}: the labels are those of column 'bst_category', which does not tell what users chose from what "
        "Freesound predicted. A model that is trained on them learns, and is scored on, predictions of another model. "
        "Pass predicted_column= with a column that says which are predicted; those rows are then left out."
    ]


def _id_column(path, table):
    for name in ("sound_id", "anonymous_id"):
        if name in table:
            return name
    raise DataFormatError(
        f"{path}: column 'sound_id' (or 'anonymous_id' for unlabelled sounds) is missing; found {list(table.columns)}."
    )


def _require(path, table, labelled):
    if labelled and "class" not in table:
        raise DataFormatError(
            f"{path}: column 'class' is missing; found {list(table.columns)}. Pass labelled=False for sounds without "
            "labels."
        )
    for name in ("title", "tags"):
        if name not in table:
            raise DataFormatError(
                f"{path}: column {name!r} is missing; found {list(table.columns)}. Add an empty column if there is no "
                "such text."
            )


def _check_ids(path, ids, lines):
    empty = np.flatnonzero(ids == "")
    if len(empty):
        raise DataFormatError(
            f"{path}, line {lines[empty[0]]}, column {ids.name!r}: {len(empty)} row(s) have no id. Give each an id."
        )
    double = ids.duplicated(keep=False)
    if double.any():
        first = ids[double].iloc[0]
        where = lines[(ids == first).to_numpy()].tolist()
        raise DataFormatError(
            f"{path}, column {ids.name!r}: {ids[double].nunique()} id(s) stand more than once (first: {first!r} in "
            f"lines {where}). Each sound has one row."
        )


def _as_scores(path, cells, lines):
    empty = (cells.str.strip() == "") | (cells.str.strip().str.lower() == "nan")
    numbers = pd.to_numeric(cells.where(~empty, "nan"), errors="coerce").astype(float)
    bad = np.flatnonzero((~empty & ~numbers.between(1, 5)).to_numpy())
    if len(bad):
        raise DataFormatError(
            f"{path}, line {lines[bad[0]]}, column {cells.name!r}: {cells.iloc[bad[0]]!r} is not a number from 1 to 5, "
            f"the scores that annotators give ({len(bad)} such row(s)). Leave the cell empty where there is no score."
        )
    return numbers


def _contradictions(path, table, lines):
    """``class`` is the key; the columns that repeat it are only compared with it."""
    notes = []
    labels = table["class"].to_numpy(dtype=object)
    if "class_top" in table:
        tops = np.array([label.split("-")[0] for label in labels], dtype=object)
        given = table["class_top"].str.strip().to_numpy(dtype=object)
        bad = np.flatnonzero((given != tops) & (given != "") & (labels != ""))
        if len(bad):
            row = bad[0]
            notes.append(
                f"{path}, line {lines[row]}: class_top is {table['class_top'].iloc[row]!r} but class is "
                f"{labels[row]!r} ({len(bad)} such row(s)); class is used."
            )
    if "class_idx" in table:
        pairs = pd.DataFrame({"class": labels, "idx": table["class_idx"].str.strip()}).drop_duplicates()
        pairs = pairs[(pairs != "").all(axis=1)]
        for name, other in (("class", "idx"), ("idx", "class")):
            double = pairs[pairs[name].duplicated(keep=False)]
            if len(double):
                key = double[name].iloc[0]
                values = double.loc[double[name] == key, other].tolist()
                notes.append(f"{path}: {name} {key!r} stands with {other} {values}; class is used, class_idx never.")
                break
    return notes
