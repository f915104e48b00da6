"""At which alpha a decision changes: exact, because blended probabilities are straight lines in alpha."""

import numpy as np

__all__ = ["flip_points"]


def flip_points(p_model, p_neighbour, alpha):
    r"""Find the nearest alpha on either side at which another class takes over.

    The blend :math:`p_c(\alpha) = p_c + \alpha (q_c - p_c)` of each class is a straight line, so the winner c keeps an
    interval of alpha; it meets class d at :math:`\alpha^* = (p_c - p_d) / ((p_c - p_d) - (q_c - q_d))`.

    Parameters
    ----------
    p_model, p_neighbour : array-like of shape (n_samples, n_classes)
        Probabilities of the model and of the neighbours.

    alpha : float in [0, 1]
        The present setting.

    Returns
    -------
    below, above : ndarray of shape (n_samples,), float64
        The largest alpha in [0, alpha] and the smallest in [alpha, 1] at which the winner has an equal; beyond it
        another class wins. NaN where the winner stays to the end.

    class_below, class_above : ndarray of shape (n_samples,), int
        Position of the class that wins there; -1 where none does.

    Examples
    --------
    >>> from skbst.neighbors import flip_points
    >>> below, above, _, winner = flip_points([[0.6, 0.4]], [[0.0, 1.0]], 0.1)
    >>> below, above.round(4), winner  # 0.6 (1 - a) = 0.4 (1 - a) + a
    (array([nan]), array([0.1667]), array([1]))
    """
    p, q = np.asarray(p_model, dtype=np.float64), np.asarray(p_neighbour, dtype=np.float64)
    alone = ~q.any(axis=1, keepdims=True)
    q = np.where(alone, p, q)
    rows = np.arange(len(p))
    winner = ((1 - alpha) * p + alpha * q).argmax(axis=1)
    lead_p, lead_q = p[rows, winner][:, None] - p, q[rows, winner][:, None] - q
    with np.errstate(invalid="ignore", divide="ignore"):
        meeting = lead_p / (lead_p - lead_q)
    # rounding may put a tie at the present alpha a hair on its wrong side
    above = np.where(lead_q < 0, np.clip(meeting, alpha, 1), np.inf)
    below = np.where(lead_p < 0, np.clip(meeting, 0, alpha), -np.inf)
    class_above = _steepest(above == above.min(axis=1, keepdims=True), -(lead_q - lead_p))
    class_below = _steepest(below == below.max(axis=1, keepdims=True), lead_q - lead_p)
    above, below = above[rows, class_above], below[rows, class_below]
    return (
        np.where(np.isfinite(below), below, np.nan),
        np.where(np.isfinite(above), above, np.nan),
        np.where(np.isfinite(below), class_below, -1),
        np.where(np.isfinite(above), class_above, -1),
    )


def _steepest(tied, gain):
    """Of the classes that meet the winner at the same alpha, the one that leads beyond it."""
    return np.where(tied, gain, -np.inf).argmax(axis=1)
