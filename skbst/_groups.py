"""One reader of groups, such as uploaders: who is missing, and who is equal to whom."""

import warnings
from inspect import signature

import numpy as np
import pandas as pd
from sklearn import get_config
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skbst._sklearn import BaseSearchCV
from skbst.exceptions import DataFormatError

__all__ = [
    "group_codes",
    "groups_by_any_name",
    "groups_for_splitter",
    "matched_group_codes",
    "own_group_codes",
    "read_groups",
    "stored_groups",
    "with_groups",
]


def read_groups(groups, n_rows=None, *, name="groups"):
    """Read the group of each row.

    Parameters
    ----------
    groups : array-like of shape (n_rows,)
        Names of any type: text, numbers, nullable and categorical columns, a mixture. Missing are None, NaN, pd.NA,
        NaT and "".

    n_rows : int, default=None
        Their expected number.

    name : str, default="groups"
        What the message calls them.

    Returns
    -------
    names : ndarray of shape (n_rows,), object
        None where a row is nobody's. Whole floats are ints: a column of numbers with a gap is one of floats.

    Raises
    ------
    DataFormatError
        If there is not one label per row.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst._groups import read_groups
    >>> read_groups(["ann", "", pd.NA, float("nan"), 7.0])
    array(['ann', None, None, None, 7], dtype=object)
    """
    if isinstance(groups, str):
        raise DataFormatError(f"{name} must have one entry per row; got one str ({groups[:40]!r}).")
    # of a list numpy would make one type, and of NaN the text "nan"
    names = np.asarray(groups if hasattr(groups, "__array__") else list(groups), dtype=object)
    if names.ndim == 2 and names.shape[1] == 1:
        names = names[:, 0]
    if names.ndim != 1 or (n_rows is not None and len(names) != n_rows):
        rows = "" if n_rows is None else f", one label for each of the {n_rows} rows"
        raise DataFormatError(f"{name} must have one entry per row{rows}; got an array of shape {names.shape}.")
    return np.array([*map(_plain, names), None], dtype=object)[:-1]


def _plain(value):
    if isinstance(value, str):
        return str(value) or None
    if isinstance(value, np.generic) and not isinstance(value, (np.datetime64, np.timedelta64)):
        value = value.item()
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def group_codes(groups, n_rows=None):
    """Number the groups, whatever the order of the rows.

    Parameters
    ----------
    groups : array-like of shape (n_rows,)
        As in `read_groups`.

    n_rows : int, default=None
        Their expected number.

    Returns
    -------
    codes : ndarray of shape (n_rows,), int64
        From 0, in the order of the names as text; -1 where a row is nobody's.

    Examples
    --------
    >>> from skbst._groups import group_codes
    >>> group_codes(["bob", None, "ann", "bob"])
    array([ 1, -1,  0,  1])
    """
    names = read_groups(groups, n_rows)
    known = sorted({name for name in names if name is not None}, key=lambda name: (str(name), type(name).__name__))
    number = {None: -1, **{name: code for code, name in enumerate(known)}}
    return np.fromiter((number[name] for name in names), dtype=np.int64, count=len(names))


def own_group_codes(groups, n_rows=None):
    """Number the groups as `group_codes` does, and give each row of nobody a number of its own after them."""
    codes = group_codes(groups, n_rows)
    missing = codes < 0
    codes[missing] = codes.max(initial=-1) + 1 + np.arange(missing.sum())
    return codes


def matched_group_codes(groups, others):
    """Number two lists of groups so that numbers are equal where the groups are.

    Parameters
    ----------
    groups, others : array-like
        As in `read_groups`.

    Returns
    -------
    codes, other_codes : ndarray of int64
        Rows of nobody are -2 in the first and -1 in the second, and so equal nothing.
    """
    both = group_codes(np.concatenate([read_groups(groups), read_groups(others)]))
    codes, other_codes = both[: len(both) - len(others)], both[len(both) - len(others) :]
    return np.where(codes < 0, -2, codes), other_codes


def groups_for_splitter(groups, n_rows=None):
    """Groups as any splitter takes them: as they are, or as numbers where some rows are nobody's.

    Scikit-learn's splitters would take all of these for one group, or refuse them.
    """
    if groups is None:
        return None
    names = read_groups(groups, n_rows)
    return own_group_codes(names) if any(name is None for name in names) else np.asarray(groups)


