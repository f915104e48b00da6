"""What the members of an ensemble say, in one order of classes."""

import numpy as np
from scipy.special import logsumexp

from skbst._proba import align_columns, check_scores

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
        Finite, for a softmax network its logits up to a constant per row; but -inf throughout for a row to which the
        member gives no probability at all: there it abstains.
    """
    if hasattr(estimator, "predict_log_proba"):
        with np.errstate(divide="ignore"):
            log_proba = np.asarray(estimator.predict_log_proba(X), dtype=np.float64)
    else:
        with np.errstate(divide="ignore"):
            log_proba = np.log(np.asarray(estimator.predict_proba(X), dtype=np.float64))
    impossible = np.isneginf(log_proba)
    check_scores(np.where(impossible, 0, log_proba), f"log-probabilities of {type(estimator).__name__}")
    least, silent = np.log(min_proba), impossible.all(axis=1)
    aligned = align_columns(np.maximum(log_proba, least), estimator.classes_, classes, fill=least)
    return np.where(silent[:, None], -np.inf, aligned) if silent.any() else aligned


def member_votes(name, estimator, X, classes):
    """Positions in `classes` of a member's predictions, ndarray of shape (n_samples,), int; -1 where it abstains.

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
    return np.where(estimator.abstains(X), -1, votes) if hasattr(estimator, "abstains") else votes


def hard_shares(votes, n_classes, weights=None):
    """Share of the votes that each class gets.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_members), int
        Positions of classes; -1 is no vote.

    n_classes : int
        Number of columns.

    weights : array-like of shape (n_members,), default=None
        Weights of the members.

    Returns
    -------
    shares : ndarray of shape (n_samples, n_classes), float64
        Rows sum to 1; all classes share a row without votes.

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
        given = np.flatnonzero(vote >= 0)
        shares[given, vote[given]] += weight
    shares[~shares.any(axis=1)] = 1
    return shares / np.where(votes < 0, 0, weights).sum(axis=1, keepdims=True).clip(min=weights.min())


def combine_log_proba(log_probas, weights=None, *, voting="logit"):
    """Average members into one distribution.

    Parameters
    ----------
    log_probas : array-like of shape (n_members, n_samples, n_classes)
        Log-probabilities. A member whose row is -inf throughout abstains: the others decide as if it were not there,
        to the bit. Where all do, or those that do not have no weight, all classes are alike.

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
    silent = np.isneginf(log_probas).all(axis=2)
    if not silent.any():
        return _average(log_probas, weights, voting)
    weights = np.ones(len(log_probas)) if weights is None else np.asarray(weights, dtype=np.float64)
    combined = np.full(log_probas.shape[1:], -np.log(log_probas.shape[2]))
    for pattern in np.unique(silent, axis=1).T:  # which members abstain; of a prior alone there are two patterns
        rows = np.flatnonzero((silent == pattern[:, None]).all(axis=0))
        if weights[~pattern].sum() > 0:
            combined[rows] = _average(log_probas[~pattern][:, rows], weights[~pattern], voting)
    return combined


def _average(log_probas, weights, voting):
    if voting == "logit":
        mean = np.average(log_probas, axis=0, weights=weights)
    else:
        mean = np.log(np.average(np.exp(log_probas), axis=0, weights=weights))
    return mean - logsumexp(mean, axis=1, keepdims=True)
