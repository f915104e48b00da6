"""Priors that were made elsewhere: a table by sound_id."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from skbst._paths import absolute_path
from skbst._tables import id_text, read_table
from skbst.exceptions import DataFormatError
from skbst.features._priors._distribution import normalize_rows

__all__ = ["PriorTable"]

_ID = "sound_id"


class PriorTable:
    """Priors by sound_id.

    Parameters
    ----------
    source : mapping, DataFrame or path
        A mapping of sound_id to an answer; a table with one row a sound, its id as index or column "sound_id", and one
        column a label; or a table with one row an answer, columns "sound_id", "label" and "probability". A path names a
        CSV or Parquet file with such a table.

    distributions : Distributions
        Reads the answers.
    """

    def __init__(self, source, distributions):
        self._distributions = distributions
        if isinstance(source, Mapping):
            ids = [id_text(sound_id) for sound_id in source]
            self._prior = distributions.rows(source.values(), where="table of priors: ")
        else:
            ids, mass = self._masses(source if isinstance(source, pd.DataFrame) else _read(source))
            self._prior = normalize_rows(mass)
        self._ids = {sound_id: row for row, sound_id in enumerate(ids)}
        if len(self._ids) < len(ids):
            twice = pd.Index(ids)[pd.Index(ids).duplicated()][0]
            raise DataFormatError(f"The table of priors has more than one row for {twice!r}.")

    def rows(self, sound_ids):
        """Priors of some sounds, 0 where the table has none.

        Parameters
        ----------
        sound_ids : sequence
            Compared as text.

        Returns
        -------
        prior : ndarray of shape (n_samples, n_classes), float32
        """
        prior = np.zeros((len(sound_ids), len(self._distributions.classes)), dtype=np.float32)
        places = [self._ids.get(id_text(sound_id), -1) for sound_id in sound_ids]
        found = np.array(places, dtype=int) >= 0
        prior[found] = self._prior[np.array(places, dtype=int)[found]]
        return prior

    def _masses(self, table):
        if {_ID, "label", "probability"} <= set(table.columns):
            numbers = _numbers_of(table["probability"].to_numpy(), "column 'probability'")
            long = pd.DataFrame({_ID: table[_ID].map(id_text), "label": table["label"].astype(str), "p": numbers})
            wide = long.pivot_table(index=_ID, columns="label", values="p", aggfunc="sum", sort=False)
            return wide.index.tolist(), self._distributions.table(
                wide, wide.columns.tolist(), where="table of priors: "
            )
        ids = table[_ID] if _ID in table.columns else table.index
        labels = [name for name in table.columns if name != _ID]
        numbers = _numbers_of(table[labels].to_numpy(), f"columns {labels[:6]}")
        return [id_text(i) for i in ids], self._distributions.table(numbers, labels, where="table of priors: ")


def _numbers_of(cells, where):
    """Cells as float; an empty one is NaN."""
    cells = np.where(pd.isna(cells), np.nan, cells)  # pd.NA has no truth value
    empty = pd.isna(cells) | (cells == "" if cells.dtype == object else False)
    try:
        return np.where(empty, np.nan, cells).astype(np.float64)
    except (ValueError, TypeError) as error:
        raise DataFormatError(f"The table of priors must hold numbers in its {where} ({error}).") from error


def _read(path):
    path = absolute_path(path)
    if not path.is_file():
        raise DataFormatError(f"There is no file {path} with a table of priors.")
    if path.suffix.lower() in (".parquet", ".pq"):
        try:
            table = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise DataFormatError(f"{path} is not readable as Parquet ({error}).") from error
    else:
        table, _ = read_table(path)
    # Parquet may keep ids as the index; numbers of rows are none
    if _ID not in table.columns and isinstance(table.index, pd.RangeIndex):
        raise DataFormatError(f"{path} has no column {_ID!r}; it has {list(table.columns)[:8]}.")
    return table
