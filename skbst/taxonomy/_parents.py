"""From what a user has of a tree to the parent of each leaf."""

from skbst.exceptions import DataFormatError

__all__ = ["parents_of_children", "parents_of_codes"]


def parents_of_children(children):
    """``{leaf: top}`` of ``{top: [leaves]}``; a leaf that stands twice is refused.

    Examples
    --------
    >>> from skbst.taxonomy._parents import parents_of_children
    >>> parents_of_children({"animal": ["dog", "cat"], "vehicle": ["car"]})
    {'dog': 'animal', 'cat': 'animal', 'car': 'vehicle'}
    """
    parents = {}
    for top, leaves in children.items():
        if isinstance(leaves, (str, bytes)):
            raise DataFormatError(f"The leaves under {top!r} are the text {leaves!r}; pass a list, [{leaves!r}].")
        for leaf in leaves:
            if leaf in parents:
                where = f"under both {parents[leaf]!r} and" if parents[leaf] != top else "twice under"
                raise DataFormatError(f"Leaf {leaf!r} stands {where} {top!r}. A leaf has one place.")
            parents[leaf] = top
    return parents


def parents_of_codes(codes, sep):
    """``{leaf: top}`` of codes whose part before `sep` is the top level; sorted.

    Examples
    --------
    >>> from skbst.taxonomy._parents import parents_of_codes
    >>> parents_of_codes(["m-a", "fx-a"], "-")
    {'fx-a': 'fx', 'm-a': 'm'}
    """
    if isinstance(codes, (str, bytes)):
        raise DataFormatError(f"Expected a sequence of codes; got the single text {codes!r}. Pass [{codes!r}].")
    codes = sorted({str(code) for code in codes})
    without = [code for code in codes if sep not in code]
    if without:
        raise DataFormatError(
            f"{len(without)} of {len(codes)} codes have no {sep!r} (first: {without[0]!r}). "
            "Pass codes such as 'fx-a', or build the tree with Taxonomy({leaf: top})."
        )
    return {code: code.split(sep)[0] for code in codes}
