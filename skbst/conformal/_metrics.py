"""What sets and backed-off answers are worth."""

import numpy as np
from sklearn.utils import Bunch, check_consistent_length

from skbst._docstrings import completed_by
from skbst._proba import check_proba
from skbst.conformal._nodes import UNKNOWN, node_cover
from skbst.conformal._quantile import check_weights
from skbst.conformal._sets import prediction_sets
from skbst.exceptions import DataFormatError
from skbst.taxonomy import resolve_taxonomy

__all__ = [
    "class_coverage_scores",
    "coverage_score",
    "hierarchical_size_coverage_curve",
    "mean_set_size",
    "node_answer_report",
]


def _columns(y_true, sets, classes):
    """Columns of the true classes, the sets as bool, and the classes."""
    y_true, sets = np.asarray(y_true), np.asarray(sets)
    check_consistent_length(y_true, sets)
    if sets.ndim != 2 or not np.isin(sets, (0, 1)).all():
        raise DataFormatError(
            f"Sets must be a bool matrix (n_samples, n_classes), as predict_set gives; got shape {sets.shape}."
        )
    classes = np.unique(y_true) if classes is None else np.asarray(classes)
    if len(classes) != sets.shape[1]:
        raise DataFormatError(
            f"Sets have {sets.shape[1]} columns, but there are {len(classes)} classes. Pass classes=model.classes_."
        )
    return _places(y_true, classes), sets.astype(bool), classes


def _places(y_true, classes):
    order = np.argsort(classes, kind="stable")
    place = order[np.minimum(np.searchsorted(classes, y_true, sorter=order), len(classes) - 1)]
    unknown = np.flatnonzero(classes[place] != y_true)
    if len(unknown):
        raise DataFormatError(
            f"{len(unknown)} of {len(y_true)} labels are not among the classes (first: {y_true[unknown[0]]!r}). "
            "Pass classes=model.classes_, or leave these rows out: no set can hold them."
        )
    return place


def _hits(place, sets):
    return sets[np.arange(len(sets)), place]


def coverage_score(y_true, sets, *, classes=None, sample_weight=None):
    """Share of rows whose class is in its set.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Class labels.

    sets : array-like of shape (n_samples, n_classes), bool
        As from `HierarchicalConformalClassifier.predict_set`.

    classes : array-like of shape (n_classes,), default=None
        Class of each column (``model.classes_``); None takes the sorted classes of `y_true`.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    score : float
        In [0, 1].

    Examples
    --------
    >>> from skbst.conformal import coverage_score
    >>> coverage_score(["fx-a", "fx-h"], [[True, True], [True, False]])
    0.5
    """
    place, sets, _ = _columns(y_true, sets, classes)
    return float(np.average(_hits(place, sets), weights=check_weights(sample_weight, len(place))))


@completed_by(coverage_score)
def class_coverage_scores(y_true, sets, *, classes=None, sample_weight=None):
    """Coverage of each class.

    Returns
    -------
    scores : ndarray of shape (n_classes,), float64
        In the order of the classes; NaN where `y_true` has no row of positive weight.

    Examples
    --------
    >>> from skbst.conformal import class_coverage_scores
    >>> class_coverage_scores(["fx-a", "fx-h", "fx-h"], [[True, True], [True, False], [False, True]])
    array([1. , 0.5])
    """
    place, sets, classes = _columns(y_true, sets, classes)
    weights = check_weights(sample_weight, len(place))
    total = np.bincount(place, weights, minlength=len(classes))
    covered = np.bincount(place, weights * _hits(place, sets), minlength=len(classes))
    return np.divide(covered, total, out=np.full(len(classes), np.nan), where=total > 0)


def mean_set_size(sets, *, sample_weight=None):
    """Classes in a set, on average.

    Parameters
    ----------
    sets : array-like of shape (n_samples, n_classes), bool, or list of tuple
        Sets of classes, or of nodes as `HierarchicalConformalClassifier.predict_nodes` gives.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    size : float

    Examples
    --------
    >>> from skbst.conformal import mean_set_size
    >>> mean_set_size([[True, True, False], [True, False, False]]), mean_set_size([("fx",), ("fx-a", "ss-n")])
    (1.5, 1.5)
    """
    if isinstance(sets, list) and sets and isinstance(sets[0], tuple):
        sizes = np.array([len(nodes) for nodes in sets])
    else:
        sizes = np.asarray(sets, dtype=bool).sum(axis=1)
    return float(np.average(sizes, weights=check_weights(sample_weight, len(sizes))))


