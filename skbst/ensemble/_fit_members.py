"""Fitting the members of a vote, each with its own parameters."""

from inspect import signature

from sklearn import get_config
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.parallel import Parallel, delayed

from skbst._groups import with_groups
from skbst._sklearn import _print_elapsed_time

__all__ = ["fit_members", "params_of_members"]


def params_of_members(ensemble, names, members, fit_params, groups=None):
    """Tell what each member's fit gets.

    Parameters
    ----------
    ensemble : estimator
        Whose fit was called.

    names, members : list of str, list of classifier
        The members, without dropped ones.

    fit_params : dict
        Parameters of the ensemble's fit. Without metadata routing all members get all that are not None; with it, what
        they have requested.

    groups : array-like of shape (n_samples,), default=None
        For the members that can use them.

    Returns
    -------
    params : list of dict
        One per member.

    Raises
    ------
    TypeError
        If a member does not take a parameter that all members get.
    """
    if get_config()["enable_metadata_routing"]:
        given = fit_params if groups is None else {"groups": groups, **fit_params}
        routed = process_routing(ensemble, "fit", **given)
        return [routed[name]["fit"] for name in names]
    fit_params = {key: value for key, value in fit_params.items() if value is not None}
    for name, member in zip(names, members):
        _check_takes(name, member, fit_params)
    return [with_groups(member, groups, fit_params) for member in members]


def _check_takes(name, member, fit_params):
    known = signature(member.fit).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
    # a Pipeline's parameters need the name of a step, which other members do not know
    takes_any = takes_any and not isinstance(member, Pipeline)
    unknown = [key for key in fit_params if key not in known and not takes_any]
    if unknown:
        raise TypeError(
            f"Member {name!r} ({type(member).__name__}) does not take the parameters {unknown} of fit, which all "
            "members get. To give them to some, switch metadata routing on and request them there: "
            f"member.set_fit_request({unknown[0]}=True)."
        )


def fit_members(members, X, y, params, *, n_jobs, messages):
    """Fit clones of all members.

    Parameters
    ----------
    members : list of classifier
        Not touched.

    X, y : array-like
        Training rows.

    params : list of dict
        For each member's fit.

    n_jobs : int or None
        Members are fitted in parallel.

    messages : list of (str or None)
        Printed with the time that a fit took, as scikit-learn's votes do; None is silent.

    Returns
    -------
    fitted : list of classifier
        In the same order.
    """
    return Parallel(n_jobs=n_jobs)(
        delayed(_fit)(member, X, y, own, message) for member, own, message in zip(members, params, messages)
    )


def _fit(member, X, y, params, message):
    with _print_elapsed_time("Voting", message):
        return clone(member).fit(X, y, **params)
