"""What a person sees of each row: one shape for an audit, a labelled library and an explanation."""

import numpy as np
import pandas as pd

from skbst.exceptions import DataFormatError

__all__ = ["as_list", "as_text", "library_rows", "review_rows", "text_index"]

_EXPLANATION = {"clip", "rank", "neighbour", "label", "share", "prediction", "proba"}


def review_rows(table):
    """Bring a table into one shape, in the order of review.

    Index: the sound_ids as text. Columns ``label``, ``suggestions`` (pairs of class and probability or None) and,
    where the table has them, ``proba_label``, ``reason``, ``problem``, ``set``, ``node``, ``neighbours`` (names or
    mappings), ``stratum`` and ``n_stratum``.
    """
    if not isinstance(table, pd.DataFrame):
        raise DataFormatError(f"The table must be a DataFrame; got {type(table).__name__}.")
    if set(table) >= _EXPLANATION:
        table = _explained_rows(table)
    else:
        table = table.set_index("sound_id") if "sound_id" in table else table
        if "label" not in table and {"predicted", "proba"} <= set(table):
            table = library_rows(table)
            if "stratum" not in table:
                table = table.sort_values("proba", kind="stable")
        table = _with_suggestions(table)
    _check(table)
    return table.set_axis(text_index(table.index))


def text_index(index):
    """Names as text, those too that are no UTF-8 (as file names can be), which pandas' own text refuses."""
    return pd.Index([str(name) for name in index], dtype=object, name=index.name)


def library_rows(table):
    """The rows of a labelled library that have an answer; sounds without one have nothing to review."""
    table = table.set_index("sound_id") if "sound_id" in table else table
    missing = {"predicted", "proba"} - set(table)
    if missing:
        raise DataFormatError(f"The table needs the columns that label_library writes; {sorted(missing)} are missing.")
    return table[table["predicted"].map(as_text) != ""]


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


def _check(table):
    if "label" not in table:
        raise DataFormatError(
            "The table needs a column 'label' (as LabelAudit.ranking_ has it), 'predicted' and 'proba' (as "
            "label_library writes them), or what KNNPriorBlender.explain returns; it has "
            f"{[str(name) for name in table.columns]}."
        )
    if not len(table):
        raise DataFormatError("The table has no rows to review.")
    missing = table["label"].map(as_text) == ""
    if missing.any():
        raise DataFormatError(f"{int(missing.sum())} of {len(table)} labels are missing. Drop these rows.")
    if not text_index(table.index).is_unique:
        raise DataFormatError("A sound_id stands twice in the table; make it unique.")


def _with_suggestions(table):
    """Join the candidates of either kind of table; the label itself is none of them."""
    pairs = [("suggestion", "proba_suggestion")]
    if "predicted" in table and "label" not in table:
        table = table.assign(label=table["predicted"], proba_label=table["proba"])
        pairs = []
    ranks = sorted(int(name[6:]) for name in map(str, table.columns) if name[:6] == "class_" and name[6:].isdigit())
    pairs += [(f"class_{rank}", f"proba_{rank}") for rank in ranks]
    rows = [_candidates(row, pairs) for row in table.to_dict("records")] if "label" in table else None
    return table if rows is None else table.assign(suggestions=pd.Series(rows, index=table.index, dtype=object))


def _candidates(row, pairs):
    found = {}
    for name, proba in pairs:
        code = as_text(row.get(name))
        if code and code != as_text(row["label"]):
            found.setdefault(code, as_number(row.get(proba)))
    return list(found.items())


def as_number(value):
    """A probability, or None where there is none."""
    return None if value is None or pd.isna(value) else float(value)


def _explained_rows(table):
    """One row for each clip of what ``KNNPriorBlender.explain`` returns, in its order."""
    rows, names = [], []
    for clip, part in table.groupby("clip", sort=False):
        first = part.iloc[0]
        label = str(first["prediction"])
        others = [str(other) for other in part["label"] if str(other) != label]
        names.append(clip)
        rows.append(
            {
                "label": label,
                "proba_label": as_number(first["proba"]),
                "suggestions": [(other, None) for other in dict.fromkeys(others)],
                "reason": _explanation(first, part),
                "neighbours": [_explained_neighbour(row) for row in part.to_dict("records")],
            }
        )
    return pd.DataFrame(rows, index=pd.Index(names, dtype=object))


def _explained_neighbour(row):
    name = row.get("sound_id", f"training row {row['neighbour']}")
    return {"name": name, "label": str(row["label"]), "note": f"{row['share']:.0%} of the answer"}


def _explanation(first, part):
    text = f"The neighbours give {part['share'].sum():.0%} of the answer"
    if as_text(first.get("model_prediction")) not in ("", str(first["prediction"])):
        text += f"; the model alone says {first['model_prediction']}"
    for name, word in (("flip_below", "below"), ("flip_above", "above")):
        if as_text(first.get(name)):
            text += f"; with alpha {word} {first[name]:.2f} it would be {first[name + '_to']}"
    return text + "."
