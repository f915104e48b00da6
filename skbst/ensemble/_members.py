"""What the members of an ensemble say, in one order of classes."""

import numpy as np
from scipy.special import logsumexp

from skbst._proba import align_columns

__all__ = ["check_member", "combine_log_proba", "hard_shares", "member_log_proba", "member_votes"]


def check_member(name, estimator, voting):
    """Raise if a member cannot say what the voting needs.

    Parameters
    ----------
    name : str
        Of the member.

    estimator : classifier
        The member.

    voting : {"logit", "soft", "hard"}
        Kind of voting.
    """
    if voting != "hard" and not (hasattr(estimator, "predict_proba") or hasattr(estimator, "predict_log_proba")):
        raise ValueError(
            f"voting={voting!r} needs probabilities, but member {name!r} ({type(estimator).__name__}) has no "
            "predict_proba. Wrap it in sklearn.calibration.CalibratedClassifierCV, or vote hard."
        )


def member_log_proba(estimator, X, classes, *, min_proba=1e-12):
    """Log-probabilities of one fitted member in the order of the ensemble's classes.

    Parameters
    ----------
    estimator : classifier
        Fitted; `predict_log_proba` is asked first, else `predict_proba`.

    X : array-like
        Rows as the member takes them.

    classes : ndarray of shape (n_classes,)
        The ensemble's classes. What the member does not know gets the least probability; what only the member knows
        is left out.

    min_proba : float, default=1e-12
        Least probability, so that no single member can rule a class out for all.

    Returns
    -------
    log_proba : ndarray of shape (n_samples, n_classes), float64
        Finite. For a softmax network its logits up to a constant per row.
    """
    if hasattr(estimator, "predict_log_proba"):
        with np.errstate(divide="ignore"):
            log_proba = np.asarray(estimator.predict_log_proba(X), dtype=np.float64)
    else:
        with np.errstate(divide="ignore"):
            log_proba = np.log(np.asarray(estimator.predict_proba(X), dtype=np.float64))
    least = np.log(min_proba)
    return align_columns(np.maximum(log_proba, least), estimator.classes_, classes, fill=least)


def member_votes(name, estimator, X, classes):
    """Positions in `classes` of a member's predictions, ndarray of shape (n_samples,), int.

    Raises
    ------
    ValueError
        If the member predicts a class that the ensemble does not have.
    """
    labels = np.asarray(estimator.predict(X))
    order = np.argsort(classes)
    votes = order[np.minimum(np.searchsorted(classes, labels, sorter=order), len(classes) - 1)]
    unknown = classes[votes] != labels
    if unknown.any():
        raise ValueError(f"Member {name!r} predicts {labels[unknown][0]!r}, which is no class of the ensemble.")
    return votes


def hard_shares(votes, n_classes, weights=None):
    """Share of the votes that each class gets.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_members), int
        Positions of classes.

    n_classes : int
        Number of columns.

    weights : array-like of shape (n_members,), default=None
        Weights of the members.

    Returns
    -------
    shares : ndarray of shape (n_samples, n_classes), float64
        Rows sum to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.ensemble._members import hard_shares
    >>> hard_shares(np.array([[0, 0, 2]]), 3, weights=[1, 1, 2])
    array([[0.5, 0. , 0.5]])
    """
    weights = np.ones(votes.shape[1]) if weights is None else np.asarray(weights, dtype=np.float64)
    shares = np.zeros((len(votes), n_classes))
    for vote, weight in zip(votes.T, weights):
        shares[np.arange(len(votes)), vote] += weight
    return shares / weights.sum()


def combine_log_proba(log_probas, weights=None, *, voting="logit"):
    """Average members into one distribution.

    Parameters
    ----------
    log_probas : array-like of shape (n_members, n_samples, n_classes)
        Log-probabilities.

    weights : array-like of shape (n_members,), default=None
        Weights, not negative; only their ratios count.

    voting : {"logit", "soft"}, default="logit"
        "logit" averages the logarithms and normalises (for networks: averages their logits); "soft" averages the
        probabilities.

    Returns
    -------
    log_proba : ndarray of shape (n_samples, n_classes), float64
        Rows of ``exp(log_proba)`` sum to 1.

    References
    ----------
    Report, section 3.3: the ensemble averages logits with weights.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.ensemble._members import combine_log_proba
    >>> logits = np.array([[[2.0, 0.0]], [[0.0, 1.0]]])
    >>> np.exp(combine_log_proba(logits, [3, 1])).round(4)
    array([[0.7773, 0.2227]])
    """
    log_probas = np.asarray(log_probas, dtype=np.float64)
    if voting == "logit":
        mean = np.average(log_probas, axis=0, weights=weights)
    else:
        mean = np.log(np.average(np.exp(log_probas), axis=0, weights=weights))
    return mean - logsumexp(mean, axis=1, keepdims=True)
