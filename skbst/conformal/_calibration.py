"""What is learnt from calibration rows, and what it is worth."""

from fractions import Fraction
from math import ceil, inf

import numpy as np
from sklearn.model_selection import GroupKFold
from sklearn.utils import Bunch

from skbst.conformal._nodes import UNKNOWN, node_answers, node_threshold
from skbst.conformal._quantile import check_weights, conformal_quantile
from skbst.conformal._sets import class_thresholds, lac_scores, prediction_sets
from skbst.conformal._unlike import unlike_bank

__all__ = ["Calibration", "calibrate"]

# parts of the second cross-validation, in which only thresholds are learnt
_PARTS = 10
# an uploader with fewer rows says little about the promise
_ROWS_OF_A_GROUP = 10


class Calibration:
    """Thresholds from the probabilities of unseen rows.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes), float64
        Probabilities of rows that the classifier has not seen.

    y : ndarray of shape (n_samples,), int
        Columns of their true classes.

    taxonomy : Taxonomy
        The tree, its leaves in the order of the columns.

    confidence_level : float
        The promise.

    condition : {None, "class", "top"}
        As in `class_thresholds`.

    recall_floor : dict of str to float
        Least recall of some classes.

    sample_weight : ndarray of shape (n_samples,), default=None
        As in `conformal_quantile`.

    Attributes
    ----------
    thresholds, sources : ndarray of shape (n_classes,)
        As from `class_thresholds`, the floors joined to them.

    node : float
        As from `node_threshold`.

    floors : dict of str to float
        Highest score of a class that is flagged.
    """

    def __init__(self, proba, y, taxonomy, *, confidence_level, condition, recall_floor, sample_weight=None):
        parent, weights = taxonomy.parent_of_leaf, check_weights(sample_weight, len(y))
        scores = lac_scores(proba, y)
        self.taxonomy = taxonomy
        self.thresholds, self.sources = class_thresholds(
            scores, y, parent, confidence_level, condition=condition, sample_weight=weights
        )
        self.node = node_threshold(proba, y, parent, confidence_level, sample_weight=weights)
        self.floors = {}
        for code, share in recall_floor.items():
            column = int(taxonomy.leaf_index([code])[0])
            rows = (y == column) & (weights > 0)
            self.floors[code] = conformal_quantile(scores[rows], share, sample_weight=weights[rows])
            self.thresholds[column] = max(self.thresholds[column], self.floors[code])

    def sets(self, proba):
        """Sets of classes (n_samples, n_classes)."""
        return prediction_sets(proba, self.thresholds)

    def nodes(self, proba):
        """Deepest nodes that can be vouched for (n_samples,)."""
        return node_answers(proba, self.taxonomy, self.node)

    def flagged(self, proba, code):
        """Which rows may be of a class with a floor (n_samples,)."""
        return 1 - proba[:, self.taxonomy.leaf_index([code])[0]] <= self.floors[code]


def calibrate(unseen, labels, taxonomy, settings, *, groups=None, names=None, vectors=None, sample_weight=None):
    """Learn everything that answers need from rows that the classifier has not seen.

    Parameters
    ----------
    unseen : Bunch
        ``rows`` (n_tested,) among all rows, and their ``proba`` (n_tested, n_classes).

    labels : ndarray of shape (n_samples,), int
        Columns of the true classes of all rows.

    taxonomy : Taxonomy
        The tree.

    settings : dict
        ``confidence_level``, ``condition`` and ``recall_floor``.

    groups : ndarray of shape (n_samples,), int, default=None
        Numbers of the groups, a row of nobody with one of its own; `names` are what they are called.

    names : ndarray of shape (n_samples,), object, default=None
        What the groups are called.

    vectors : ndarray of shape (n_samples, n_features), default=None
        What unlike clips are known by.

    sample_weight : ndarray of shape (n_samples,), default=None
        Rows of weight 0 calibrate nothing.

    Returns
    -------
    learnt : Bunch
        Values of the fitted attributes, by their names without the underscore.
    """
    counted = slice(None) if sample_weight is None else sample_weight[unseen.rows] > 0
    rows, proba = unseen.rows[counted], unseen.proba[counted]
    weight = np.ones(len(rows)) if sample_weight is None else sample_weight[rows]
    groups = np.arange(len(labels)) if groups is None else groups
    learnt = Calibration(proba, labels[rows], taxonomy, sample_weight=weight, **settings)
    return Bunch(
        calibration_rows=rows,
        calibration_proba=proba,
        calibration_labels=labels[rows],
        calibration_weight=weight,
        thresholds=learnt.thresholds,
        node_threshold=learnt.node,
        floor_thresholds=learnt.floors,
        bank=unlike_bank(None if vectors is None else vectors[rows], groups[rows]),
        calibration_report=calibration_report(
            learnt,
            proba,
            labels[rows],
            groups[rows],
            settings,
            names=None if names is None else names[rows],
            sample_weight=weight,
        ),
    )


