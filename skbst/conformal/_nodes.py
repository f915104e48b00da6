"""Answers that are nodes of the tree: one that can be vouched for, or few that cover a set."""

from math import inf

import numpy as np

from skbst._proba import check_proba
from skbst.conformal._quantile import conformal_quantile
from skbst.taxonomy import aggregate_to_top

__all__ = ["UNKNOWN", "node_answers", "node_confidences", "node_cover", "node_reasons", "node_threshold"]

#: The root of the tree as an answer: nothing is vouched for.
UNKNOWN = "?"


def node_confidences(proba, parent_of_leaf):
    """Probability of the likeliest class and of the top level above it.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities.

    parent_of_leaf : array-like of shape (n_classes,), int
        Index of the top level of each class.

    Returns
    -------
    leaf : ndarray of shape (n_samples,), int
        The likeliest class; equal ones go to the first.

    leaf_proba, top_proba : ndarray of shape (n_samples,), float64
        Its probability, and that of its top level, never lower.

    Examples
    --------
    >>> from skbst.conformal import node_confidences
    >>> node_confidences([[0.5, 0.25, 0.25]], [0, 0, 1])
    (array([0]), array([0.5]), array([0.75]))
    """
    proba, parent = check_proba(proba), np.asarray(parent_of_leaf)
    rows, leaf = np.arange(len(proba)), proba.argmax(axis=1)
    leaf_proba = proba[rows, leaf]
    # a sum of floats may lie a rounding below its only term
    top_proba = np.maximum(aggregate_to_top(proba, parent)[rows, parent[leaf]], leaf_proba)
    return leaf, leaf_proba, top_proba


def node_threshold(proba, y, parent_of_leaf, confidence_level, *, sample_weight=None):
    """Confidence that an answer must exceed, so that few of all answers are wrong.

    A row's answer is the likeliest class where its probability exceeds the threshold, else the top level above it
    where that does, else none. As the threshold falls, a right answer can turn wrong and never back, so conformal risk
    control holds exactly; its threshold is the finite-sample quantile of the confidences at which rows become wrong.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities of rows that the classifier has not seen.

    y : array-like of shape (n_samples,), int
        Columns of their true classes.

    parent_of_leaf : array-like of shape (n_classes,), int
        Index of the top level of each class.

    confidence_level : float in (0, 1)
        One minus the share of wrong answers that is allowed, among all rows asked about.

    sample_weight : array-like of shape (n_samples,), default=None
        As in `conformal_quantile`.

    Returns
    -------
    threshold : float
        -inf where even the least sure answers are right often enough, inf where the rows are too few.

    References
    ----------
    Angelopoulos et al. 2208.02814, equation 4, with the loss "a wrong node was named".

    Examples
    --------
    >>> from skbst.conformal import node_threshold
    >>> proba = [[0.75, 0.25, 0.0], [0.5, 0.375, 0.125], [0.625, 0.0, 0.375], [0.25, 0.0, 0.75]]
    >>> node_threshold(proba, [0, 1, 2, 2], [0, 0, 1], 0.6)
    0.5
    """
    parent, y = np.asarray(parent_of_leaf), np.asarray(y, dtype=np.intp)
    leaf, leaf_proba, top_proba = node_confidences(proba, parent)
    wrong_from = np.where(parent[leaf] == parent[y], leaf_proba, top_proba)
    wrong_from[leaf == y] = -inf
    return conformal_quantile(wrong_from, confidence_level, sample_weight=sample_weight)


def node_answers(proba, taxonomy, threshold):
    """Deepest node above the threshold, for each row.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities, in the order of the tree's leaves.

    taxonomy : Taxonomy
        The tree.

    threshold : float
        As from `node_threshold`.

    Returns
    -------
    nodes : ndarray of shape (n_samples,), str
        A leaf, a top level, or "?".

    Examples
    --------
    >>> from skbst.conformal import node_answers
    >>> from skbst.taxonomy import Taxonomy
    >>> tree = Taxonomy.from_codes(["fx-a", "fx-h", "ss-n"])
    >>> node_answers([[0.9, 0.1, 0.0], [0.5, 0.4, 0.1], [0.4, 0.2, 0.4]], tree, 0.7).tolist()
    ['fx-a', 'fx', '?']
    """
    parent = taxonomy.parent_of_leaf
    leaf, leaf_proba, top_proba = node_confidences(proba, parent)
    top = np.where(top_proba > threshold, taxonomy.tops[parent[leaf]], UNKNOWN)
    return np.where(leaf_proba > threshold, taxonomy.leaves[leaf], top)


