"""What a person sees of each row: one shape for the tables of an audit and of a labelled library."""

import numpy as np
import pandas as pd

from skbst.exceptions import DataFormatError

__all__ = ["as_list", "as_text", "review_rows"]

_LIBRARY = {"label": "predicted", "suggestion": "class_2", "proba_label": "proba", "proba_suggestion": "proba_2"}


def review_rows(table):
    """Bring a table into the shape of ``LabelAudit.ranking_``, with the sound_ids as index, in the order of review."""
    if not isinstance(table, pd.DataFrame):
        raise DataFormatError(f"The table must be a DataFrame; got {type(table).__name__}.")
    if "sound_id" in table:
        table = table.set_index("sound_id")
    if "label" not in table and {"predicted", "proba"} <= set(table):
        table = _library_rows(table)
    if "label" not in table:
        raise DataFormatError(
            "The table needs a column 'label' (as LabelAudit.ranking_ has it), or 'predicted' and 'proba' (as "
            f"label_library writes them); it has {[str(name) for name in table.columns]}."
        )
    if not len(table):
        raise DataFormatError("The table has no rows to review.")
    missing = table["label"].isna()
    if missing.any():
        raise DataFormatError(f"{int(missing.sum())} of {len(table)} labels are missing. Drop these rows.")
    if not table.index.map(str).is_unique:
        raise DataFormatError("A sound_id stands twice in the table; make it unique.")
    return table


def as_list(value):
    """The names in a cell: none, one or several."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return list(value)
    return [value] if as_text(value) else []


def as_text(value):
    """A cell as text; what is missing is "", several are joined."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return ", ".join(map(str, value))
    return "" if value is None or pd.isna(value) else str(value)


def _library_rows(table):
    """Least sure first; sounds without an answer have nothing to review."""
    table = table[table["predicted"].map(as_text) != ""].sort_values("proba", kind="stable")
    rows = pd.DataFrame({ours: table[theirs] for ours, theirs in _LIBRARY.items() if theirs in table}, table.index)
    rows["reason"] = [_library_reason(row) for row in table.to_dict("records")]
    return rows


def _library_reason(row):
    parts = [as_text(row.get("reason"))]
    parts += [f"{name}: {as_text(row.get(name))}" for name in ("set", "node", "problem") if as_text(row.get(name))]
    return "; ".join(part for part in parts if part) or "A prediction; nobody has labelled this sound."
