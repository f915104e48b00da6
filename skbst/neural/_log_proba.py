"""Log-probabilities of the classes from what the network gives."""

import torch

from skbst.nn import log_condition_on_top

__all__ = ["leaf_log_proba", "to_numpy", "top_log_proba"]


def to_numpy(output):
    """Split a network's output into numpy (leaf logits, top logits or None)."""
    leaf, top = output if isinstance(output, tuple) else (output, None)
    with torch.no_grad():
        return leaf.float().cpu().numpy(), None if top is None else top.float().cpu().numpy()


def leaf_log_proba(leaf_logits, top_logits, parent_of_leaf, *, beta):
    """Log-probabilities of the second level.

    Parameters
    ----------
    leaf_logits : ndarray of shape (n_samples, n_classes)
        Logits of the second level.

    top_logits : ndarray of shape (n_samples, n_tops) or None
        Logits of the top level that correct them (LCL head); None leaves them as they are.

    parent_of_leaf : ndarray of shape (n_classes,), int
        Top level of each class.

    beta : float
        Weight of the top level: ``p(c) ~ p_leaf(c) p_top(top(c)) ** beta``.

    Returns
    -------
    log_proba : ndarray of shape (n_samples, n_classes), float64

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.neural._log_proba import leaf_log_proba
    >>> np.exp(leaf_log_proba(np.zeros((1, 3)), np.log([[0.2, 0.8]]), [0, 1, 1], beta=1.0)).round(3)
    array([[0.111, 0.444, 0.444]])
    """
    log_proba = _log_softmax(leaf_logits)
    if top_logits is not None:
        parents = torch.as_tensor(parent_of_leaf)
        log_proba = log_condition_on_top(log_proba, _log_softmax(top_logits), parents, beta=beta)
    return log_proba.numpy()


def top_log_proba(top_logits):
    """Log-probabilities of the top level from its own logits, float64."""
    return _log_softmax(top_logits).numpy()


def _log_softmax(logits):
    return torch.as_tensor(logits, dtype=torch.float64).log_softmax(dim=1)
