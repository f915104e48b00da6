"""Cross-entropy with label smoothing, soft targets, class and sample weights."""

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["LabelSmoothingCrossEntropy", "cross_entropy_rows", "weighted_mean"]


def cross_entropy_rows(logits, target, *, smoothing=0.0):
    """Cross-entropy of each row against a smoothed target.

    ``l_i = - sum_c q_ic log softmax(z_i)_c`` with ``q_i = (1 - smoothing) t_i + smoothing / C``.

    Parameters
    ----------
    logits : Tensor of shape (n_clips, n_classes)
        Before softmax.

    target : Tensor of shape (n_clips,), int64, or of shape (n_clips, n_classes), float
        Class indices, or a distribution per row.

    smoothing : float in [0, 1), default=0.0
        Share of the target that is spread evenly over all classes.

    Returns
    -------
    loss : Tensor of shape (n_clips,)
        In nats, at least 0.

    References
    ----------
    C. Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016, section 7.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import cross_entropy_rows
    >>> cross_entropy_rows(torch.zeros(1, 4), torch.tensor([2])).exp()
    tensor([4.])
    """
    return F.cross_entropy(logits, target, reduction="none", label_smoothing=smoothing)


def weighted_mean(loss, weight=None):
    """Mean of the rows, ``sum_i w_i l_i / sum_i w_i``; 0 where all weights are 0.

    Parameters
    ----------
    loss : Tensor of shape (n_clips,)
        Loss of each row.

    weight : Tensor of shape (n_clips,), default=None
        At least 0. An integer weight counts the row that many times.

    Returns
    -------
    loss : Tensor of shape ()
    """
    if weight is None:
        return loss.mean()
    weight = weight.to(loss.dtype)
    return (weight * loss).sum() / weight.sum().clamp(min=torch.finfo(loss.dtype).tiny)


class LabelSmoothingCrossEntropy(nn.Module):
    """Weighted mean of the smoothed cross-entropy of a batch.

    ``L = sum_i w_i l_i / sum_i w_i``, ``w_i`` the sample weight times the class weight of the row's target.

    Parameters
    ----------
    smoothing : float in [0, 1), default=0.05
        Share of the target that is spread evenly over all classes.

    class_weight : array-like of shape (n_classes,), default=None
        Weight of each class. It multiplies the rows of the class, as ``class_weight`` does in scikit-learn; a soft
        target takes the mean under its distribution. With ``smoothing=0`` this is torch's ``weight``; with smoothing
        torch also weighs the classes inside the spread part, which this loss does not.

    References
    ----------
    Report, section 3.1 (smoothing .05).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import LabelSmoothingCrossEntropy
    >>> LabelSmoothingCrossEntropy()(torch.zeros(3, 23), torch.tensor([0, 5, 22])).exp()
    tensor(23.)
    """

    def __init__(self, *, smoothing=0.05, class_weight=None):
        super().__init__()
        self.smoothing = smoothing
        if class_weight is not None:
            class_weight = torch.as_tensor(class_weight, dtype=torch.get_default_dtype())
        self.register_buffer("class_weight", class_weight)

    def forward(self, logits, target, sample_weight=None):
        """Loss of a batch.

        Parameters
        ----------
        logits : Tensor of shape (n_clips, n_classes)
            Before softmax.

        target : Tensor of shape (n_clips,), int64, or of shape (n_clips, n_classes), float
            Class indices, or a distribution per row.

        sample_weight : Tensor of shape (n_clips,), default=None
            Weight of each row, at least 0.

        Returns
        -------
        loss : Tensor of shape ()
        """
        loss = cross_entropy_rows(logits, target, smoothing=self.smoothing)
        return weighted_mean(loss, self.row_weight(target, sample_weight))

    def row_weight(self, target, sample_weight=None):
        """Sample weight times class weight, of shape (n_clips,); None where both are missing."""
        if self.class_weight is None:
            return sample_weight
        weight = target @ self.class_weight if target.is_floating_point() else self.class_weight[target]
        return weight if sample_weight is None else weight * sample_weight
