"""Cross-entropy with label smoothing, soft targets and sample weights."""

from torch import nn
from torch.nn import functional as F

__all__ = ["LabelSmoothingCrossEntropy", "cross_entropy_rows", "mean_of_rows"]


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


def mean_of_rows(loss, weight=None):
    """Mean over the rows of a batch of the loss of each times its weight.

    The sum is divided by the number of rows, not by their weights: these are 1 on average over the training set, and a
    batch of light rows must not count as much as one of heavy rows.
    """
    return (loss if weight is None else loss * weight).mean()


class LabelSmoothingCrossEntropy(nn.Module):
    """Smoothed cross-entropy of a batch, the loss of the baseline's and the flat head.

    ``L = sum_i w_i l_i / n`` over the n rows of the batch, ``w_i`` the sample weight, which is 1 on average over the
    training set. `skbst.neural.BranchClassifier` is trained by this loss; a class weight is part of the sample weight.

    Parameters
    ----------
    smoothing : float in [0, 1), default=0.05
        Share of the target that is spread evenly over all classes.

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

    def __init__(self, *, smoothing=0.05):
        super().__init__()
        self.smoothing = smoothing

    def forward(self, outputs, target, sample_weight=None):
        """Loss of a batch.

        Parameters
        ----------
        outputs : Tensor of shape (n_clips, n_classes)
            Logits, before softmax.

        target : Tensor of shape (n_clips,), int64, or of shape (n_clips, n_classes), float
            Class indices, or a distribution per row.

        sample_weight : Tensor of shape (n_clips,), default=None
            Weight of each row, at least 0, on average 1 over the training set.

        Returns
        -------
        loss : Tensor of shape ()
        """
        return mean_of_rows(self.rows(outputs, target), sample_weight)

    def rows(self, outputs, target):
        """Loss of each row before weights, of shape (n_clips,); `outputs` and `target` as in `forward`."""
        return cross_entropy_rows(outputs, target, smoothing=self.smoothing)
