import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from skbst.neural import BranchClassifier, Recipe
from skbst.neural._log_proba import leaf_log_proba, top_log_proba
from skbst.neural._training._objective import Objective
from skbst.nn import DistillationLoss, HierarchicalCrossEntropy, LabelSmoothingCrossEntropy
from skbst.taxonomy import condition_on_top

PARENTS = torch.tensor([0, 0, 1])


def objective(head="baseline", **kwargs):
    settings = {"label_smoothing": 0.0, "top_loss_weight": 1.0, "distillation_weight": 1.0}
    return Objective(head, PARENTS, **{**settings, **kwargs})


def batch(weight=(1.0, 1.0), **kwargs):
    return {"target": torch.tensor([0, 2]), "weight": torch.tensor(weight), **kwargs}


def test_cross_entropy_by_hand():
    leaf = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]).log()
    torch.testing.assert_close(objective()(leaf, batch()), -torch.tensor([0.5, 0.8]).log().mean())


def test_smoothing_by_hand():
    leaf = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]).log()
    expected = 0.7 * -torch.tensor([0.5, 0.8]).log().mean() + 0.3 * -leaf.mean()
    torch.testing.assert_close(objective(label_smoothing=0.3)(leaf, batch()), expected)


def test_top_level_term():
    leaf, top = torch.zeros(2, 3), torch.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
    expected = np.log(3) + 2.0 * -(np.log(0.25) + np.log(0.5)) / 2
    assert objective("gc", top_loss_weight=2.0)((leaf, top), batch()).item() == pytest.approx(expected)
    assert objective("lcl", top_loss_weight=0.0)((leaf, top), batch()).item() == pytest.approx(np.log(3))


def test_distillation_term():
    leaf, soft = torch.zeros(2, 3), torch.tensor([[1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    expected = np.log(3) + 0.5 * (np.log(3) + 0) / 2
    assert objective(distillation_weight=0.5)(leaf, batch(soft_target=soft)).item() == pytest.approx(expected)


def test_weights_multiply_rows_and_are_not_normalised_by_batch():
    leaf = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]).log()
    expected = (3 * -np.log(0.5) + 0.5 * -np.log(0.8)) / 2
    assert objective()(leaf, batch((3.0, 0.5))).item() == pytest.approx(expected)


def test_log_proba_of_one_level_is_log_softmax():
    logits = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    proba = np.exp(leaf_log_proba(logits, None, PARENTS.numpy(), beta=1.0))
    assert proba.dtype == np.float64
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(proba[:, 1] / proba[:, 0], np.exp(logits[:, 1] - logits[:, 0]), rtol=1e-6)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 2.0])
def test_correction_is_the_taxonomy_function(beta):
    rng = np.random.default_rng(0)
    leaf, top = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    ours = np.exp(leaf_log_proba(leaf, top, PARENTS.numpy(), beta=beta))
    plain = np.exp(leaf_log_proba(leaf, None, PARENTS.numpy(), beta=beta))
    expected = condition_on_top(plain, np.exp(top_log_proba(top)), PARENTS.numpy(), beta=beta)
    np.testing.assert_allclose(ours, expected)


def test_mixed_targets():
    leaf, top = torch.randn(1, 3), torch.randn(1, 2)
    mixed = {"target": torch.tensor([[0.5, 0.2, 0.3]]), "weight": torch.ones(1)}
    expected = -(mixed["target"] * leaf.log_softmax(1)).sum() - (torch.tensor([0.7, 0.3]) * top.log_softmax(1)).sum()
    torch.testing.assert_close(objective("gc")((leaf, top), mixed), expected)


def test_mixed_targets_in_bfloat16():
    leaf, top = torch.randn(1, 3, dtype=torch.bfloat16), torch.randn(1, 2, dtype=torch.bfloat16)
    mixed = {"target": torch.tensor([[0.5, 0.2, 0.3]]), "weight": torch.ones(1)}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = objective("gc")((leaf, top), mixed)
    torch.testing.assert_close(loss, objective("gc")((leaf.float(), top.float()), mixed))


class FirstBatch(Callback):
    """What the network gives for the first training batch, and what was asked of it."""

    def on_batch_end(self, net, batch=None, training=False, y_pred=None, **kwargs):
        """Keep the first."""
        self.output, self.target = y_pred, batch[1]


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("head", ["baseline", "flat", "gc", "lcl"])
def test_the_loss_of_training_is_the_public_one(head, soft):
    rng = np.random.default_rng(0)
    codes = np.array(["fx-a", "fx-n", "m-sp", "m-m"])
    X, y, weight = rng.normal(size=(48, 6)), codes[np.arange(48) % 4], rng.uniform(0.2, 3, size=48)
    soft_targets = rng.dirichlet(np.ones(4), size=48) if soft else None
    first, recipe = FirstBatch(), Recipe(label_smoothing=0.1, top_loss_weight=0.7, validation_fraction=None)
    model = BranchClassifier(
        **{"head": head, "size": "small", "recipe": recipe, "batch_size": 48, "max_epochs": 1, "augmentation": None},
        **{"distillation_weight": 0.4, "callbacks": [first], "class_weight": "balanced", "random_state": 0},
    ).fit(X, y, weight, soft_targets=soft_targets)
    if head in ("gc", "lcl"):
        loss = HierarchicalCrossEntropy(model.taxonomy_.parent_of_leaf, lambda_top=0.7, smoothing=0.1)
    else:
        loss = LabelSmoothingCrossEntropy(smoothing=0.1)
    given = [first.target["soft_target"]] if soft else []
    loss = DistillationLoss(loss, lambda_kd=0.4) if soft else loss
    ours = loss(first.output, first.target["target"], *given, first.target["weight"])
    assert len(first.target["weight"]) == 48
    assert first.target["weight"].std() > 0.3
    assert ours.item() == model.history_["train_loss"][0]
