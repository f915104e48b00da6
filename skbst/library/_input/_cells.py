"""Cells of tables as text."""

import numpy as np
import pandas as pd

from skbst._paths import printable

__all__ = ["as_text", "id_text"]


def id_text(sound_id):
    """An id as text that a file holds; ``"a/b"`` for the tuple of a MultiIndex, ``"17"`` for 17.0."""
    if isinstance(sound_id, tuple):
        return printable("/".join(map(str, sound_id)))
    # pandas makes floats of numbers in a column with gaps
    whole = isinstance(sound_id, float) and sound_id.is_integer()
    return str(int(sound_id)) if whole else printable(as_text(sound_id))


def as_text(cell):
    """A cell as text, "" where there is none."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, (list, tuple, np.ndarray)):  # tags, as Parquet and JSON hold them
        return ", ".join(map(as_text, cell))
    return "" if cell is None or cell is pd.NA or cell != cell else str(cell)
