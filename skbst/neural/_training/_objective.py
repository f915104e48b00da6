"""The loss that trains: one of `skbst.nn`, by the head."""

from torch import nn

from skbst.nn import DistillationLoss, HierarchicalCrossEntropy, LabelSmoothingCrossEntropy

__all__ = ["Objective"]


class Objective(nn.Module):
    """The public loss of a head, called as skorch does: with a network's output and a dict of targets.

    ``L = CE(leaf) + top_loss_weight * CE(top) + distillation_weight * KL(soft || p)``, each row times its weight; the
    second term is that of the heads with two levels, the last that of data with soft targets (report, equations 2 to 4
    and 7).

    Parameters
    ----------
    head : {"baseline", "flat", "gc", "lcl"}
        What gives the output.

    parent_of_leaf : tensor of shape (n_classes,), int64
        Top level of each class.

    label_smoothing, top_loss_weight, distillation_weight : float
        As in `Recipe` and the estimator.
    """

    def __init__(self, head, parent_of_leaf, *, label_smoothing, top_loss_weight, distillation_weight):
        super().__init__()
        if head in ("gc", "lcl"):
            loss = HierarchicalCrossEntropy(parent_of_leaf, lambda_top=top_loss_weight, smoothing=label_smoothing)
        else:
            loss = LabelSmoothingCrossEntropy(smoothing=label_smoothing)
        self.loss = loss
        self.distillation = DistillationLoss(loss, lambda_kd=distillation_weight)

    def forward(self, output, target):
        """Return the loss of a batch."""
        if "soft_target" in target:
            return self.distillation(output, target["target"], target["soft_target"], target["weight"])
        return self.loss(output, target["target"], target["weight"])
