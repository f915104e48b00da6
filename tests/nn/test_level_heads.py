import pytest
import torch

from skbst.nn import GlobalHead, LocalPerLevelHead, log_aggregate_to_top, log_condition_on_top
from skbst.taxonomy import aggregate_to_top, condition_on_top

PARENTS = [0, 0, 0, 1, 1, 2]


@pytest.fixture
def logits():
    generator = torch.Generator().manual_seed(0)
    return 3 * torch.randn(200, 6, generator=generator), 3 * torch.randn(200, 3, generator=generator)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 3.0])
def test_log_correction_is_the_numpy_one(logits, beta):
    leaf, top = (x.double() for x in logits)
    ours = log_condition_on_top(leaf, top, torch.tensor(PARENTS), beta=beta).exp()
    theirs = condition_on_top(leaf.softmax(1).numpy(), top.softmax(1).numpy(), PARENTS, beta=beta)
    torch.testing.assert_close(ours, torch.from_numpy(theirs))


def test_log_aggregation_is_the_numpy_one(logits):
    proba = logits[0].double().softmax(1)
    ours = log_aggregate_to_top(proba.log(), torch.tensor(PARENTS), 3).exp()
    torch.testing.assert_close(ours, torch.from_numpy(aggregate_to_top(proba.numpy(), PARENTS)))


def test_correction_by_hand():
    leaf, top = torch.tensor([[0.1, 0.2, 0.3, 0.4]]), torch.tensor([[0.75, 0.25]])
    # .075, .15, .075, .1 over .4
    corrected = log_condition_on_top(leaf.log(), top.log(), torch.tensor([0, 0, 1, 1])).exp()
    torch.testing.assert_close(corrected, torch.tensor([[0.1875, 0.375, 0.1875, 0.25]]))


def test_far_apart_logits_stay_finite():
    leaf, top = torch.tensor([[0.0, -500.0, -900.0]]), torch.tensor([[-800.0, 0.0]])
    log_proba = log_condition_on_top(leaf, top, torch.tensor([0, 1, 1]))
    # -800, -500, -900: the second leaf wins although its probability is below float32
    torch.testing.assert_close(log_proba, torch.tensor([[-300.0, 0.0, -400.0]]))


def test_lcl_levels_are_one_distribution(logits):
    head = LocalPerLevelHead(8, PARENTS)
    log_proba, log_top = head.log_proba(*logits), head.log_top_proba(*logits)
    torch.testing.assert_close(log_proba.exp().sum(1), torch.ones(200))
    expected = torch.zeros(200, 3).index_add_(1, torch.tensor(PARENTS), log_proba.exp())
    torch.testing.assert_close(log_top.exp(), expected)
    # under the winning top level, the winning leaf of that level is the winner of the level in the raw logits
    best_leaf = log_proba.argmax(1)
    siblings = torch.tensor(PARENTS) == torch.tensor(PARENTS)[best_leaf][:, None]
    assert torch.equal(logits[0].masked_fill(~siblings, -torch.inf).argmax(1), best_leaf)


def test_lcl_top_of_the_best_leaf_agrees_with_the_top_layer_as_beta_grows(logits):
    parents, wanted = torch.tensor(PARENTS), logits[1].argmax(1)
    agreement = []
    for beta in (0.0, 1.0, 5.0, 1000.0):
        log_proba = LocalPerLevelHead(8, PARENTS, beta=beta).log_proba(*logits)
        agreement.append((parents[log_proba.argmax(1)] == wanted).float().mean().item())
    assert agreement == sorted(agreement)
    assert agreement[0] < agreement[1]
    assert agreement[-1] == 1.0


def test_best_leaf_may_lie_outside_the_best_top_level():
    head = LocalPerLevelHead(8, [0, 0, 1])
    leaf, top = torch.tensor([[0.3, 0.3, 0.4]]).log(), torch.zeros(1, 2)
    assert head.log_proba(leaf, top).argmax() == 2
    assert head.log_top_proba(leaf, top).argmax() == 0


def test_beta_zero_ignores_the_top_layer(logits):
    head = LocalPerLevelHead(8, PARENTS, beta=0.0)
    torch.testing.assert_close(head.log_proba(*logits), logits[0].log_softmax(1))


def test_global_head_keeps_the_levels_apart(logits):
    head = GlobalHead(8, PARENTS)
    torch.testing.assert_close(head.log_proba(*logits), logits[0].log_softmax(1))
    torch.testing.assert_close(head.log_top_proba(*logits), logits[1].log_softmax(1))


@pytest.mark.parametrize("head", [GlobalHead(8, PARENTS), LocalPerLevelHead(8, PARENTS)])
def test_shapes_gradients_and_buffers(head):
    leaf, top = head(torch.randn(4, 8))
    assert leaf.shape == (4, 6)
    assert top.shape == (4, 3)
    (leaf.square().sum() + top.square().sum()).backward()
    assert all(p.grad.any() for p in head.parameters())
    assert head.state_dict()["parent_of_leaf"].tolist() == PARENTS


def test_lcl_levels_share_no_parameter():
    head = LocalPerLevelHead(8, PARENTS)
    head(torch.randn(4, 8))[0].sum().backward()
    assert all(p.grad is None for p in head.top.parameters())


def test_parameter_counts():
    def count(module):
        return sum(p.numel() for p in module.parameters())

    bst = torch.tensor([0] * 3 + [1] * 5 + [2] * 3 + [3] * 8 + [4] * 4)
    assert count(GlobalHead(64, bst)) == 65 * 28 == 1820
    assert count(LocalPerLevelHead(64, bst)) == 2 * 65 * 64 + 65 * 28 == 10140
