"""The only fits of a blend search: one per fold and setting of what is no matter of arithmetic."""

import time
import traceback
import warnings

import numpy as np
from sklearn import get_config
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import process_routing

from skbst._sklearn import _check_method_params, _safe_indexing, validate_parameter_constraints
from skbst.model_selection._blend._cells import FoldParts
from skbst.neighbors import KNNPriorBlender

__all__ = ["blender_of", "blender_params", "fit_fold", "split_candidates", "tell_failures"]

_CHEAP = ("alpha", "k", "temperature", "prior_weight")


def blender_of(estimator):
    """Return the blender of an estimator and the prefix of its parameters.

    Parameters
    ----------
    estimator : KNNPriorBlender, or Pipeline that ends in one
        Anything else is refused.

    Returns
    -------
    blender : KNNPriorBlender
        The object itself.

    prefix : str
        Such as ``"blend__"``; empty for a bare blender.
    """
    blender, prefix = estimator, ""
    while isinstance(blender, Pipeline):
        name, blender = blender.steps[-1]
        prefix += f"{name}__"
    if not isinstance(blender, KNNPriorBlender):
        raise ValueError(
            f"KNNBlendSearchCV searches a KNNPriorBlender, or a Pipeline that ends in one; got "
            f"{type(estimator).__name__}. Take GridSearchCV for other estimators."
        )
    return blender, prefix


def blender_params(estimator, method, params):
    """Tell what the blender gets of the parameters of an estimator's method, under the names that the blender knows.

    Parameters
    ----------
    estimator : KNNPriorBlender, or Pipeline that ends in one
        Whose method is called.

    method : {"fit", "score"}
        The method.

    params : dict
        Its parameters: with metadata routing under the names of the requests, else with the steps' prefixes.

    Returns
    -------
    params : dict
        Parameters of the blender's own method.
    """
    while isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        if get_config()["enable_metadata_routing"]:
            params = process_routing(estimator, method, **params)[name][method]
        else:
            prefix = f"{name}__"
            params = {key.removeprefix(prefix): value for key, value in params.items() if key.startswith(prefix)}
        estimator = last
    return params


def split_candidates(estimator, candidates):
    """Group candidates by what needs a fit of its own.

    Parameters
    ----------
    estimator : KNNPriorBlender or Pipeline
        Unfitted.

    candidates : list of dict
        Parameter settings.

    Returns
    -------
    settings : list of (dict, list of int, list of dict)
        The costly part of the parameters, positions of the candidates that share it, and their cells: alpha, k,
        temperature and prior_weight each.
    """
    blender, prefix = blender_of(estimator)
    present = {name: getattr(blender, name) for name in _CHEAP}
    settings = []
    for i, candidate in enumerate(candidates):
        costly = {name: value for name, value in candidate.items() if name.removeprefix(prefix) not in _CHEAP}
        found = next((entry for entry in settings if _same(entry[0], costly)), None)
        if found is None:
            found = (costly, [], [])
            settings.append(found)
        cell = {name: candidate.get(prefix + name, present[name]) for name in _CHEAP}
        validate_parameter_constraints(KNNPriorBlender._parameter_constraints, cell, "KNNPriorBlender")
        found[1].append(i)
        found[2].append(cell)
    return settings


def _same(one, other):
    return one.keys() == other.keys() and all(
        one[name] is other[name] or _equal(one[name], other[name]) for name in one
    )


def _equal(one, other):
    try:
        return type(one) is type(other) and bool(one == other)
    except (ValueError, TypeError):  # arrays compare element by element
        return False