def realised(proba, y, groups, taxonomy, settings, sample_weight):
    """What the promise comes to on rows that no threshold was learnt from.

    Whole groups are left out in turn; the thresholds are learnt from the others.

    Returns
    -------
    covered : ndarray of shape (n_samples,), bool
    sizes : ndarray of shape (n_samples,), int
    nodes : ndarray of shape (n_samples,), str
    flags : dict of str to ndarray of shape (n_samples,), bool
    """
    n, weights = len(y), check_weights(sample_weight, len(y))
    covered, sizes = np.zeros(n, dtype=bool), np.zeros(n, dtype=int)
    nodes, flags = (
        np.full(n, UNKNOWN, dtype=object),
        {code: np.zeros(n, dtype=bool) for code in settings["recall_floor"]},
    )
    parts = min(_PARTS, len(np.unique(groups)))
    if parts < 2:
        return covered, sizes, nodes.astype(str), flags
    for train, test in GroupKFold(parts, shuffle=True, random_state=0).split(y, y, groups):
        part = Calibration(proba[train], y[train], taxonomy, sample_weight=weights[train], **settings)
        sets = part.sets(proba[test])
        covered[test], sizes[test] = sets[np.arange(len(test)), y[test]], sets.sum(axis=1)
        nodes[test] = part.nodes(proba[test])
        for code in flags:
            flags[code][test] = part.flagged(proba[test], code)
    return covered, sizes, nodes.astype(str), flags


def calibration_report(calibration, proba, y, groups, settings, *, names=None, sample_weight=None):
    """Tell what was calibrated on, and what the promise comes to.

    Parameters
    ----------
    calibration : Calibration
        Learnt from all rows.

    proba, y : ndarray
        The calibration rows.

    groups : ndarray of shape (n_samples,), int
        Number of each row's group, one of its own where it is nobody's.

    settings : dict
        ``confidence_level``, ``condition`` and ``recall_floor``.

    names : ndarray of shape (n_samples,), object, default=None
        What the groups are called.

    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    report : dict
        As `HierarchicalConformalClassifier` describes it.
    """
    tree = calibration.taxonomy
    weights, tops = check_weights(sample_weight, len(y)), tree.parent_of_leaf[y]
    covered, sizes, nodes, flags = realised(proba, y, groups, tree, settings, weights)
    counts = np.unique(groups, return_counts=True)[1]
    share = _share_of(weights)
    classes = {}
    for column, code in enumerate(tree.leaves.tolist()):
        rows = y == column
        classes[code] = {
            "rows": int(rows.sum()),
            "groups": len(np.unique(groups[rows])),
            "threshold": float(calibration.thresholds[column]),
            "decided_by": str(calibration.sources[column]),
            "coverage": share(covered, rows),
        }
    by_top = {
        code: {"rows": int((tops == i).sum()), "coverage": share(covered, tops == i)}
        for i, code in enumerate(tree.tops.tolist())
    }
    report = {
        "confidence_level": settings["confidence_level"],
        "condition": settings["condition"],
        "rows": len(y),
        "groups": len(counts),
        "effective_groups": float(counts.sum() ** 2 / (counts**2).sum()),
        "coverage": share(covered, slice(None)),
        "mean_set_size": share(sizes, slice(None)),
        "classes": classes,
        "top_levels": by_top,
        "worst_group": _worst_group(covered, groups, weights, names),
        "nodes": _node_shares(nodes, y, tree, weights, calibration.node),
        "floors": _floors(calibration, flags, y, weights, settings["recall_floor"]),
    }
    report["warnings"] = _too_few(report)
    return report


