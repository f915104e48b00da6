"""Read the taxonomy table that comes with a data set."""

from skbst.datasets._read_table import read_table
from skbst.taxonomy import BST, Taxonomy
from skbst.taxonomy._description_table import parse_description

__all__ = ["read_taxonomy"]


def read_taxonomy(path, *, include_other=False):
    """Read a BST_description.csv of any release, however it is encoded.

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
    rows = zip(lines, table.to_dict("records"), strict=True)
    arguments = parse_description(
        path, list(table.columns), rows, known_tops=BST.top_names, include_other=include_other
    )
    return Taxonomy(**arguments)
