"""The record of a selection, and its summary in words."""

import numpy as np
import pandas as pd

from skbst.taxonomy import BST

__all__ = ["CAP_REASON", "class_counts", "describe_selection", "reason_kind"]

CAP_REASON = "over the cap of its uploader and class"


def reason_kind(reason):
    """Short name of a reason: what stands before a bracket or colon; "kept" for an empty one."""
    return reason.split(" (")[0].split(":")[0].strip() or "kept"


def class_counts(base_labels, manifest):
    """Rows per class before and after.

    Parameters
    ----------
    base_labels : array-like of str
        Labels of the base rows.

    manifest : DataFrame
        With the columns ``class`` and ``kept``.

    Returns
    -------
    counts : DataFrame
        Index class; columns ``base``, ``candidates``, ``kept``, ``together``, ``share_kept``; BST's order first.
    """
    counts = pd.DataFrame(
        {
            "base": pd.Series(np.asarray(base_labels)).value_counts(),
            "candidates": manifest["class"].value_counts(),
            "kept": manifest.loc[manifest["kept"], "class"].value_counts(),
        }
    )
    counts = counts.fillna(0).astype(int)
    order = {code: place for place, code in enumerate(BST.leaves.tolist())}
    counts = counts.loc[sorted(counts.index, key=lambda code: (order.get(code, len(order)), code))]
    counts["together"] = counts["base"] + counts["kept"]
    counts["share_kept"] = counts["kept"] / counts["candidates"].where(counts["candidates"] > 0, np.nan)
    return counts.rename_axis("class")


def _table(frame):
    """Markdown table of a frame with its index as the first column."""
    head = [frame.index.name or "", *map(str, frame.columns)]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for name, row in zip(frame.index, frame.to_numpy(dtype=object)):
        cells = [f"{cell:.1%}" if isinstance(cell, float) else str(cell) for cell in row]
        lines.append(f"| {' | '.join([str(name), *('' if cell == 'nan%' else cell for cell in cells)])} |")
    return "\n".join(lines)


def _uploaders(manifest):
    before, after = manifest["uploader"], manifest.loc[manifest["kept"], "uploader"]
    table = pd.DataFrame({"candidates": before.value_counts(), "kept": after.value_counts()}).fillna(0).astype(int)
    table = table[table.index != ""].rename_axis("uploader")
    table = table.sort_values(["candidates", "kept"], ascending=False, kind="stable").head(10)
    top = [values[values != ""].value_counts(normalize=True).iloc[:10].sum() for values in (before, after)]
    return table, top


def describe_selection(base_labels, manifest, settings):
    """Write the data card.

    Parameters
    ----------
    base_labels : array-like of str
        Labels of the base rows.

    manifest : DataFrame
        One row per candidate.

    settings : dict
        What the selection was made with.

    Returns
    -------
    card : str
        Markdown.
    """
    n_base, n_kept = len(base_labels), int(manifest["kept"].sum())
    reasons = manifest["reason"].map(reason_kind).value_counts().rename("rows").rename_axis("reason").to_frame()
    reasons["share"] = reasons["rows"] / max(1, len(manifest))
    uploaders, (top_before, top_after) = _uploaders(manifest)
    judged = manifest.dropna(subset=["score"]) if "score" in manifest else manifest.iloc[:0]
    parts = [
        "# Data card: an extended training set",
        f"{n_base} base rows, all kept as they are, and {n_kept} of {len(manifest)} candidate rows: "
        f"{n_base + n_kept} rows for training. Candidates belong to the training part only; validation and test rows "
        "come from the base rows.",
        "## What became of the candidates",
        _table(reasons),
        "Each row counts under the first rule that it failed.",
        "## Rows per class",
        _table(class_counts(base_labels, manifest)),
        "## Uploaders",
        f"The ten largest uploaders hold {top_before:.1%} of the candidates and {top_after:.1%} of those kept; "
        f"{manifest['uploader'].nunique()} uploaders before, "
        f"{manifest.loc[manifest['kept'], 'uploader'].nunique()} after.",
        _table(uploaders),
        "## Settings",
        "\n".join(f"- {name}: `{value!r}`" for name, value in settings.items()),
        "## Limits",
        "The labels of the candidates are their uploaders' own. Rows stay because models of the base rows agree with "
        "the label, so the selection leans towards what those models know already: atypical sounds and rare ways to "
        "write are under-represented. "
        + (
            f"{int((judged['kept'] & (judged['votes'] < judged['votes'].max())).sum())} rows without full agreement "
            "stay (another agreement rule, or the least number per class). "
            if len(judged)
            else ""
        )
        + "Licences differ from row to row.",
    ]
    return "\n\n".join(parts) + "\n"
