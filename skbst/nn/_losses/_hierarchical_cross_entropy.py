"""Cross-entropy on both levels of the tree."""

import torch
from torch import nn

from skbst.nn._losses._cross_entropy import cross_entropy_rows, mean_of_rows

__all__ = ["HierarchicalCrossEntropy"]


class HierarchicalCrossEntropy(nn.Module):
    """``L = L_second + lambda L_top``, the loss of the GC and LCL heads.

    The top-level target follows from the second-level one through the tree. Both terms share the weights of the rows,
    and the mean is that of `LabelSmoothingCrossEntropy`. `skbst.neural.BranchClassifier` trains these heads by it.

    Parameters
    ----------
    parent_of_leaf : array-like of shape (n_leaves,), int
        Index of the top level of each second-level class.

    lambda_top : float, default=1.0
        Weight of the top-level term; 0 leaves it out.

    smoothing : float in [0, 1), default=0.05
        Label smoothing, at each level over that level's classes.

    References
    ----------
    Report, section 2.2, eq. (3) and (4).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import HierarchicalCrossEntropy
    >>> loss = HierarchicalCrossEntropy([0, 0, 1, 1], lambda_top=1.0)
    >>> loss((torch.zeros(1, 4), torch.zeros(1, 2)), torch.tensor([3])).exp()
    tensor(8.)
    """

    def __init__(self, parent_of_leaf, *, lambda_top=1.0, smoothing=0.05):
        super().__init__()
        self.lambda_top = lambda_top
        self.smoothing = smoothing
        self.register_buffer("parent_of_leaf", torch.as_tensor(parent_of_leaf, dtype=torch.int64))

    def forward(self, outputs, target, sample_weight=None):
        """Loss of a batch.

        Parameters
        ----------
        outputs : tuple of Tensor of shape (n_clips, n_leaves) and Tensor of shape (n_clips, n_tops)
            Second-level and top-level logits.

        target : Tensor of shape (n_clips,), int64, or of shape (n_clips, n_leaves), float
            Second-level class indices, or a distribution per row.

        sample_weight : Tensor of shape (n_clips,), default=None
            Weight of each row, at least 0, on average 1 over the training set.

        Returns
        -------
        loss : Tensor of shape ()
        """
        return mean_of_rows(self.rows(outputs, target), sample_weight)

    def rows(self, outputs, target):
        """Loss of each row before weights, of shape (n_clips,); `outputs` and `target` as in `forward`."""
        leaf_logits, top_logits = outputs
        loss = cross_entropy_rows(leaf_logits, target, smoothing=self.smoothing)
        if not self.lambda_top:
            return loss
        top_target = self.top_target(target, top_logits.shape[1])
        return loss + self.lambda_top * cross_entropy_rows(top_logits, top_target, smoothing=self.smoothing)

    def top_target(self, target, n_tops):
        """Top-level target, indices or distributions like ``target``."""
        if not target.is_floating_point():
            return self.parent_of_leaf[target]
        return target.new_zeros(len(target), n_tops).index_add_(1, self.parent_of_leaf, target)
