"""Labels that somebody corrected, beside a table that stays as it was released."""

import io
import os

import numpy as np
import pandas as pd

from skbst._paths import absolute_path, open_regular
from skbst._tables import read_table
from skbst.exceptions import DataFormatError

__all__ = ["check_new_labels", "correct_labels"]

_COLUMNS = ("sound_id", "from", "to", "who", "when", "why")


def correct_labels(metadata, corrections, *, csv):
    """Take corrections over into the labels of a metadata table.

    Parameters
    ----------
    metadata : DataFrame of shape (n_rows, n_columns)
        Index ``sound_id``; with ``class``.

    corrections : str, path-like or DataFrame of shape (n_corrections, ...)
        Columns ``sound_id`` (or ``id``), ``from`` and ``to``, optionally ``who``, ``when`` and ``why``; a sound may
        stand there again, later corrections build on earlier ones.

    csv : Path
        The metadata table, for messages.

    Returns
    -------
    metadata : DataFrame of shape (n_rows, n_columns)
        A corrected copy. ``class_top`` follows, ``class_idx`` is emptied.

    log : DataFrame of shape (n_corrections, 6)
        What was corrected, all text.

    Raises
    ------
    DataFormatError
        If a column is missing, a cell that must be there is empty, a sound is not in the table, or its label is not
        the one that was corrected.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.datasets._corrections import correct_labels
    >>> metadata = pd.DataFrame({"class": ["fx-n", "fx-a"]}, index=["7", "9"])
    >>> table = pd.DataFrame({"sound_id": ["7"], "from": ["fx-n"], "to": ["ss-n"]})
    >>> correct_labels(metadata, table, csv="table.csv")[0]["class"].tolist()
    ['ss-n', 'fx-a']
    """
    log, name = _read(corrections)
    places = metadata.index.get_indexer_for(log["sound_id"])
    if (places < 0).any():
        raise DataFormatError(
            f"{name}: {int((places < 0).sum())} of {len(log)} corrections are about sounds that are not in {csv} "
            f"(first: {log['sound_id'][places < 0].iloc[0]!r}). Pass the corrections of this data set."
        )
    labels = metadata["class"].to_numpy(dtype=object, copy=True)
    for place, sound_id, old, new in zip(places, log["sound_id"], log["from"], log["to"]):
        if labels[place] != old:
            raise DataFormatError(
                f"{name}: {sound_id!r} is corrected from {old!r}, but is {labels[place]!r} in {csv} (with the earlier "
                "corrections). They were made for another version of the labels; take out what no longer holds."
            )
        labels[place] = new
    metadata = metadata.copy()
    metadata["class"] = pd.Series(labels, index=metadata.index, dtype=metadata["class"].dtype)
    changed = np.unique(places)
    if "class_top" in metadata:
        metadata.iloc[changed, metadata.columns.get_loc("class_top")] = [
            label.split("-")[0] for label in labels[changed]
        ]
    if "class_idx" in metadata:
        metadata.iloc[changed, metadata.columns.get_loc("class_idx")] = ""
    return metadata, log


def check_new_labels(log, taxonomy):
    """Refuse corrections to what is no class of the tree."""
    to = log["to"].to_numpy(dtype=object)
    unknown = ~taxonomy.is_leaf(to) & ~np.array([label.endswith("-other") for label in to], dtype=bool)
    if unknown.any():
        raise DataFormatError(
            f"{int(unknown.sum())} of {len(log)} corrections are to no class of the taxonomy (first: "
            f"{log['sound_id'][unknown].iloc[0]!r} to {to[unknown][0]!r}). Class codes are such as "
            f"{str(taxonomy.leaves[0])!r}."
        )


def _read(corrections):
    """A table of corrections as text, and what to call it."""
    if isinstance(corrections, pd.DataFrame):
        name, table = "corrections", corrections.copy()
    else:
        name = absolute_path(os.fspath(corrections))
        table = _read_file(name)
    table.columns = [str(column) for column in table.columns]
    if "sound_id" not in table and "id" in table:
        table = table.rename(columns={"id": "sound_id"})
    missing = [column for column in _COLUMNS[:3] if column not in table]
    if missing:
        raise DataFormatError(
            f"{name} needs the columns sound_id, from and to (as the log of apply_review has them); {missing} are "
            f"missing, it has {list(table.columns)}."
        )
    log = table.reindex(columns=list(_COLUMNS)).reset_index(drop=True)
    log = log.apply(lambda cells: cells.map(lambda cell: "" if pd.isna(cell) else str(cell).strip()).astype(object))
    for column in _COLUMNS[:3]:
        empty = np.flatnonzero(log[column] == "")
        if len(empty):
            raise DataFormatError(f"{name}: correction {empty[0]} has an empty cell in the column {column!r}.")
    return log, name


def _read_file(path):
    with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig", errors="replace") as file:
        lines = [line for line in file if line.strip()][:2]
    # a log of a review in which everything was kept
    return pd.DataFrame(columns=lines[0].strip().split(",")) if len(lines) == 1 else read_table(path)[0]
