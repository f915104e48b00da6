"""Which tree some labels belong to."""

from skbst.exceptions import DataFormatError
from skbst.taxonomy._bst import BST
from skbst.taxonomy._labels import as_text
from skbst.taxonomy._taxonomy import Taxonomy

__all__ = ["resolve_taxonomy"]


def resolve_taxonomy(taxonomy, labels):
    """Choose the tree for some labels.

    Parameters
    ----------
    taxonomy : Taxonomy or None
        A tree that is taken as it is; None takes BST where all labels are BST codes, the flat tree where none is.

    labels : array-like of shape (n_samples,)
        Labels; with a given tree each must be a leaf of it.

    Returns
    -------
    taxonomy : Taxonomy
        The whole tree, not cut down to the labels.

    Raises
    ------
    DataFormatError
        If a label is missing or no leaf of the given tree; or, without a tree, if some labels are BST codes and others
        are not (a code in capital letters, such as "FX-A", is meant for one and is none).

    Examples
    --------
    >>> from skbst.taxonomy import BST, resolve_taxonomy
    >>> resolve_taxonomy(None, ["fx-a", "m-sp"]) is BST
    True
    >>> resolve_taxonomy(None, [0, 1, 1]).n_tops
    2
    """
    labels = as_text(labels)
    if taxonomy is not None:
        taxonomy.leaf_index(labels)
        return taxonomy
    codes = sorted(set(labels))
    unknown = [code for code in codes if code not in BST]
    if not unknown:
        return BST
    if len(unknown) == len(codes) and not any(code.strip().lower() in BST for code in codes):
        return Taxonomy.flat(codes)
    raise DataFormatError(
        f"{len(unknown)} of {len(codes)} different labels are no class codes of the Broad Sound Taxonomy, but the "
        f"labels are meant as such (first: {', '.join(map(repr, unknown[:3]))}). Write codes such as 'fx-a', or pass "
        "taxonomy= with a tree that has all labels; Taxonomy.flat(labels) is one without a hierarchy."
    )
