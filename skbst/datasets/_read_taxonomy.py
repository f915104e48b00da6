"""Read the taxonomy table that comes with a data set."""

from skbst.datasets._read_table import read_table
from skbst.exceptions import DataFormatError
from skbst.taxonomy import BST, Taxonomy

__all__ = ["read_taxonomy"]

# what is wanted, and its column in v1.0 and since v1.2
_COLUMNS = {
    "code": ("ClassKey", "class_key"),
    "name": ("ClassName", "second_level", "class_key_long"),
    "top": ("TopLevel", "top_level"),
    "description": ("Description", "description"),
    "examples": ("Examples", "examples"),
}


def read_taxonomy(path, *, include_other=False):
    """Read a BST_description.csv of any release.

    v1.0 has ClassKey, ClassName, TopLevel, Description, Examples; since v1.2 the columns are class_idx, class_key,
    class_key_long, top_level, second_level, description, examples, with rows for the top levels among them.

    Parameters
    ----------
    path : Path
        The CSV file.

    include_other : bool, default=False
        Whether the ``*-other`` keys become leaves too.

    Returns
    -------
    taxonomy : Taxonomy
        In the order of the file.

    Raises
    ------
    DataFormatError
        If there is no column of keys, or a key is empty or double.
    """
    table, lines = read_table(path)
    columns = {what: next((name for name in names if name in table), None) for what, names in _COLUMNS.items()}
    if columns["code"] is None:
        raise DataFormatError(f"{path}: column 'class_key' (or 'ClassKey') is missing; found {list(table.columns)}.")
    cells = {what: [""] * len(table) if name is None else table[name].str.strip() for what, name in columns.items()}
    codes = list(cells["code"])
    _check_codes(path, codes, lines)
    parents, names, descriptions, top_names = {}, {}, {}, {}
    with_children = {code.split("-")[0] for code in codes if "-" in code}
    for code, name, top_name, description, examples in zip(*cells.values(), strict=True):
        if code in with_children or (code.endswith("-other") and not include_other):
            continue
        top = code.split("-")[0]
        parents[code], names[code] = top, name or code
        descriptions[code] = " ".join(filter(None, [description, examples]))
        top_names[top] = top_name if top_name not in ("", top) else BST.top_names.get(top, top)
    return Taxonomy(parents, leaf_names=names, leaf_descriptions=descriptions, top_names=top_names)


def _check_codes(path, codes, lines):
    seen = set()
    for code, line in zip(codes, lines, strict=True):
        if not code:
            raise DataFormatError(f"{path}, line {line}: the key is empty.")
        if code in seen:
            raise DataFormatError(f"{path}, line {line}: key {code!r} stands twice.")
        seen.add(code)
