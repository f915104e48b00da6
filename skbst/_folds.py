"""Folds: which rows are tested, and what models say of rows when they have seen neither them nor their group."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.utils import Bunch
from sklearn.utils.parallel import Parallel, delayed

from skbst._groups import own_group_codes
from skbst._proba import align_columns, check_proba
from skbst._sklearn import _check_method_params, _safe_indexing
from skbst.exceptions import DataFormatError

__all__ = ["aligned_proba", "cross_fit", "fold_rows", "never_test_extra_rows"]


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


def never_test_extra_rows(splits, fit_params, groups=None):
    """Take the rows of ``train_only`` out of the test parts; they join the training parts instead.

    Parameters
    ----------
    splits : list of (ndarray of int, ndarray of int)
        Training and test rows.

    fit_params : dict
        Parameters of a fit; one called ``train_only``, or so after the name of a step, tells which rows are extra.

    groups : array-like of shape (n_samples,), default=None
        Uploaders. An extra row whose uploader is tested joins neither part.

    Returns
    -------
    splits : list of (ndarray of int, ndarray of int)
        The same splits where no extra row was tested, as those of `BSDGrandKFold` are.

    Raises
    ------
    DataFormatError
        If nothing is left to test in a fold, or the mask is none.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst._folds import never_test_extra_rows
    >>> splits = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
    >>> never_test_extra_rows(splits, {"train_only": [False, True, False, False]})
    [(array([1, 2, 3]), array([0])), (array([0, 1]), array([2, 3]))]
    """
    masks = [mask for name, mask in fit_params.items() if name.split("__")[-1] == "train_only" and mask is not None]
    if not masks:
        return splits
    extra = np.any([np.asarray(mask) for mask in masks], axis=0)
    if extra.ndim != 1 or any(np.asarray(mask).dtype != bool for mask in masks):
        raise DataFormatError("train_only must be a mask of True and False with one entry per row.")
    codes = None if groups is None else own_group_codes(groups)
    found = []
    for number, (train, test) in enumerate(splits):
        train, test = np.asarray(train), np.asarray(test)
        tested, freed = test[~extra[test]], test[extra[test]]
        if not len(tested):
            raise DataFormatError(f"All {len(test)} test rows of fold {number} are train_only; take fewer folds.")
        if codes is not None:
            freed = freed[~np.isin(codes[freed], codes[tested])]
        found.append((np.sort(np.concatenate([train, freed])) if len(freed) else train, tested))
    return found
