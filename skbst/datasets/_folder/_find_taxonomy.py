"""Choose the tree of classes of a data set."""

from skbst.exceptions import DataFormatError
from skbst.taxonomy import BST, Taxonomy

__all__ = ["find_taxonomy"]


def find_taxonomy(layout, *, labels=(), include_other=False):
    """Read the shipped taxonomy table, or fall back to BST.

    Parameters
    ----------
    layout : Layout
        Where the files lie.

    labels : iterable of str
        Labels in use. A table of BST may list keys that no row uses (v1.0 lists ``fx-d``): those are
        dropped, so that the tree is BST.

    include_other : bool, default=False
        Whether the five ``*-other`` keys are leaves.

    Returns
    -------
    taxonomy : Taxonomy

    Raises
    ------
    DataFormatError
        If there are several tables that differ, or one that cannot be read.
    """
    trees = [
        Taxonomy.from_csv(path, include_other=include_other, top_names=BST.top_names) for path in layout.taxonomy_csvs
    ]
    if not trees:
        return _bst_with_other() if include_other else BST
    if any(tree != trees[0] for tree in trees[1:]):
        names = [path.name for path in layout.taxonomy_csvs]
        raise DataFormatError(f"{layout.taxonomy_csvs[0].parent}: {names} describe different trees. Keep one.")
    tree = trees[0]
    if not set(BST.leaves.tolist()) <= set(tree.leaves.tolist()):
        return tree
    wanted = set(BST.leaves.tolist()) | set(labels)
    return tree.restrict([leaf for leaf in tree.leaves if leaf in wanted or leaf.endswith("-other")])


def _bst_with_other():
    parents, names = {}, {}
    for top in BST.tops.tolist():
        children = [*BST.children(top).tolist(), f"{top}-other"]
        parents.update(dict.fromkeys(children, top))
        names[f"{top}-other"] = "Other"
    return Taxonomy(
        parents,
        leaf_names={**BST.leaf_names, **names},
        leaf_descriptions=BST.leaf_descriptions,
        top_names=BST.top_names,
    )
