"""Neighbour priors of the bank's own rows."""

from skbst.neighbors._prior import neighbour_prior
from skbst.neighbors._search import top_k_cosine

__all__ = ["leave_one_out_prior"]


def leave_one_out_prior(bank, labels_idx, n_classes, *, k=10, temperature=0.1, groups=None):
    """Class distribution of the neighbours of each row of a bank, the row itself left out.

    With itself in, a row's nearest neighbour is itself, and a student trained on such targets is handed its own label.

    Parameters
    ----------
    bank : array-like of shape (n_samples, n_dimensions)
        Retrieval embeddings.

    labels_idx : ndarray of shape (n_samples,), int
        Class of each row as a position in [0, n_classes).

    n_classes : int
        Number of classes.

    k : int, default=10
        Number of neighbours.

    temperature : float, default=0.1
        Divisor of the cosines, above 0.

    groups : array-like of shape (n_samples,), default=None
        If given, the row's whole group (its uploader) is left out.

    Returns
    -------
    prior : ndarray of shape (n_samples, n_classes), float64
        Rows sum to 1, or to 0 where nothing was left.

    References
    ----------
    Report, section 2.3: the target distributions of the distillation.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.neighbors import leave_one_out_prior
    >>> leave_one_out_prior([[1, 0], [1, 0.1], [0, 1]], np.array([0, 1, 1]), 2, k=1)
    array([[0., 1.],
           [1., 0.],
           [0., 1.]])
    """
    k = max(1, min(k, len(bank)))  # more than there are would only take memory
    similarities, indices = top_k_cosine(bank, bank, k, exclude_self=True, query_groups=groups, bank_groups=groups)
    return neighbour_prior(similarities, labels_idx[indices], n_classes, temperature)
