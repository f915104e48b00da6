"""Probabilities of rows by models that have not seen them, nor anyone else of their group."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.utils import Bunch
from sklearn.utils.parallel import Parallel, delayed

from skbst._proba import align_columns, check_proba
from skbst._sklearn import _check_method_params, _safe_indexing

__all__ = ["aligned_proba", "cross_fit", "fold_rows"]


def fold_rows(cv, X, y, *, groups=None, random_state=None, split_params=None):
    """Folds that models are fitted on, or calibrated.

    Parameters
    ----------
    cv : int or splitter
        A number means stratified folds, of whole groups where there are any.

    X, y : array-like
        Rows and labels.

    groups : ndarray of shape (n_samples,), int, default=None
        Number of each row's group, one of its own where it is nobody's.

    random_state : int, RandomState or None, default=None
        Shuffles the folds; None keeps the order of the rows.

    split_params : dict, default=None
        For a splitter.

    Returns
    -------
    splits : list of (ndarray of int, ndarray of int)
        Training and test rows.
    """
    if not isinstance(cv, Integral):
        splits = check_cv(cv, y, classifier=True).split(X, y, **(split_params or {}))
        return [(np.asarray(train), np.asarray(test)) for train, test in splits]
    n_folds, shuffle = int(cv), {"shuffle": random_state is not None, "random_state": random_state}
    positions = np.zeros((len(y), 1))
    if groups is None:
        return list(StratifiedKFold(n_folds, **shuffle).split(positions, y))
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(
            "All rows are of one group, so nothing can be said about another one's. Give rows of two groups or more, "
            "or leave groups out if new rows will be of this same group."
        )
    if n_groups < n_folds:
        warnings.warn(f"cv={n_folds}, but there are {n_groups} groups: {n_groups} folds are made.", stacklevel=4)
    return list(StratifiedGroupKFold(min(n_folds, n_groups), **shuffle).split(positions, y, groups))


def aligned_proba(estimator, X, classes):
    """Probabilities of a fitted classifier in the order of `classes`; a class that it has not met gets 0."""
    proba = check_proba(estimator.predict_proba(X), len(estimator.classes_))
    return align_columns(proba, estimator.classes_, classes)


def cross_fit(estimator, X, y, splits, classes, *, fit_params=None, n_jobs=None):
    """Fit a clone for each fold and let it answer for the fold's test rows.

    Parameters
    ----------
    estimator : classifier
        Cloned.

    X, y : array-like
        Rows and labels.

    splits : list of (ndarray of int, ndarray of int)
        As from `fold_rows`.

    classes : ndarray of shape (n_classes,)
        Columns of the answer.

    fit_params : dict, default=None
        For ``fit``; what has a value per row is cut to the training part.

    n_jobs : int, default=None
        Folds are fitted in parallel; the result does not depend on it.

    Returns
    -------
    out : Bunch
        ``rows`` (n_tested,), positions of the rows that some fold has tested, and ``proba`` (n_tested, n_classes). A
        row that several folds test has their mean.
    """
    answers = Parallel(n_jobs=n_jobs)(
        delayed(_fit_and_answer)(estimator, X, y, train, test, classes, fit_params or {}) for train, test in splits
    )
    counts, proba = np.zeros(len(y)), np.zeros((len(y), len(classes)))
    for (_, test), answer in zip(splits, answers):
        np.add.at(counts, test, 1)
        np.add.at(proba, test, answer)
    rows = np.flatnonzero(counts)
    return Bunch(rows=rows, proba=proba[rows] / counts[rows, None])


def _fit_and_answer(estimator, X, y, train, test, classes, fit_params):
    params = _check_method_params(X, fit_params, indices=train)
    fitted = clone(estimator).fit(_safe_indexing(X, train), _safe_indexing(y, train), **params)
    return aligned_proba(fitted, _safe_indexing(X, test), classes)