def node_answer_report(y_true, nodes, *, taxonomy=None, sample_weight=None):
    """How often an answer was a class, a top level or none, and how often it was right.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Class codes.

    nodes : array-like of shape (n_samples,), str
        Class codes, top-level codes or "?", as from `HierarchicalConformalClassifier.predict_node`.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all true labels are BST codes, the flat tree where none is.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    report : dict
        ``leaf``, ``top`` and ``refused``, each with its ``share`` of the rows, and ``accuracy`` (NaN where there are
        none); ``wrong``, the share of all rows with a wrong node; ``wrong_of_answered``, of those with a node.

    Examples
    --------
    >>> from skbst.conformal import node_answer_report
    >>> report = node_answer_report(["fx-a", "fx-a", "fx-h", "ss-n"], ["fx-a", "fx-h", "fx", "?"])
    >>> report["leaf"], report["wrong"]
    ({'share': 0.5, 'accuracy': 0.5}, 0.25)
    """
    nodes = np.asarray(nodes).astype(str)
    check_consistent_length(y_true, nodes)
    tree = resolve_taxonomy(taxonomy, y_true)
    truth = tree.leaf_index(y_true)
    is_leaf, refused = np.isin(nodes, tree.leaves), nodes == UNKNOWN
    is_top = ~is_leaf & np.isin(nodes, tree.tops)
    strange = ~(is_leaf | is_top | refused)
    if strange.any():
        raise DataFormatError(
            f"{strange.sum()} of {len(nodes)} answers are no node of the taxonomy (first: {nodes[strange][0]!r}). "
            "Answers are class codes, top-level codes or '?'."
        )
    right = np.where(is_leaf, nodes == tree.leaves[truth], nodes == tree.tops[tree.parent_of_leaf[truth]])
    weights = check_weights(sample_weight, len(nodes))

    def share(what, among):
        total = weights[among].sum()
        return float(weights[what & among].sum() / total) if total > 0 else float("nan")

    everyone = np.ones(len(nodes), dtype=bool)
    return {
        "leaf": {"share": share(is_leaf, everyone), "accuracy": share(right, is_leaf)},
        "top": {"share": share(is_top, everyone), "accuracy": share(right, is_top)},
        "refused": {"share": share(refused, everyone)},
        "wrong": share(~right & ~refused, everyone),
        "wrong_of_answered": share(~right, ~refused),
    }


def hierarchical_size_coverage_curve(y_true, proba, *, classes=None, taxonomy=None, max_nodes=None, n_points=50):
    """Coverage against the size of sets, in classes and in nodes of the tree, as the threshold rises.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Class labels.

    proba : array-like of shape (n_samples, n_classes)
        Probabilities of rows that the classifier has not seen.

    classes : array-like of shape (n_classes,), default=None
        Class of each column; None takes the sorted classes of `y_true`.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all classes are BST codes, the flat tree where none is.

    max_nodes : int, default=None
        As in `node_cover`; a wider cover holds more.

    n_points : int, default=50
        Number of thresholds, at equal steps of coverage.

    Returns
    -------
    curve : Bunch
        ``thresholds``, ``coverage`` (of the sets), ``size`` (classes of a set), ``node_coverage`` (of the nodes),
        ``nodes`` (nodes of a set) and ``leaves`` (classes below them), each of shape (n_points,).

    Examples
    --------
    >>> from skbst.conformal import hierarchical_size_coverage_curve
    >>> proba = [[0.6, 0.4, 0.0], [0.5, 0.3, 0.2], [0.4, 0.4, 0.2]]
    >>> curve = hierarchical_size_coverage_curve(["fx-a", "fx-h", "ss-n"], proba, n_points=3)
    >>> curve.coverage.round(2).tolist(), curve.size.round(2).tolist(), curve.nodes.round(2).tolist()
    ([0.33, 0.67, 1.0], [1.0, 2.0, 2.67], [1.0, 1.0, 1.67])
    """
    proba = check_proba(proba)
    y_true = np.asarray(y_true)
    classes = np.unique(y_true) if classes is None else np.asarray(classes)
    place, _, classes = _columns(y_true, np.zeros(proba.shape, dtype=bool), classes)
    tree = resolve_taxonomy(taxonomy, classes).reorder(classes)
    scores = 1 - proba[np.arange(len(proba)), place]
    thresholds = np.quantile(scores, np.linspace(0, 1, n_points), method="higher")
    members = {UNKNOWN: np.ones(len(classes), dtype=bool)}
    members.update({str(top): tree.parent_of_leaf == i for i, top in enumerate(tree.tops)})
    members.update({str(leaf): np.arange(len(classes)) == i for i, leaf in enumerate(tree.leaves)})
    rows = []
    for threshold in thresholds:
        sets = prediction_sets(proba, threshold)
        nodes = node_cover(sets, tree, max_nodes=max_nodes)
        below = np.stack([np.any([members[node] for node in row], axis=0) for row in nodes])
        shares = [_hits(place, sets), sets.sum(axis=1), _hits(place, below), [*map(len, nodes)], below.sum(axis=1)]
        rows.append([float(np.mean(values)) for values in shares])
    names = ("coverage", "size", "node_coverage", "nodes", "leaves")
    return Bunch(thresholds=thresholds, **dict(zip(names, np.array(rows).T)))
