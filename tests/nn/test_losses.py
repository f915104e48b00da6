import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from skbst.nn import (
    DistillationLoss,
    HierarchicalCrossEntropy,
    LabelSmoothingCrossEntropy,
    cross_entropy_rows,
    kl_divergence_rows,
)

PARENTS = [0, 0, 1, 1, 1]


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(8, 5, generator=generator, dtype=torch.float64)
    top_logits = torch.randn(8, 2, generator=generator, dtype=torch.float64)
    return logits, top_logits, torch.randint(5, (8,), generator=generator)


def test_smoothed_cross_entropy_by_hand():
    # p = (.7, .2, .1), truth 0, smoothing .3: q = (.8, .1, .1)
    loss = cross_entropy_rows(torch.tensor([[0.7, 0.2, 0.1]]).log(), torch.tensor([0]), smoothing=0.3)
    assert loss.item() == pytest.approx(-(0.8 * math.log(0.7) + 0.1 * math.log(0.2) + 0.1 * math.log(0.1)))


def test_soft_target_that_is_one_hot_is_the_hard_one(batch):
    logits, _, target = batch
    one_hot = F.one_hot(target, 5).double()
    hard, soft = (cross_entropy_rows(logits, t, smoothing=0.05) for t in (target, one_hot))
    torch.testing.assert_close(hard, soft)


def test_defaults_are_torchs(batch):
    logits, _, target = batch
    expected = nn.CrossEntropyLoss(label_smoothing=0.05)(logits, target)
    torch.testing.assert_close(LabelSmoothingCrossEntropy()(logits, target), expected)


def test_integer_weights_repeat_rows(batch):
    """In the sum over rows; the mean is that of the rows which are there, whatever their weights."""
    logits, top_logits, target = batch
    weight = torch.tensor([0, 1, 2, 3, 1, 0, 1, 4])
    rows = torch.repeat_interleave(torch.arange(8), weight)
    flat, tree = LabelSmoothingCrossEntropy(), HierarchicalCrossEntropy(PARENTS, lambda_top=0.7)
    weighted = flat(logits, target, weight.double())
    torch.testing.assert_close(8 * weighted, len(rows) * flat(logits[rows], target[rows]))
    weighted = tree((logits, top_logits), target, weight.double())
    torch.testing.assert_close(8 * weighted, len(rows) * tree((logits[rows], top_logits[rows]), target[rows]))
    soft = torch.rand(8, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64).softmax(1)
    kd = DistillationLoss(flat, lambda_kd=2.0)
    weighted = kd(logits, target, soft, weight.double())
    torch.testing.assert_close(8 * weighted, len(rows) * kd(logits[rows], target[rows], soft[rows]))


def test_a_batch_of_light_rows_counts_less(batch):
    logits, _, target = batch
    loss = LabelSmoothingCrossEntropy()
    light = loss(logits, target, torch.full((8,), 0.25, dtype=torch.float64))
    torch.testing.assert_close(light, 0.25 * loss(logits, target))


def test_all_weights_zero_gives_zero_and_a_finite_gradient(batch):
    logits, _, target = batch
    logits = logits.clone().requires_grad_()
    loss = LabelSmoothingCrossEntropy()(logits, target, torch.zeros(8))
    loss.backward()
    assert loss == 0
    assert not logits.grad.any()


def test_hierarchical_loss_is_the_weighted_sum(batch):
    logits, top_logits, target = batch
    ce = nn.CrossEntropyLoss(label_smoothing=0.05)
    expected = ce(logits, target) + 0.3 * ce(top_logits, torch.tensor(PARENTS)[target])
    torch.testing.assert_close(
        HierarchicalCrossEntropy(PARENTS, lambda_top=0.3)((logits, top_logits), target), expected
    )


def test_terms_of_weight_zero_are_left_out(batch):
    """So the top level gets no gradient at all, not even one of zeros, by which weight decay would move it."""
    logits, top_logits, target = batch
    top_logits = top_logits.clone().requires_grad_()
    tree = HierarchicalCrossEntropy(PARENTS, lambda_top=0.0)
    assert not tree((logits, top_logits), target).requires_grad
    spoilt = torch.full((8, 5), float("nan"), dtype=torch.float64)
    assert DistillationLoss(tree, lambda_kd=0.0)((logits, top_logits), target, spoilt).isfinite()


def test_hierarchical_loss_sums_soft_targets_over_leaves(batch):
    logits, top_logits, _ = batch
    target = torch.tensor([[0.5, 0.0, 0.25, 0.25, 0.0]], dtype=torch.float64)
    loss = HierarchicalCrossEntropy(PARENTS, smoothing=0.0)
    assert loss.top_target(target, 2).tolist() == [[0.5, 0.5]]
    expected = -(target * logits[:1].log_softmax(1)).sum() - 0.5 * top_logits[:1].log_softmax(1).sum()
    torch.testing.assert_close(loss((logits[:1], top_logits[:1]), target), expected)


def test_kl_by_hand():
    divergence = kl_divergence_rows(torch.tensor([[0.5, 0.5, 0.0]]), torch.tensor([[0.25, 0.5, 0.25]]).log())
    assert divergence.item() == pytest.approx(0.5 * math.log(2))


def test_kl_is_torchs_and_vanishes_at_the_target(batch):
    logits, _, _ = batch
    soft = torch.rand(8, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64).softmax(1)
    expected = F.kl_div(logits.log_softmax(1), soft, reduction="none").sum(1)
    torch.testing.assert_close(kl_divergence_rows(soft, logits), expected)
    torch.testing.assert_close(kl_divergence_rows(soft, soft.log()), torch.zeros(8, dtype=torch.float64))


def test_a_row_of_zeros_has_no_divergence_nor_gradient(batch):
    logits = batch[0].clone().requires_grad_()
    soft = torch.zeros(8, 5, dtype=torch.float64)
    soft[0, 1] = 1.0
    kl_divergence_rows(soft, logits).sum().backward()
    assert logits.grad[0].any()
    assert not logits.grad[1:].any()


def test_distillation_is_the_weighted_sum_on_either_head(batch):
    logits, top_logits, target = batch
    soft = torch.rand(8, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64).softmax(1)
    divergence = kl_divergence_rows(soft, logits).mean()
    expected = LabelSmoothingCrossEntropy()(logits, target) + 0.4 * divergence
    torch.testing.assert_close(DistillationLoss(lambda_kd=0.4)(logits, target, soft), expected)
    tree = HierarchicalCrossEntropy(PARENTS)
    expected = tree((logits, top_logits), target) + 0.4 * divergence
    ours = DistillationLoss(tree, lambda_kd=0.4)((logits, top_logits), target, soft)
    torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_losses_are_finite_on_large_half_precision_logits(dtype):
    logits = torch.tensor([[300.0, -300.0, 0.0, 5.0, 1.0]], dtype=dtype)
    soft = torch.tensor([[0.0, 0.5, 0.5, 0.0, 0.0]])
    assert DistillationLoss()(logits.float(), torch.tensor([1]), soft).isfinite()
    assert kl_divergence_rows(soft, logits).isfinite().all()
