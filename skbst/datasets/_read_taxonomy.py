"""Read the taxonomy table that comes with a data set."""

from skbst.taxonomy import BST, Taxonomy
from skbst.taxonomy._description_table import read_description

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
        If the file is no UTF-8 CSV, there is no column of keys, a key is empty or double, or keys with one prefix
        stand under several top levels.
    """
    return Taxonomy(**read_description(path, known_tops=BST.top_names, include_other=include_other))
