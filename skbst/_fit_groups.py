"""Groups of the training rows, for estimators whose fit takes them."""

from sklearn.ensemble import VotingClassifier
from sklearn.utils.validation import has_fit_parameter

__all__ = ["with_groups"]


def _takes_groups(estimator):
    """Whether an estimator's ``fit``, or that of every member of a vote, has a parameter ``groups``."""
    if isinstance(estimator, VotingClassifier):
        return all(_takes_groups(member) for _, member in estimator.estimators if not isinstance(member, str))
    return has_fit_parameter(estimator, "groups")


def with_groups(estimator, groups, fit_params):
    """Parameters of a fit, with the groups where it takes any: a network keeps each on one side of its inner split."""
    if groups is None or not _takes_groups(estimator):
        return fit_params
    return {**fit_params, "groups": groups}
