"""Predictions of rows by models that have not seen them."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, indexable
from sklearn.utils.parallel import Parallel, delayed

from skbst._groups import groups_for_splitter, with_groups
from skbst._progress import progress_bar
from skbst._sklearn import _check_method_params, _safe_indexing
from skbst.ensemble._members import combine_log_proba, member_log_proba

__all__ = ["fit_on_folds", "mean_over_tests", "out_of_fold_log_proba"]


def out_of_fold_log_proba(estimators, X, y, *, cv=None, groups=None, min_proba=1e-12, n_jobs=None, verbose=0):
    """Log-probabilities of each row by each classifier, fitted without the row's fold.

    Parameters
    ----------
    estimators : sequence of classifiers
        Cloned for each fold. A `FrozenEstimator` answers as it is: it must not have seen these rows.

    X : FeatureBundle or array-like of shape (n_samples, n_features)
        Clips.

    y : array-like of shape (n_samples,)
        Class labels.

    cv : int, splitter or iterable, default=None
        Folds, as in `sklearn.model_selection.cross_validate`.

    groups : array-like of shape (n_samples,), default=None
        Uploader of each row, for the splitter and for the classifiers and their parts whose ``fit`` takes groups.

    min_proba : float, default=1e-12
        Least probability.

    n_jobs : int, default=None
        Fits run in parallel.

    verbose : int, default=0
        1 shows a bar over the fits.

    Returns
    -------
    out : Bunch
        ``log_proba`` (n_estimators, n_tested, n_classes), ``y`` (n_tested,), ``rows`` (n_tested,) positions in `X`,
        ``folds`` (n_tested,) the number of the fold that tested a row (the last one, if several did), ``classes``
        (n_classes,). Rows that no fold tests are left out.
    """
    X, y = indexable(X, y)
    y = np.asarray(y)
    classes = np.unique(y)
    splits = list(check_cv(cv, y, classifier=True).split(X, y, groups_for_splitter(groups, len(y))))
    tasks = [
        (estimator, with_groups(estimator, groups, {}), train, test)
        for estimator in estimators
        for train, test in splits
    ]
    fitted = fit_on_folds(tasks, X, y, classes, min_proba, n_jobs=n_jobs, verbose=verbose)
    tests = [test for _, test in splits]
    log_proba = [
        mean_over_tests([answer for _, answer in fitted[i : i + len(splits)]], tests, len(y), len(classes))
        for i in range(0, len(tasks), len(splits))
    ]
    folds = np.full(len(y), -1)
    for number, test in enumerate(tests):
        folds[test] = number
    rows = np.flatnonzero(folds >= 0)
    return Bunch(log_proba=np.stack(log_proba)[:, rows], y=y[rows], rows=rows, folds=folds[rows], classes=classes)


def fit_on_folds(tasks, X, y, classes, min_proba, *, n_jobs, verbose):
    """Fit a clone for each (estimator, fit_params, train, test) and predict its test rows.

    Parameters
    ----------
    tasks : list of (classifier, dict, ndarray of int, ndarray of int)
        What to fit, with which parameters (what has a value per row is cut to the training part), on which rows, and
        which to predict.

    X, y : array-like
        All rows.

    classes : ndarray of shape (n_classes,)
        Columns of the answer.

    min_proba : float
        Least probability.

    n_jobs, verbose : int
        As usual.

    Returns
    -------
    fitted : list of (classifier, ndarray of shape (n_test, n_classes))
        Fitted clones and their log-probabilities.
    """
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    found = parallel(
        delayed(_fit_and_predict)(estimator, X, y, train, test, fit_params, classes, min_proba)
        for estimator, fit_params, train, test in tasks
    )
    return list(progress_bar(found, total=len(tasks), desc="folds", unit="fit", verbose=int(verbose)))


def _fit_and_predict(estimator, X, y, train, test, fit_params, classes, min_proba):
    params = _check_method_params(X, fit_params, indices=train)
    fitted = clone(estimator).fit(_safe_indexing(X, train), _safe_indexing(y, train), **params)
    return fitted, member_log_proba(fitted, _safe_indexing(X, test), classes, min_proba=min_proba)


def mean_over_tests(answers, tests, n_samples, n_classes, *, voting="logit"):
    """Put the answers for the test parts into the order of all rows.

    Parameters
    ----------
    answers : list of ndarray of shape (n_test, n_classes)
        Log-probabilities.

    tests : list of ndarray of shape (n_test,), int
        The rows they are of. A row may be tested more than once (repeated folds) or never.

    n_samples, n_classes : int
        Shape of the result.

    voting : {"logit", "soft"}, default="logit"
        How several answers for one row are averaged.

    Returns
    -------
    log_proba : ndarray of shape (n_samples, n_classes), float64
        NaN for rows that were never tested.
    """
    if sum(map(len, tests)) == len(np.unique(np.concatenate(tests))):
        log_proba = np.full((n_samples, n_classes), np.nan)
        for answer, test in zip(answers, tests):
            log_proba[test] = answer
        return log_proba
    by_row = [[] for _ in range(n_samples)]
    for answer, test in zip(answers, tests):
        for row, values in zip(test, answer):
            by_row[row].append(values)
    missing = np.full(n_classes, np.nan)
    return np.stack(
        [combine_log_proba(np.stack(rows)[:, None], voting=voting)[0] if rows else missing for rows in by_row]
    )
