"""How doubtful a label is, from what models and neighbours say of a row that they have not seen."""

import numpy as np

__all__ = ["answer_log_lift", "best_other", "doubt_order", "label_log_ratio"]

# what a model says is never certain: without a floor one probability of 0 would stand before all else
_FLOOR = 1e-3
# an answer weighs as one of so many that are not there yet: of 2, 4 and 8 the one that found most real corrections
_PRIOR_ANSWERS = 8.0
# before anybody answers, so large a share of the first rows is taken to be wrong, with the weight of ten answers
_PRIOR_RATE, _PRIOR_RATE_ANSWERS = 0.15, 10.0


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


def answer_log_lift(key, answered, wrong):
    """How much oftener than on average labels turned out wrong among answered rows of the same kind.

    Parameters
    ----------
    key : ndarray of shape (n_samples,), int
        Kind of each row, such as its uploader and label; below 0 it is of no kind.

    answered : ndarray of shape (n_samples,), bool
        Rows that somebody decided on.

    wrong : ndarray of shape (n_samples,), bool
        Rows of them whose label was wrong.

    Returns
    -------
    lift : ndarray of shape (n_samples,), float64
        Log of the rate of its kind, shrunk to the rate of all, over the rate of all; 0 where no answer is of its kind.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.curation._doubt import answer_log_lift
    >>> answered, wrong = np.array([True, True, False, False]), np.array([True, False, False, False])
    >>> answer_log_lift(np.array([0, 1, 0, 2]), answered, wrong).round(2)
    array([ 0.35, -0.12,  0.35,  0.  ])
    """
    rate = (wrong[answered].sum() + _PRIOR_RATE * _PRIOR_RATE_ANSWERS) / (answered.sum() + _PRIOR_RATE_ANSWERS)
    counted = answered & (key >= 0)
    size = int(key.max(initial=0)) + 1
    asked = np.bincount(key[counted], minlength=size)
    found = np.bincount(key[counted], wrong[counted], minlength=size)
    of_kind = (found + _PRIOR_ANSWERS * rate) / (asked + _PRIOR_ANSWERS)
    return np.where(key >= 0, np.log(of_kind[key] / rate), 0.0)
