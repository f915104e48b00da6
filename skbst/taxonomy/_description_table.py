"""The table that comes with the Broad Sound Datasets and describes the classes."""

from skbst.exceptions import DataFormatError

__all__ = ["parse_description"]

# what is wanted, and its column since v1.2 and in v1.0
_COLUMNS = {
    "code": ("class_key", "ClassKey"),
    "name": ("second_level", "class_key_long", "ClassName"),
    "top": ("top_level", "TopLevel"),
    "description": ("description", "Description"),
    "examples": ("examples", "Examples"),
}


def parse_description(path, columns, rows, *, known_tops=None, include_other=False):
    """Arguments of `Taxonomy` from the rows of a BST_description.csv of any release.

    v1.0 has ClassKey, ClassName, TopLevel, Description, Examples; since v1.2 the columns are class_idx, class_key,
    class_key_long, top_level, second_level, description, examples, with rows for the top levels among them.

    Parameters
    ----------
    path : path-like
        The file, for messages.

    columns : sequence of str
        Its columns.

    rows : iterable of (int, mapping of str to str)
        Line number and cells of each row.

    known_tops : mapping of str to str, default=None
        Names of top levels for tables that give only their codes.

    include_other : bool, default=False
        Whether the ``*-other`` keys become leaves too.

    Returns
    -------
    arguments : dict
        ``parents``, ``leaf_names``, ``leaf_descriptions``, ``top_names``.

    Raises
    ------
    DataFormatError
        If there is no column of keys, or a key is empty or double.
    """
    found = {what: next((name for name in names if name in columns), None) for what, names in _COLUMNS.items()}
    if found["code"] is None:
        raise DataFormatError(f"{path}: column 'class_key' (or 'ClassKey') is missing; found {list(columns)}.")
    table = _cells(path, found, rows)
    parents, names, descriptions, top_names = {}, {}, {}, {}
    with_children = {code.split("-")[0] for code in table if "-" in code}
    for code, cells in table.items():
        if code in with_children or (code.endswith("-other") and not include_other):
            continue
        top = code.split("-")[0]
        parents[code], names[code] = top, cells["name"] or code
        descriptions[code] = " ".join(filter(None, [cells["description"], cells["examples"]]))
        named = cells["top"] not in ("", top)
        top_names[top] = cells["top"] if named else (known_tops or {}).get(top, top)
    return {"parents": parents, "leaf_names": names, "leaf_descriptions": descriptions, "top_names": top_names}


def _cells(path, found, rows):
    table = {}
    for line, row in rows:
        cells = {what: (row[name] or "").strip() if name is not None else "" for what, name in found.items()}
        code = cells["code"]
        if not code:
            raise DataFormatError(f"{path}, line {line}: the key is empty.")
        if code in table:
            raise DataFormatError(f"{path}, line {line}: key {code!r} stands twice.")
        table[code] = cells
    return table