def node_reasons(nodes, taxonomy, unlike):
    """Why a class was not named, for each answer of `node_answers`; "" where it was."""
    above = np.where(nodes == UNKNOWN, "no node is sure enough", "only the top level is sure")
    above = np.where(unlike, "unlike the calibration clips", above)
    return np.where(np.isin(nodes, taxonomy.leaves), "", above)


def node_cover(sets, taxonomy, *, max_nodes=None):
    """Nodes that cover sets of classes: as few other classes as possible, then as few nodes as possible.

    Parameters
    ----------
    sets : array-like of shape (n_samples, n_classes), bool
        Sets, in the order of the tree's leaves.

    taxonomy : Taxonomy
        The tree.

    max_nodes : int, default=None
        Most nodes of a row. Leaves then give way to their top level, those first that let fewest other classes in;
        where even the top levels are too many, the answer is "?". None lets no other class in: a top level stands only
        for the whole of its leaves.

    Returns
    -------
    nodes : list of tuple of str
        For each row, in the order of the tree.

    References
    ----------
    Mortier et al. 2501.19038: sets of nodes of restricted size.

    Examples
    --------
    >>> from skbst.conformal import node_cover
    >>> from skbst.taxonomy import Taxonomy
    >>> tree = Taxonomy.from_codes(["fx-a", "fx-h", "fx-n", "ss-n", "ss-u"])
    >>> sets = [[True, False, False, False, False], [True, True, False, True, False], [True, True, True, True, False]]
    >>> node_cover(sets, tree)
    [('fx-a',), ('fx-a', 'fx-h', 'ss-n'), ('fx', 'ss-n')]
    >>> node_cover(sets, tree, max_nodes=2)
    [('fx-a',), ('fx', 'ss-n'), ('fx', 'ss-n')]
    >>> node_cover(sets, tree, max_nodes=1)
    [('fx-a',), ('?',), ('?',)]
    """
    sets = np.asarray(sets, dtype=bool)
    if not len(sets):
        return []
    # thousands of rows share a few hundred different sets
    different, place = np.unique(np.packbits(sets, axis=1), axis=0, return_inverse=True)
    different = np.unpackbits(different, axis=1, count=sets.shape[1]).astype(bool)
    covers = [_cover(row, taxonomy, max_nodes) for row in different]
    return [covers[number] for number in place.ravel()]


def _cover(row, taxonomy, max_nodes):
    parent = taxonomy.parent_of_leaf
    counts = np.bincount(parent[row], minlength=taxonomy.n_tops)
    extra = np.bincount(parent, minlength=taxonomy.n_tops) - counts
    # a leaf without siblings is the better name for its top level
    merged = set(np.flatnonzero((extra == 0) & (counts > 1)).tolist())
    n_nodes = int(counts.sum() - sum(counts[top] - 1 for top in merged))
    if max_nodes is not None and n_nodes > max_nodes:
        if np.count_nonzero(counts) > max_nodes:
            return (UNKNOWN,)
        open_tops = [top for top in np.flatnonzero(counts > 1).tolist() if top not in merged]
        merged |= _cheapest({top: (counts[top] - 1, extra[top]) for top in open_tops}, n_nodes - max_nodes)
    nodes, named = [], set()
    for leaf in np.flatnonzero(row):
        top = int(parent[leaf])
        if top not in merged:
            nodes.append(str(taxonomy.leaves[leaf]))
        elif top not in named:
            nodes.append(str(taxonomy.tops[top]))
            named.add(top)
    return tuple(nodes)


def _cheapest(gains_and_costs, wanted):
    """Tops to merge so that at least `wanted` nodes are saved: least cost, then most saved (a knapsack)."""
    best = {0: (0, frozenset())}
    for top, (gain, cost) in gains_and_costs.items():
        for saved, (spent, chosen) in list(best.items()):
            entry = (spent + int(cost), chosen | {top})
            key = saved + int(gain)
            if key not in best or entry[0] < best[key][0]:
                best[key] = entry
    enough = ((spent, -saved, sorted(chosen)) for saved, (spent, chosen) in best.items() if saved >= wanted)
    return set(min(enough)[2])
