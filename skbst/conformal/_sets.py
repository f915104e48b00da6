"""Sets of classes: scores, thresholds that fall back to the parent's rows, and who is in."""

from math import inf

import numpy as np

from skbst._docstrings import completed_by
from skbst._proba import check_proba
from skbst.conformal._quantile import check_weights, conformal_p_values, conformal_quantile

__all__ = ["class_p_values", "class_thresholds", "lac_scores", "prediction_sets"]


def lac_scores(proba, y):
    """Strangeness of the true classes: 1 minus their probability.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities of rows that the classifier has not seen.

    y : array-like of shape (n_samples,), int
        Columns of their true classes.

    Returns
    -------
    scores : ndarray of shape (n_samples,), float64
        In [0, 1].

    References
    ----------
    Sadinle, Lei & Wasserman 2019: the smallest sets on average of all that keep the promise.

    Examples
    --------
    >>> from skbst.conformal import lac_scores
    >>> lac_scores([[0.75, 0.25], [0.5, 0.5]], [0, 1])
    array([0.25, 0.5 ])
    """
    proba = check_proba(proba)
    return 1 - proba[np.arange(len(proba)), np.asarray(y, dtype=np.intp)]


def class_thresholds(scores, y, parent_of_leaf, confidence_level, *, condition=None, sample_weight=None):
    """Threshold of each class, from its own rows or from those of whoever stands above it.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Of the true classes, as from `lac_scores`.

    y : array-like of shape (n_samples,), int
        Positions of the true classes.

    parent_of_leaf : array-like of shape (n_classes,), int
        Index of the top level of each class.

    confidence_level : float in (0, 1)
        The promise.

    condition : {None, "class", "top"}, default=None
        Rows that the promise is made for: all of them, those of each class, those of each top level. Where these are
        too few, the rows of the top level decide, then all rows; but never less than the class's own highest score, so
        that a higher level never has a smaller set.

    sample_weight : array-like of shape (n_samples,), default=None
        As in `conformal_quantile`.

    Returns
    -------
    thresholds : ndarray of shape (n_classes,), float64
        inf where even all rows are too few: such a set holds everything.

    sources : ndarray of shape (n_classes,), str
        Whose rows decided: "class", "top", "all", or "none".

    References
    ----------
    Vovk 2012 for the conditions; the parent's rows are our choice where Ding et al. 2306.09335 cluster classes.

    Examples
    --------
    >>> from skbst.conformal import class_thresholds
    >>> class_thresholds([0.1, 0.2, 0.3, 0.4, 0.5], [0, 0, 0, 0, 1], [0, 0], 0.75, condition="class")
    (array([0.4, 0.5]), array(['class', 'top'], dtype='<U5'))
    """
    scores, y, parent = np.asarray(scores, dtype=np.float64), np.asarray(y), np.asarray(parent_of_leaf)
    weights = check_weights(sample_weight, len(scores))
    steps = {None: ("all",), "top": ("top", "all"), "class": ("class", "top", "all")}[condition]
    thresholds, sources = np.empty(len(parent)), np.empty(len(parent), dtype="<U5")
    known = {}
    for column in range(len(parent)):
        floor = -inf
        for step in steps:
            key = (step, {"class": column, "top": parent[column], "all": 0}[step])
            if key not in known:
                rows = _rows_of(step, y, parent, column) & (weights > 0)
                quantile = conformal_quantile(scores[rows], confidence_level, sample_weight=weights[rows])
                known[key] = quantile, scores[rows].max(initial=-inf)
            quantile, highest = known[key]
            if quantile < inf:
                break
            floor = max(floor, highest)
        thresholds[column] = max(quantile, floor)
        sources[column] = step if quantile < inf else "none"
    return thresholds, sources


def _rows_of(step, y, parent, column):
    if step == "class":
        return y == column
    return parent[y] == parent[column] if step == "top" else np.ones(len(y), dtype=bool)


@completed_by(class_thresholds)
def class_p_values(scores, y, parent_of_leaf, proba, sources, *, sample_weight=None):
    """p-value of each class for each new row, among the rows that decided its threshold.

    Parameters
    ----------
    proba : array-like of shape (n_new, n_classes)
        Probabilities of new rows.

    sources : array-like of shape (n_classes,), str
        As from `class_thresholds`; "none" counts as "all".

    Returns
    -------
    p_values : ndarray of shape (n_new, n_classes), float64
        In (0, 1].

    Examples
    --------
    >>> from skbst.conformal import class_p_values
    >>> class_p_values([0.1, 0.4, 0.3], [0, 0, 1], [0, 1], [[0.75, 0.25]], ["class", "class"])
    array([[0.66666667, 0.5       ]])
    """
    scores, y, parent = np.asarray(scores, dtype=np.float64), np.asarray(y), np.asarray(parent_of_leaf)
    strange = 1 - check_proba(proba, len(parent))
    weights = check_weights(sample_weight, len(scores))
    out = np.empty_like(strange)
    for column, step in enumerate(sources):
        rows = _rows_of(step, y, parent, column)
        out[:, column] = conformal_p_values(scores[rows], strange[:, column], sample_weight=weights[rows])
    return out


def prediction_sets(proba, thresholds):
    """Classes that are not too strange; the likeliest is always among them.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities.

    thresholds : float or array-like of shape (n_classes,)
        Highest score, ``1 - proba``, that is let in.

    Returns
    -------
    sets : ndarray of shape (n_samples, n_classes), bool
        At least one True in each row.

    Examples
    --------
    >>> from skbst.conformal import prediction_sets
    >>> prediction_sets([[0.75, 0.25], [0.5, 0.5]], 0.25)
    array([[ True, False],
           [ True, False]])
    """
    proba = check_proba(proba)
    sets = 1 - proba <= np.asarray(thresholds, dtype=np.float64)
    if len(sets):
        sets[np.arange(len(sets)), proba.argmax(axis=1)] = True
    return sets