def fit_fold(estimator, X, y, train, test, setting, fit_params, groups, k, both, caller, context):
    """Fit on one training part and collect what all cells need.

    Parameters
    ----------
    estimator : KNNPriorBlender or Pipeline
        Cloned.

    X, y : array-like
        All rows.

    train, test : ndarray of int
        The split.

    setting : dict
        Costly parameters.

    fit_params : dict
        For ``fit``; what has a value per row is cut to the training part.

    groups : array-like of shape (n_samples,) or None
        For ``exclude_own_group`` at prediction.

    k : int
        Largest number of neighbours.

    both : bool
        Whether the training part is looked up, too.

    caller, context : estimator and callback context
        For callbacks.

    Returns
    -------
    test_parts, train_parts : FoldParts, and FoldParts or None
        Parts.

    fit_time : float
        In seconds.

    predict_time : float
        Of the test part, in seconds.

    error : str or None
        With ``error_score`` other than "raise", what ended a fit or its predictions; there are no parts then.
    """
    # a name that does not exist is a mistake in the grid, not a setting that cannot be fitted
    estimator = clone(estimator).set_params(**clone(setting, safe=False))
    start = time.perf_counter()
    try:
        return *_fit_fold(estimator, X, y, train, test, fit_params, groups, k, both, caller, context), None
    except Exception:
        if caller.error_score == "raise":
            raise
        return None, None, time.perf_counter() - start, 0.0, traceback.format_exc()


def _fit_fold(estimator, X, y, train, test, fit_params, groups, k, both, caller, context):
    start = time.perf_counter()
    X_train, y_train = _safe_indexing(X, train), _safe_indexing(y, train)
    with context.propagate_callback_context(estimator):
        context.call_on_fit_task_begin(estimator=caller, X=X_train, y=y_train)
        estimator.fit(X_train, y_train, **_check_method_params(X, fit_params, indices=train))
    context.call_on_fit_task_end(estimator=caller, X=X_train, y=y_train)
    fit_time = time.perf_counter() - start
    start = time.perf_counter()
    test_parts = _look_up(estimator, X, y, test, groups, k)
    predict_time = time.perf_counter() - start
    train_parts = _look_up(estimator, X, y, train, groups, k) if both else None
    return test_parts, train_parts, fit_time, predict_time


def _look_up(estimator, X, y, rows, groups, k):
    rows_X = _safe_indexing(X, rows)
    while isinstance(estimator, Pipeline):
        if len(estimator) > 1:
            rows_X = estimator[:-1].transform(rows_X)
        estimator = estimator[-1]
    own = _safe_indexing(groups, rows) if estimator.exclude_own_group and groups is not None else None
    p_model, similarities, indices = estimator.proba_and_neighbours(rows_X, k, groups=own)
    return FoldParts(
        rows=np.asarray(rows),
        y=np.asarray(_safe_indexing(y, rows)),
        classes=estimator.classes_,
        p_model=p_model,
        similarities=similarities,
        labels=estimator.bank_labels_[indices],
        n_bank=len(estimator.bank_),
        p_prior=estimator.class_prior(rows_X),
    )


def tell_failures(settings, folds, error_score):
    """Warn of settings that could not be fitted, by their names, or raise if none could.

    Parameters
    ----------
    settings : list of (dict, list of int, list of dict)
        Of `split_candidates`.

    folds : list of list of tuple
        What `fit_fold` returned, per setting and split.

    error_score : float
        What their scores become.
    """
    failed = [(setting, [fold[-1] for fold in found if fold[-1]]) for (setting, _, _), found in zip(settings, folds)]
    failed = [(setting, errors) for setting, errors in failed if errors]
    n_failed, n_fits = sum(len(errors) for _, errors in failed), sum(map(len, folds))
    if not n_failed:
        return
    details = "\n".join(
        f"{setting or 'the estimator as it is'}: {len(errors)} fits failed, the first with\n{errors[0]}"
        for setting, errors in failed
    )
    if n_failed == n_fits:
        raise ValueError(f"All the {n_fits} fits failed. Try error_score='raise'.\n{details}")
    warnings.warn(
        f"{n_failed} of {n_fits} fits failed; the scores of their cells there are {error_score}. Take "
        f"error_score='raise' to stop at the first.\n{details}",
        FitFailedWarning,
        stacklevel=3,
    )
