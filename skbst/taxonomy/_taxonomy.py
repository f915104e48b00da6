"""A two-level tree of classes."""

import numpy as np

from skbst.exceptions import DataFormatError
from skbst.taxonomy._arithmetic import aggregate_to_top
from skbst.taxonomy._description_table import read_description
from skbst.taxonomy._labels import as_text
from skbst.taxonomy._parents import parents_of_children, parents_of_codes

__all__ = ["Taxonomy"]


class Taxonomy:
    """A two-level tree: second-level classes (leaves) under top-level ones.

    Parameters
    ----------
    parents : mapping of str to str
        ``{leaf code: top-level code}``, in the order that the leaves shall have.

    leaf_names : mapping of str to str, default=None
        Human name of each leaf; a code without one is its own name.

    leaf_descriptions : mapping of str to str, default=None
        What belongs in each leaf.

    top_names : mapping of str to str, default=None
        Human name of each top-level class.

    Attributes
    ----------
    leaves : ndarray of shape (n_leaves,), str
        Codes of the second-level classes, in order. Read-only, like ``tops``.

    tops : ndarray of shape (n_tops,), str
        Codes of the top-level classes, in order of first appearance.

    parent_of_leaf : ndarray of shape (n_leaves,), int
        Index into ``tops`` of each leaf; a copy of one's own.

    leaf_names, top_names, leaf_descriptions : dict
        As given, completed.

    Raises
    ------
    DataFormatError
        If the mapping is empty or a code is no text.

    Examples
    --------
    >>> from skbst.taxonomy import Taxonomy
    >>> tree = Taxonomy({"dog": "animal", "cat": "animal", "car": "vehicle"})
    >>> tree.top_of(["cat", "car"])
    array(['animal', 'vehicle'], dtype='<U7')
    >>> tree.children("animal")
    array(['dog', 'cat'], dtype='<U3')
    """

    def __init__(self, parents, *, leaf_names=None, leaf_descriptions=None, top_names=None):
        parents = dict(parents)
        if not parents:
            raise DataFormatError("A taxonomy needs at least one leaf; the mapping is empty.")
        for code in (*parents, *parents.values()):
            if not isinstance(code, str) or not code:
                raise DataFormatError(f"Class codes are non-empty text; got {code!r}.")
        tops = list(dict.fromkeys(parents.values()))
        self.leaves = np.array(list(parents))
        self.tops = np.array(tops)
        self._parent_of_leaf = np.array([tops.index(top) for top in parents.values()])
        self.leaf_names = {leaf: (leaf_names or {}).get(leaf, leaf) for leaf in parents}
        self.leaf_descriptions = {leaf: (leaf_descriptions or {}).get(leaf, "") for leaf in parents}
        self.top_names = {top: (top_names or {}).get(top, top) for top in tops}
        self._position = {leaf: i for i, leaf in enumerate(parents)}
        self._freeze()

    def _freeze(self):
        # a tree such as BST is shared by all that use it
        self.leaves.flags.writeable = self.tops.flags.writeable = False

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._freeze()

    @classmethod
    def from_mapping(cls, children, **names):
        """Build from ``{top-level code: [leaf codes]}``; `names` go to the constructor.

        Parameters
        ----------
        children : mapping of str to sequence
            Leaf codes of each top level, in the order of the tree.

        **names : dict
            ``leaf_names``, ``leaf_descriptions`` and ``top_names``.

        Returns
        -------
        taxonomy : Taxonomy

        Examples
        --------
        >>> from skbst.taxonomy import Taxonomy
        >>> Taxonomy.from_mapping({"animal": ["dog", "cat"], "vehicle": ["car"]}).n_leaves
        3
        """
        return cls(parents_of_children(children), **names)

    @classmethod
    def from_codes(cls, codes, *, sep="-"):
        """Build from codes whose part before `sep` is the top level, such as ``"fx-a"``; sorted.

        Parameters
        ----------
        codes : array-like of shape (n_samples,), str
            Class codes; each may stand any number of times.

        sep : str, default="-"
            What ends the top level's code.

        Returns
        -------
        taxonomy : Taxonomy

        Examples
        --------
        >>> from skbst.taxonomy import Taxonomy
        >>> Taxonomy.from_codes(["m-a", "fx-b", "fx-a", "fx-a"]).leaves
        array(['fx-a', 'fx-b', 'm-a'], dtype='<U4')
        """
        return cls(parents_of_codes(codes, sep))

    @classmethod
    def from_csv(cls, path, *, include_other=False, top_names=None):
        """Build from a ``BST_description.csv`` of any release, or a table like it (both styles of column names).

        Parameters
        ----------
        path : str or path-like
            The CSV file, in UTF-8. The top level of a key is its part before a hyphen where all keys of that top level
            share it, else what stands in the column ``top_level`` or ``TopLevel``.

        include_other : bool, default=False
            Whether the ``*-other`` keys become leaves too.

        top_names : mapping of str to str, default=None
            Names of top levels, such as ``BST.top_names``, for tables that give only their codes.

        Returns
        -------
        taxonomy : Taxonomy
            In the order of the file.

        Raises
        ------
        DataFormatError
            If the file is no UTF-8 CSV, a row has a cell too many or too few, there is no column of keys, a key is
            empty or double, or keys with one prefix stand under several top levels; the message names file and line.
        """
        return cls(**read_description(path, known_tops=top_names, include_other=include_other))

    @classmethod
    def flat(cls, labels):
        """Build the tree without a hierarchy: each label is its own top level.

        Parameters
        ----------
        labels : array-like of shape (n_samples,)
            Labels; each may stand any number of times.

        Returns
        -------
        taxonomy : Taxonomy
            Sorted.

        Examples
        --------
        >>> from skbst.taxonomy import Taxonomy
        >>> Taxonomy.flat(["b", "a", "b"]).parent_of_leaf
        array([0, 1])
        """
        return cls({label: label for label in sorted(set(as_text(labels)))})

    @property
    def parent_of_leaf(self):
        """Index into ``tops`` of each leaf."""
        return self._parent_of_leaf.copy()

    @property
    def n_leaves(self):
        """Number of second-level classes."""
        return len(self.leaves)

    @property
    def n_tops(self):
        """Number of top-level classes."""
        return len(self.tops)

    def leaf_index(self, codes):
        """Position of each code among ``leaves``.

        Parameters
        ----------
        codes : array-like of shape (n_samples,), str
            Class codes.

        Returns
        -------
        index : ndarray of shape (n_samples,), int
            Positions.

        Raises
        ------
        DataFormatError
            If a code is no leaf; the message counts them and names the first.
        """
        codes = as_text(codes)
        # a dictionary look-up per row is several times faster than sorting a million strings
        position = self._position
        index = np.fromiter((position.get(code, -1) for code in codes), dtype=np.intp, count=len(codes))
        unknown = np.flatnonzero(index < 0)
        if len(unknown):
            raise DataFormatError(
                f"{len(unknown)} of {len(codes)} labels are not leaves of the taxonomy (first: {codes[unknown[0]]!r}). "
                f"Pass class codes such as {str(self.leaves[0])!r}."
            )
        return index

    def top_of(self, codes):
        """Top-level code of each leaf code; same errors as `leaf_index`.

        Parameters
        ----------
        codes : array-like of shape (n_samples,), str
            Class codes.

        Returns
        -------
        tops : ndarray of shape (n_samples,), str
        """
        return self.tops[self._parent_of_leaf[self.leaf_index(codes)]]

    def children(self, top):
        """Leaf codes under a top-level code, in order.

        Parameters
        ----------
        top : str
            Code of the top level.

        Returns
        -------
        leaves : ndarray of shape (n_children,), str
        """
        if top not in self.top_names:
            raise DataFormatError(f"{top!r} is not a top level of the taxonomy; they are {self.tops.tolist()}.")
        return self.leaves[self._parent_of_leaf == self.tops.tolist().index(top)]

    def restrict(self, codes):
        """Return the sub-tree with just these leaves, in the tree's own order.

        Parameters
        ----------
        codes : array-like of shape (n_samples,), str
            Leaves that are kept.

        Returns
        -------
        taxonomy : Taxonomy
        """
        kept = set(self.leaves[self.leaf_index(codes)].tolist())
        return self._subtree([leaf for leaf in self.leaves.tolist() if leaf in kept])

    def reorder(self, codes):
        """Return the sub-tree with just these leaves, in the order given.

        Parameters
        ----------
        codes : array-like of shape (n_samples,), str
            Leaves that are kept, such as ``classes_``; each once.

        Returns
        -------
        taxonomy : Taxonomy
        """
        index = self.leaf_index(codes)
        places, counts = np.unique(index, return_counts=True)
        double = self.leaves[places[counts > 1]].tolist()
        if double:
            raise DataFormatError(
                f"{len(double)} of {len(places)} codes stand more than once (first: {double[0]!r}). A tree has each "
                "leaf once; pass np.unique(codes) for the order of classes_."
            )
        return self._subtree(self.leaves[index].tolist())

    def _subtree(self, leaves):
        parents = {leaf: str(self.tops[self._parent_of_leaf[self._position[leaf]]]) for leaf in leaves}
        names = {name: getattr(self, name) for name in ("leaf_names", "leaf_descriptions", "top_names")}
        return Taxonomy(parents, **names)

    def aggregate(self, leaf_proba):
        """Sum probabilities of the leaves of each top level.

        Parameters
        ----------
        leaf_proba : array-like of shape (n_samples, n_leaves)
            Probabilities, in the order of ``leaves``.

        Returns
        -------
        top_proba : ndarray of shape (n_samples, n_tops)
            In the order of ``tops``.
        """
        return aggregate_to_top(leaf_proba, self._parent_of_leaf, self.n_tops)

    def is_leaf(self, codes):
        """Which codes are leaves.

        Parameters
        ----------
        codes : array-like of shape (n_samples,), str
            Codes of any kind.

        Returns
        -------
        mask : ndarray of shape (n_samples,), bool
        """
        return np.array([code in self._position for code in as_text(codes)], dtype=bool)

    def __len__(self):
        return self.n_leaves

    def __contains__(self, code):
        return code in self._position

    def __eq__(self, other):
        if not isinstance(other, Taxonomy):
            return NotImplemented
        return self.leaves.tolist() == other.leaves.tolist() and self._parent_codes() == other._parent_codes()

    def __hash__(self):
        return hash((tuple(self.leaves.tolist()), tuple(self._parent_codes())))

    def _parent_codes(self):
        return self.tops[self._parent_of_leaf].tolist()

    def __repr__(self):
        groups = ", ".join(f"{top}: {len(self.children(top))}" for top in self.tops)
        return f"Taxonomy({self.n_leaves} leaves under {self.n_tops} top levels; {groups})"
