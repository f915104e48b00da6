"""What a fit is given, checked and brought into one form."""

from inspect import signature

import numpy as np
from sklearn import get_config
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import process_routing

from skbst._groups import groups_for_splitter, with_groups
from skbst.conformal._quantile import check_weights
from skbst.exceptions import DataFormatError

__all__ = ["checked_floors", "known_floor", "label_positions", "routed_params", "seeded_clone"]


def checked_floors(recall_floor, taxonomy):
    """Return floors as {class code: share in (0, 1)}, or say which one is none."""
    floors = dict(recall_floor or {})
    for code, share in floors.items():
        if code not in taxonomy:
            raise DataFormatError(
                f"recall_floor names {code!r}, which is no class of y. Its classes are {taxonomy.leaves.tolist()}."
            )
        if not 0 < float(share) < 1:
            raise DataFormatError(f"recall_floor of {code!r} must be a share in (0, 1), such as 0.99; got {share!r}.")
    return {str(code): float(share) for code, share in floors.items()}


def known_floor(code, floors):
    """Return a class code that has a floor, or say which have."""
    if code not in floors:
        raise DataFormatError(
            f"{code!r} has no recall floor; those with one: {list(floors)}. Fit with recall_floor={{{code!r}: 0.99}}."
        )
    return code


def label_positions(y, classes):
    """Positions of labels in `classes` (in any order), or say which label is unknown."""
    order = np.argsort(classes, kind="stable")
    place = order[np.minimum(np.searchsorted(classes, y, sorter=order), len(classes) - 1)]
    unknown = np.flatnonzero(classes[place] != y)
    if len(unknown):
        raise DataFormatError(
            f"{len(unknown)} of {len(y)} labels are no class of the fitted estimator (first: {y[unknown[0]]!r}). "
            "Calibrate it on classes that it knows."
        )
    return place


def routed_params(owner, groups, params, n_rows):
    """Who gets what of the parameters of a fit.

    Returns
    -------
    weight : ndarray of shape (n_rows,) or None
        ``sample_weight``, for the calibration.

    split_params, fit_params : dict
        For the splitter and for the estimator.
    """
    weight = params.get("sample_weight")
    if weight is not None:
        weight = check_weights(weight, n_rows)
    if get_config()["enable_metadata_routing"]:
        own = {} if groups is None else {"groups": groups}
        routed = process_routing(owner, "fit", **own, **params)
        return weight, routed.get("splitter", {}).get("split", {}), routed.estimator.fit
    fit_params = dict(params)
    if weight is not None and not _takes_weight(owner.estimator):
        del fit_params["sample_weight"]
    return weight, {"groups": groups_for_splitter(groups, n_rows)}, with_groups(owner.estimator, groups, fit_params)


def seeded_clone(estimator, random_state):
    """Clone, its seeds drawn from `random_state` where that is given."""
    copy = clone(estimator)
    if random_state is not None:
        rng = check_random_state(random_state)
        seeds = [name for name in copy.get_params() if name == "random_state" or name.endswith("__random_state")]
        copy.set_params(**{name: int(rng.randint(np.iinfo(np.int32).max)) for name in sorted(seeds)})
    return copy


def _takes_weight(estimator):
    """Whether an estimator's ``fit`` has a parameter ``sample_weight``, or hands on whatever it is given."""
    parameters = signature(estimator.fit).parameters.values()
    return any(parameter.name == "sample_weight" or parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
