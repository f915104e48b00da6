"""Confidence intervals from resamples and from folds."""

import numpy as np
from scipy import stats

__all__ = ["bca_interval", "corrected_resampled_t", "percentile_interval", "permutation_p_value"]


def percentile_interval(resamples, confidence_level=0.95):
    """Bootstrap percentile interval.

    Parameters
    ----------
    resamples : ndarray of shape (n_resamples,)
        Values of the statistic.

    confidence_level : float in (0, 1), default=0.95
        Coverage.

    Returns
    -------
    low, high : float

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.model_selection._paired._intervals import percentile_interval
    >>> percentile_interval(np.arange(101.0), 0.5)
    (25.0, 75.0)
    """
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(resamples, [tail, 1 - tail])
    return float(low), float(high)


def bca_interval(resamples, observed, jackknife, multiplicity=None, stratum=None, confidence_level=0.95):
    """Bias-corrected and accelerated bootstrap interval.

    Parameters
    ----------
    resamples : ndarray of shape (n_resamples,)
        Values of the statistic.

    observed : float
        Its value on the data.

    jackknife : ndarray of shape (n_kinds,)
        Its values with one unit left out.

    multiplicity : ndarray of shape (n_kinds,), int, default=None
        How many units give each value; None for one each.

    stratum : ndarray of shape (n_kinds,), int, default=None
        Which units are resampled among each other; None for one stratum.

    confidence_level : float in (0, 1), default=0.95
        Coverage.

    Returns
    -------
    interval : tuple (low, high), or None
        None where the correction is not defined: all resamples on one side of the observed value, a statistic that is
        no number without some unit, or one that does not depend on any single unit.

    References
    ----------
    B. Efron, "Better bootstrap confidence intervals", JASA 82, 1987. For strata: Davison and Hinkley, "Bootstrap
    Methods and their Application", 1997, section 5.3.
    """
    if not np.isfinite(jackknife).all():
        return None
    multiplicity = np.ones(len(jackknife)) if multiplicity is None else np.asarray(multiplicity, dtype=float)
    stratum = np.zeros(len(jackknife), dtype=int) if stratum is None else stratum
    below = np.mean(resamples < observed) + np.mean(resamples == observed) / 2
    numerator = denominator = 0.0
    for which in np.unique(stratum):
        inside = stratum == which
        values, times = jackknife[inside], multiplicity[inside]
        n = times.sum()
        influence = (n - 1) * (np.average(values, weights=times) - values)
        numerator += (times * influence**3).sum() / n**3
        denominator += (times * influence**2).sum() / n**2
    if not 0 < below < 1 or denominator == 0:
        return None
    acceleration = numerator / (6 * denominator**1.5)
    z0, z = stats.norm.ppf(below), stats.norm.ppf([(1 - confidence_level) / 2, (1 + confidence_level) / 2])
    levels = stats.norm.cdf(z0 + (z0 + z) / (1 - acceleration * (z0 + z)))
    low, high = np.quantile(resamples, levels)
    return float(low), float(high)


def permutation_p_value(permuted, observed):
    """Two-sided p-value of a randomisation test, never 0.

    Parameters
    ----------
    permuted : ndarray of shape (n_permutations,)
        Values of the statistic under random swaps.

    observed : float
        Its value on the data.

    Returns
    -------
    p_value : float in (0, 1]
        ``(1 + number of permuted values at least as far from 0) / (n_permutations + 1)``; 1 if `observed` is no number.

    References
    ----------
    Phipson and Smyth, "Permutation p-values should never be zero", 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.model_selection._paired._intervals import permutation_p_value
    >>> permutation_p_value(np.array([0.1, -0.3, 0.2]), -0.2)
    0.75
    """
    if not np.isfinite(observed):
        return 1.0
    # a swap without a number must not make a difference look rarer than it is
    extreme = ~(np.abs(permuted) < np.abs(observed) - 1e-12)
    return float((1 + extreme.sum()) / (1 + len(permuted)))


def corrected_resampled_t(differences, *, test_to_train, confidence_level=0.95):
    """Interval and p-value of a mean over folds that share training rows.

    The variance of the mean of k differences is taken as ``(1 / k + n_test / n_train) * s ** 2`` instead of
    ``s ** 2 / k``.

    Parameters
    ----------
    differences : array-like of shape (n_folds,)
        Difference of two systems in each fold; at least two.

    test_to_train : float
        Test rows per training row, 1 / 4 for five folds.

    confidence_level : float in (0, 1), default=0.95
        Coverage.

    Returns
    -------
    interval : tuple (low, high)
        Around the mean difference.

    p_value : float
        Two-sided, of the mean being 0.

    References
    ----------
    C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning 52, 2003.

    Examples
    --------
    >>> from skbst.model_selection._paired._intervals import corrected_resampled_t
    >>> interval, p_value = corrected_resampled_t([0.01, 0.02, 0.0, 0.02, 0.01], test_to_train=0.25)
    >>> [round(value, 4) for value in (*interval, p_value)]
    [-0.0036, 0.0276, 0.0993]
    """
    differences = np.asarray(differences, dtype=float)
    n_folds, mean = len(differences), differences.mean()
    scale = np.sqrt((1 / n_folds + test_to_train) * differences.var(ddof=1))
    if scale == 0:
        return (float(mean), float(mean)), 1.0 if mean == 0 else 0.0
    distribution = stats.t(df=n_folds - 1)
    half = distribution.ppf((1 + confidence_level) / 2) * scale
    return (float(mean - half), float(mean + half)), float(2 * distribution.sf(abs(mean) / scale))
