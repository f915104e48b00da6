"""Distillation of a neighbour distribution into a network."""

import torch
from torch import nn

from skbst.nn._losses._cross_entropy import LabelSmoothingCrossEntropy, mean_of_rows

__all__ = ["DistillationLoss", "kl_divergence_rows"]


def kl_divergence_rows(soft_target, logits):
    """Kullback-Leibler divergence of each row, ``sum_c p_c (log p_c - log softmax(z)_c)``.

    Parameters
    ----------
    soft_target : Tensor of shape (n_clips, n_classes)
        Distribution ``p`` per row; zeros contribute nothing, and a row of zeros gives 0.

    logits : Tensor of shape (n_clips, n_classes)
        Before softmax.

    Returns
    -------
    divergence : Tensor of shape (n_clips,)
        In nats.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import kl_divergence_rows
    >>> kl_divergence_rows(torch.tensor([[0.0, 1.0], [0.5, 0.5]]), torch.zeros(2, 2))
    tensor([0.6931, 0.0000])
    """
    log_student = logits.log_softmax(dim=1)
    return (torch.special.xlogy(soft_target, soft_target) - soft_target * log_student).sum(dim=1)


class DistillationLoss(nn.Module):
    """``L = L_CE + lambda KL(p_neighbour || p_student)``.

    The weight of a row weighs both terms, and the mean is that of `LabelSmoothingCrossEntropy`. By this loss
    `skbst.neural.BranchClassifier` learns from soft targets.

    Parameters
    ----------
    loss : Module, default=None
        The loss against the labels, whose ``rows(outputs, target)`` is the loss of each row; None takes
        `LabelSmoothingCrossEntropy` at its defaults. `HierarchicalCrossEntropy` serves two-level heads.

    lambda_kd : float, default=1.0
        Weight of the divergence; 0 leaves it out.

    Notes
    -----
    The neighbours of a training row must not contain the row itself, or ``p_neighbour`` hands the label to the
    student.

    References
    ----------
    Report, section 2.3, eq. (7); Z. Yang, R. Sun, X. Wan, "Nearest neighbor knowledge distillation for neural machine
    translation", NAACL 2022, section 3.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import DistillationLoss
    >>> loss = DistillationLoss(lambda_kd=0.5)
    >>> loss(torch.zeros(2, 4), torch.tensor([1, 3]), torch.full((2, 4), 0.25)).exp()
    tensor(4.)
    """

    def __init__(self, loss=None, *, lambda_kd=1.0):
        super().__init__()
        self.loss = LabelSmoothingCrossEntropy() if loss is None else loss
        self.lambda_kd = lambda_kd

    def forward(self, outputs, target, soft_target, sample_weight=None):
        """Loss of a batch.

        Parameters
        ----------
        outputs : Tensor of shape (n_clips, n_classes), or tuple of it and the top-level logits
            What the network gives; the student's distribution is the softmax of the second-level logits.

        target : Tensor of shape (n_clips,), int64, or of shape (n_clips, n_classes), float
            Labels.

        soft_target : Tensor of shape (n_clips, n_classes)
            ``p_neighbour``; a row of zeros switches the divergence off for that clip.

        sample_weight : Tensor of shape (n_clips,), default=None
            Weight of each row, at least 0, on average 1 over the training set.

        Returns
        -------
        loss : Tensor of shape ()
        """
        loss = self.loss.rows(outputs, target)
        if self.lambda_kd:
            logits = outputs[0] if isinstance(outputs, tuple) else outputs
            loss = loss + self.lambda_kd * kl_divergence_rows(soft_target, logits)
        return mean_of_rows(loss, sample_weight)
