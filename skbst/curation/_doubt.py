"""How doubtful a label is, from what models and neighbours say of a row that they have not seen."""

import numpy as np

__all__ = ["best_other", "doubt_order", "label_log_ratio"]

# what a model says is never certain: without a floor one probability of 0 would stand before all else
_FLOOR = 1e-3


def label_log_ratio(proba, label):
    """Log of the probability of the given label over that of the likeliest other class.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Distributions of models that have not seen the rows.

    label : ndarray of shape (n_samples,), int
        Position of the given label.

    Returns
    -------
    score : ndarray of shape (n_samples,), float64
        The lower, the more doubtful; below 0 another class is likelier.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.curation._doubt import label_log_ratio
    >>> label_log_ratio(np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([1, 0])).round(2)
    array([-2.19,  0.  ])
    """
    smooth = (proba + _FLOOR) / (proba + _FLOOR).sum(axis=1, keepdims=True)
    rows = np.arange(len(label))
    return np.log(smooth[rows, label]) - np.log(smooth[rows, best_other(smooth, label)])


def best_other(proba, label):
    """Position of the likeliest class that is not the given one; of equals the first."""
    others = proba.copy()
    others[np.arange(len(label)), label] = -1.0
    return others.argmax(axis=1)


def doubt_order(score, cost):
    """Positions from the most doubtful to the least: by score, and among equals the costlier first."""
    return np.lexsort((np.arange(len(score)), -cost, score.round(6)))
