"""From neighbours to probabilities: pure functions."""

import numpy as np

from skbst.exceptions import DataFormatError

__all__ = ["blend", "decision_scores", "neighbour_prior", "neighbour_weights"]


def neighbour_weights(similarities, temperature):
    """Softmax of cosine similarity over temperature, for each query over its neighbours.

    Parameters
    ----------
    similarities : array-like of shape (n_samples, k)
        Cosines in [-1, 1]; -inf marks a neighbour that is not there.

    temperature : float
        Divisor of the cosines, above 0. Small values trust the nearest neighbour most; ``np.inf`` weighs all alike.

    Returns
    -------
    weights : ndarray of shape (n_samples, k), float64
        In [0, 1]; rows sum to 1, or to 0 where no neighbour is there.

    References
    ----------
    Report, section 2.3, the weights of equation 5.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.neighbors import neighbour_weights
    >>> neighbour_weights([[0.9, 0.8, -np.inf]], 0.1).round(3)
    array([[0.731, 0.269, 0.   ]])
    """
    similarities = np.asarray(similarities, dtype=np.float64)
    if not temperature > 0:
        raise DataFormatError(f"temperature must be above 0; got {temperature}.")
    there = similarities > -np.inf
    known = np.where(there, similarities, -1.0)
    highest = known.max(axis=1, initial=-1.0, keepdims=True)
    weights = np.where(there, np.exp((known - highest) / temperature), 0.0)
    total = weights.sum(axis=1, keepdims=True)
    return weights / np.where(total == 0, 1, total)


def neighbour_prior(similarities, labels_idx, n_classes, temperature):
    r"""Class distribution of the neighbours of each query.

    .. math:: p_{neighbour}(c) = \sum_{i=1}^k w_i [y_i = c], \quad w = \mathrm{softmax}(\cos / T)

    Parameters
    ----------
    similarities : array-like of shape (n_samples, k)
        Cosines; -inf marks a neighbour that is not there.

    labels_idx : array-like of shape (n_samples, k), int
        Class of each neighbour as a position in [0, n_classes); ignored where no neighbour is there.

    n_classes : int
        Number of classes.

    temperature : float
        Divisor of the cosines, above 0.

    Returns
    -------
    prior : ndarray of shape (n_samples, n_classes), float64
        Rows sum to 1, or to 0 where no neighbour is there.

    References
    ----------
    Report, section 2.3, equation 5.

    Examples
    --------
    >>> from skbst.neighbors import neighbour_prior
    >>> neighbour_prior([[0.9, 0.8, 0.8]], [[2, 0, 2]], 3, 0.1).round(3)
    array([[0.212, 0.   , 0.788]])
    """
    weights = neighbour_weights(similarities, temperature)
    labels = np.asarray(labels_idx)
    if labels.shape != weights.shape:
        raise DataFormatError(f"Similarities have shape {weights.shape}, but labels {labels.shape}.")
    labels = np.where(weights > 0, labels, 0)
    if labels.size and (labels.min() < 0 or labels.max() >= n_classes):
        raise DataFormatError(f"Labels of neighbours must lie in [0, {n_classes}); got {labels.min()}..{labels.max()}.")
    flat = (np.arange(len(labels))[:, None] * n_classes + labels).ravel()
    prior = np.bincount(flat, weights=weights.ravel(), minlength=len(labels) * n_classes)
    # sums of weights can pass 1 by a rounding error, which scorers refuse
    return np.minimum(prior, 1).reshape(len(labels), n_classes)


def blend(p_model, p_neighbour, alpha, *, p_prior=None, prior_weight=0.0):
    r"""Mix the model's probabilities with the neighbours', and with what is known beforehand.

    .. math:: p_{final} = (1 - \beta) \bigl((1 - \alpha) p_{model} + \alpha p_{neighbour}\bigr) + \beta p_{prior}

    Parameters
    ----------
    p_model, p_neighbour : array-like of shape (n_samples, n_classes)
        Probabilities. A row of zeros in `p_neighbour` (no neighbour) leaves the model's row as it is.

    alpha : float in [0, 1]
        Share of the neighbours.

    p_prior : array-like of shape (n_samples, n_classes), default=None
        A class prior; a row of zeros (nothing is known) leaves the row as it is, to the bit.

    prior_weight : float in [0, 1], default=0.0
        Share of the prior, beta above.

    Returns
    -------
    p_final : ndarray of shape (n_samples, n_classes), float64
        ``alpha=0`` without a prior gives `p_model` to the bit.

    References
    ----------
    Report, section 2.3, equation 6.

    Examples
    --------
    >>> from skbst.neighbors import blend
    >>> blend([[0.5, 0.5], [0.25, 0.75]], [[1.0, 0.0], [0.0, 0.0]], 0.5)
    array([[0.75, 0.25],
           [0.25, 0.75]])
    """
    mixed = _mix(p_model, p_neighbour, alpha, "alpha")
    return mixed if p_prior is None else _mix(mixed, p_prior, prior_weight, "prior_weight")


def _mix(p_model, p_other, share, name):
    p_model, p_other = np.asarray(p_model, dtype=np.float64), np.asarray(p_other, dtype=np.float64)
    if p_model.shape != p_other.shape:
        raise DataFormatError(f"Probabilities differ in shape: {p_model.shape} and {p_other.shape}.")
    if not 0 <= share <= 1:
        raise DataFormatError(f"{name} must lie in [0, 1]; got {share}.")
    silent = ~p_other.any(axis=1, keepdims=True)
    return np.where(silent, p_model, np.minimum((1 - share) * p_model + share * p_other, 1))


def decision_scores(proba):
    """Logarithms of probabilities as finite decision scores, by scikit-learn's convention.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities; 0 counts as the smallest positive number.

    Returns
    -------
    scores : ndarray of shape (n_samples, n_classes), or (n_samples,) with two classes
        With two classes, the second one's score minus the first one's.
    """
    scores = np.log(np.maximum(proba, np.finfo(np.float64).tiny))
    return scores[:, 1] - scores[:, 0] if proba.shape[1] == 2 else scores
