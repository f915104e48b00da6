"""The loss of a batch, and class probabilities from what the network gives."""

import torch
from torch import nn

from skbst.nn import cross_entropy_rows, kl_divergence_rows, log_condition_on_top

__all__ = ["Objective", "leaf_log_proba", "top_log_proba"]


class Objective(nn.Module):
    """Label-smoothed cross-entropy of the second level, plus those of the top level and of soft targets.

    ``L = CE(leaf) + top_loss_weight * CE(top) + distillation_weight * KL(soft || p)``, each row times its
    weight; a term is left out where the head or the data does not have it (report, equations 2 to 4 and 7).
    The sum is divided by the number of rows, not by their weights: these are 1 on average over the training
    set, and a batch of light rows must not count as much as one of heavy rows.

    Parameters
    ----------
    parent_of_leaf : tensor of shape (n_classes,), int64
        Top level of each class.

    label_smoothing, top_loss_weight, distillation_weight : float
        As in the estimator.
    """

    def __init__(self, parent_of_leaf, *, label_smoothing, top_loss_weight, distillation_weight):
        super().__init__()
        self.register_buffer("parent_of_leaf", parent_of_leaf)
        self.label_smoothing = label_smoothing
        self.top_loss_weight = top_loss_weight
        self.distillation_weight = distillation_weight

    def forward(self, output, target):
        """Return the mean loss of a batch of network outputs and a dict of targets."""
        leaf, top = output if isinstance(output, tuple) else (output, None)
        loss = self._cross_entropy(leaf, target["target"])
        if top is not None and self.top_loss_weight:
            loss = loss + self.top_loss_weight * self._cross_entropy(top, self._top_target(target["target"], top))
        if "soft_target" in target and self.distillation_weight:
            loss = loss + self.distillation_weight * kl_divergence_rows(target["soft_target"], leaf)
        return (loss * target["weight"]).mean()

    def _top_target(self, target, top_logits):
        """Follow the tree from class indices, or from distributions where clips are mixed."""
        if not target.is_floating_point():
            return self.parent_of_leaf[target]
        return torch.zeros_like(top_logits).index_add_(1, self.parent_of_leaf, target)

    def _cross_entropy(self, logits, target):
        return cross_entropy_rows(logits, target, smoothing=self.label_smoothing)


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
    >>> from skbst.neural._training._objective import leaf_log_proba
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