def _share_of(weights):
    def share(values, rows):
        total = weights[rows].sum()
        return float((values[rows] * weights[rows]).sum() / total) if total > 0 else float("nan")

    return share


def _worst_group(covered, groups, weights, names):
    """The group of some size whose rows are covered least; None where all are smaller."""
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    total = np.bincount(place, weights)
    large = (counts >= _ROWS_OF_A_GROUP) & (total > 0)
    if not large.any():
        return None
    share = np.where(large, np.bincount(place, weights * covered) / np.where(total > 0, total, 1), inf)
    worst = int(share.argmin())
    first = int(np.flatnonzero(place == worst)[0])
    return {
        "group": None if names is None else str(names[first]),
        "rows": int(counts[worst]),
        "coverage": float(share[worst]),
    }


def _node_shares(nodes, y, tree, weights, threshold):
    leaf, unknown = nodes == tree.leaves[y], nodes == UNKNOWN
    is_leaf = np.isin(nodes, tree.leaves)
    right = leaf | (~is_leaf & (nodes == tree.tops[tree.parent_of_leaf[y]]))
    share, everywhere = _share_of(weights), slice(None)
    return {
        "threshold": float(threshold),
        "leaf": share(is_leaf, everywhere),
        "top": share(~is_leaf & ~unknown, everywhere),
        "refused": share(unknown, everywhere),
        "wrong": share(~right & ~unknown, everywhere),
        "wrong_of_answered": share(~right, ~unknown),
    }


def _floors(calibration, flags, y, weights, recall_floor):
    found, share = {}, _share_of(weights)
    for code, flagged in flags.items():
        own = y == calibration.taxonomy.leaf_index([code])[0]
        found[code] = {
            "promised_recall": recall_floor[code],
            "rows": int(own.sum()),
            "threshold": float(calibration.floors[code]),
            "recall": share(flagged, own),
            "others_flagged": share(flagged, ~own),
            "flagged": share(flagged, slice(None)),
        }
    return found


def _too_few(report):
    """Sentences on promises that the rows are too few for."""
    level, said = report["confidence_level"], []
    if report["condition"] is not None:
        wanted = report["condition"]
        short = [f"{code} ({row['rows']})" for code, row in report["classes"].items() if row["decided_by"] != wanted]
        if short:
            said.append(
                f"{len(short)} of {len(report['classes'])} classes have too few rows of their own {wanted} for "
                f"{level:g} ({_least_rows(level)} are needed), so the rows above them decide and the promise is not "
                f"theirs: {', '.join(short)}."
            )
    elif any(row["decided_by"] == "none" for row in report["classes"].values()):
        said.append(
            f"{report['rows']} rows are too few for {level:g} ({_least_rows(level)} are needed): every set is full."
        )
    for code, row in report["floors"].items():
        if row["threshold"] == inf:
            said.append(
                f"recall_floor of {code!r}: {row['rows']} rows are too few for {row['promised_recall']:g} "
                f"({_least_rows(row['promised_recall'])} are needed), so every clip is flagged."
            )
    if report["nodes"]["threshold"] == inf:
        said.append(f"{report['rows']} rows are too few for {level:g}: predict_node answers '?' to every row.")
    return said


def _least_rows(level):
    level = Fraction(repr(float(level)))
    return ceil(level / (1 - level))