def stored_groups(groups, n_rows=None):
    """Groups as a fitted model keeps them: texts with "" for nobody, numbers, or a mixture of objects with None."""
    names = read_groups(groups, n_rows)
    if all(name is None or isinstance(name, str) for name in names):
        return np.array([name or "" for name in names], dtype=str)
    kinds = {type(name) for name in names}
    return np.array(names.tolist()) if kinds in ({int}, {float}, {bool}) else names


def groups_by_any_name(groups, uploader, owner):
    """Take groups, or what is given by their old name, with a word about it.

    Parameters
    ----------
    groups, uploader : array-like or None
        Not both.

    owner : str
        Whose argument it is.

    Returns
    -------
    groups : array-like or None
    """
    if uploader is None:
        return groups
    if groups is not None:
        raise TypeError(f"{owner} got both groups and uploader, the old name of the same; pass groups alone.")
    warnings.warn(
        f"uploader= of {owner} is called groups= now, as everywhere; the old name will go.", UserWarning, stacklevel=3
    )
    return uploader


def with_groups(estimator, groups, fit_params):
    """Parameters of a fit, with the groups under the names by which they reach every part that can use them.

    Parameters
    ----------
    estimator : estimator
        Whose fit is called: one that takes groups, or a Pipeline, search or calibrator around such.

    groups : array-like of shape (n_samples,) or None
        Who uploaded each row.

    fit_params : dict
        Its other parameters; what is named there already stays.

    Returns
    -------
    fit_params : dict
        Not changed under metadata routing, where the user says who gets what.

    Warns
    -----
    UserWarning
        If a part takes groups and stands where scikit-learn hands none down.
    """
    if groups is None or get_config()["enable_metadata_routing"]:
        return fit_params
    names, lost = _routes(estimator)
    if lost:
        warnings.warn(
            f"groups do not reach {', '.join(lost)}: scikit-learn hands them down only with metadata routing "
            "(sklearn.set_config(enable_metadata_routing=True)). Switch it on, or put the part where it gets them.",
            UserWarning,
            stacklevel=4,
        )
    return {**dict.fromkeys(names, groups), **fit_params}


def _routes(estimator):
    """Names of the fit parameters that bring groups to the parts of an estimator, and the parts that they miss."""
    if isinstance(estimator, (str, FrozenEstimator)) or not hasattr(estimator, "fit"):
        return [], []
    if isinstance(estimator, Pipeline):
        found = [(name, _routes(step)) for name, step in estimator.steps]
        names = [f"{step}__{name}" for step, (inner, _) in found for name in inner]
        return names, [part for _, (_, lost) in found for part in lost]
    parameters = signature(estimator.fit).parameters
    foreign = not estimator.fit.__module__.startswith("sklearn.")
    if "groups" in parameters or (foreign and any(p.kind is p.VAR_KEYWORD for p in parameters.values())):
        return ["groups"], []
    if isinstance(estimator, CalibratedClassifierCV):
        return _routes(estimator.estimator)
    if isinstance(estimator, BaseSearchCV):
        names, lost = _routes(estimator.estimator)
        # a search keeps what is called groups for its splitter
        inside = [f"{type(estimator.estimator).__name__} inside {type(estimator).__name__}"] * ("groups" in names)
        return ["groups", *(name for name in names if name != "groups")], lost + inside
    return [], _missed_inside(estimator)


def _missed_inside(estimator):
    """Parts that take groups inside an estimator that hands none down."""
    if not hasattr(estimator, "get_params"):
        return []
    parts = [part for part in estimator.get_params(deep=False).values() if hasattr(part, "fit")]
    parts += [part for _, part in _named_parts(estimator)]
    names = {}
    for part in parts:
        taken, lost = _routes(part)
        names |= dict.fromkeys([f"{type(part).__name__} inside {type(estimator).__name__}"] * bool(taken) + lost)
    return list(names)


def _named_parts(estimator):
    for name in ("estimators", "transformers", "transformer_list"):
        for item in getattr(estimator, name, None) or ():
            if isinstance(item, tuple) and hasattr(item[1], "fit"):
                yield item[:2]
