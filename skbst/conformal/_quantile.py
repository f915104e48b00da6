"""The finite-sample quantile of conformal prediction, and the p-values beside it."""

from fractions import Fraction
from math import ceil, inf

import numpy as np

from skbst._proba import check_scores
from skbst.exceptions import DataFormatError

__all__ = ["check_weights", "conformal_p_values", "conformal_quantile"]


def check_weights(sample_weight, n_rows):
    """Return weights as float64 (all 1 for None), finite and not negative."""
    if sample_weight is None:
        return np.ones(n_rows)
    weights = check_scores(sample_weight, "sample_weight")
    if weights.shape != (n_rows,) or (weights < 0).any():
        raise DataFormatError(
            f"sample_weight must hold {n_rows} numbers that are not negative; got shape {weights.shape}, "
            f"least {weights.min(initial=inf):g}."
        )
    return weights


def conformal_quantile(scores, confidence_level, *, sample_weight=None):
    """Smallest threshold that a new exchangeable score stays below or at with the wanted probability.

    Of n scores it is the one of rank ``ceil((n + 1) * confidence_level)``, not an interpolation. The rank is computed
    in fractions, so that 0.55 of 100 is 55 and not 56.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores of calibration rows, finite or -inf; the higher, the stranger.

    confidence_level : float in (0, 1)
        Least probability.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, of any scale: the new row is taken to weigh as much as the mean row of positive weight.

    Returns
    -------
    quantile : float
        inf where the rows are too few for such a promise (fewer than ``1 / (1 - confidence_level) - 1``).

    References
    ----------
    Vovk, Gammerman & Shafer 2005; Tibshirani et al. 2019, equation 7, for weights.

    Examples
    --------
    >>> from skbst.conformal import conformal_quantile
    >>> conformal_quantile([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], 0.8)
    0.8
    >>> conformal_quantile([0.1, 0.2, 0.3], 0.8)
    inf
    """
    scores = np.asarray(scores, dtype=np.float64)
    if np.isnan(scores).any() or (scores == inf).any():
        check_scores(scores, "scores")
    weights = check_weights(sample_weight, len(scores))
    scores, weights = scores[weights > 0], weights[weights > 0]
    level, n = Fraction(repr(float(confidence_level))), len(scores)
    if n == 0:
        return inf
    if (weights == weights[0]).all():
        rank = ceil(level * (n + 1))
        return inf if rank > n else float(np.partition(scores, rank - 1)[rank - 1])
    order = np.argsort(scores, kind="stable")
    below = np.cumsum(weights[order])
    # a sum of floats that should be equal to its share may miss it by a rounding
    wanted = float(level) * (below[-1] + weights.mean()) * (1 - 1e-12)
    rank = int(np.searchsorted(below, wanted))
    return inf if rank >= n else float(scores[order[rank]])


def conformal_p_values(calibration_scores, scores, *, sample_weight=None):
    """Share of rows that are at least as strange as each new score, the new one counted among them.

    Parameters
    ----------
    calibration_scores : array-like of shape (n_samples,)
        Scores of calibration rows, finite.

    scores : array-like of any shape
        New scores, finite.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the calibration rows, as in `conformal_quantile`.

    Returns
    -------
    p_values : ndarray of the shape of `scores`, float64
        In (0, 1]. Not randomised: ties count in full, so that the same score always has the same value.

    Examples
    --------
    >>> from skbst.conformal import conformal_p_values
    >>> conformal_p_values([0.1, 0.2, 0.3, 0.4], [0.05, 0.3, 0.9])
    array([1. , 0.6, 0.2])
    """
    known = check_scores(calibration_scores, "calibration_scores")
    weights = check_weights(sample_weight, len(known))
    known, weights = known[weights > 0], weights[weights > 0]
    scores = check_scores(scores, "scores")
    own = weights.mean() if len(weights) else 1.0
    order = np.argsort(known, kind="stable")
    from_here = np.r_[np.cumsum(weights[order][::-1])[::-1], 0.0]
    return (from_here[np.searchsorted(known[order], scores, side="left")] + own) / (from_here[0] + own)
