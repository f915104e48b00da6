"""The table that comes with the Broad Sound Datasets and describes the classes."""

from skbst._tables import read_rows
from skbst.exceptions import DataFormatError

__all__ = ["read_description"]

# what is wanted, and its column since v1.2 and in v1.0
_COLUMNS = {
    "code": ("class_key", "ClassKey"),
    "name": ("second_level", "class_key_long", "ClassName"),
    "top": ("top_level", "TopLevel"),
    "description": ("description", "Description"),
    "examples": ("examples", "Examples"),
}


def read_description(path, *, known_tops=None, include_other=False):
    """Arguments of `Taxonomy` from a BST_description.csv of any release, or a table like it.

    v1.0 has ClassKey, ClassName, TopLevel, Description, Examples; since v1.2 the columns are class_idx, class_key,
    class_key_long, top_level, second_level, description, examples, with rows for the top levels among them.

    Parameters
    ----------
    path : str or path-like
        The file.

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
        If the file is no UTF-8 CSV, there is no column of keys, a key is empty or double, or keys with one prefix
        stand under several top levels.
    """
    table = _cells(path, *read_rows(path))
    heads = _rows_of_tops(table)
    leaves = {
        code: cells
        for code, cells in table.items()
        if code not in heads.values() and (include_other or not code.endswith("-other"))
    }
    parents = _top_codes(leaves, heads)
    names = {code: cells["name"] or code for code, cells in leaves.items()}
    descriptions = {
        code: " ".join(filter(None, [cells["description"], cells["examples"]])) for code, cells in leaves.items()
    }
    top_names = {top: (known_tops or {}).get(top, top) for top in parents.values()}
    named_in = {}
    for code, top in parents.items():
        name = leaves[code]["top"]
        if name in ("", top):
            continue
        if named_in.setdefault(top, (name, code))[0] != name:
            raise DataFormatError(
                f"{path}, line {leaves[code]['line']}: key {code!r} stands under {name!r}, but {named_in[top][1]!r}, "
                f"whose prefix is {top!r} too, under {named_in[top][0]!r}. Write one name for both."
            )
        top_names[top] = name
    return {"parents": parents, "leaf_names": names, "leaf_descriptions": descriptions, "top_names": top_names}


def _cells(path, columns, rows, lines):
    """Cells of each row by what they mean, under its key."""
    found = {what: next((name for name in names if name in columns), None) for what, names in _COLUMNS.items()}
    if found["code"] is None:
        raise DataFormatError(f"{path}: column 'class_key' (or 'ClassKey') is missing; found {columns}.")
    table = {}
    for line, row in zip(lines, rows, strict=True):
        row = dict(zip(columns, row, strict=True))
        cells = {what: "" if name is None else row[name].strip() for what, name in found.items()}
        code = cells["code"]
        if not code:
            raise DataFormatError(f"{path}, line {line}: the key is empty.")
        if code in table:
            raise DataFormatError(f"{path}, line {line}: key {code!r} stands twice.")
        table[code] = {**cells, "line": line, "unnamed": found["name"] == "second_level" and not cells["name"]}
    return table


def _rows_of_tops(table):
    """Keys of the rows that describe a top level, under that key and under what the table calls it.

    Others have such a key as their prefix or as their top level; or they have a second level where it has none.
    """
    used = {code.split("-")[0] for code in table if "-" in code}
    used |= {cells["top"] for code, cells in table.items() if cells["top"] != code}
    with_leaves = {cells["top"] for cells in table.values() if not cells["unnamed"]} - {""}
    heads = {}
    for code, cells in table.items():
        is_head = code in used or (cells["unnamed"] and cells["top"] in with_leaves)
        if "-" not in code and is_head:
            heads.update(dict.fromkeys(filter(None, [code, cells["top"]]), code))
    return heads


def _top_codes(leaves, heads):
    """Code of the top level of each leaf.

    It is the key of that top level's own row; else the prefix that all keys of one top level share; else what the
    table calls that top level.
    """
    prefix = {code: code.split("-")[0] if "-" in code else None for code in leaves}
    prefixes_of = {}
    for code, cells in leaves.items():
        prefixes_of.setdefault(cells["top"], set()).add(prefix[code])
    tops = {}
    for code, cells in leaves.items():
        top, shared = cells["top"], prefixes_of[cells["top"]]
        if top == "":
            tops[code] = prefix[code] or code
        elif top in heads:
            tops[code] = heads[top]
        else:
            tops[code] = prefix[code] if len(shared) == 1 and None not in shared else top
    return tops
