"""What is known of a clip before it is heard, inside the network."""

import pytest
import torch

from skbst.nn import HATR, BaselineHead, ClassPriorEmbedding, ClipNet, GlobalHead, LinearPrior, LocalPerLevelHead

PARENTS = [0, 0, 1, 1, 1]
HEADS = {
    "baseline": lambda: BaselineHead(4, 5),
    "gc": lambda: GlobalHead(4, PARENTS),
    "lcl": lambda: LocalPerLevelHead(4, PARENTS),
}


def make_net(head="baseline", *, linear=False):
    torch.manual_seed(0)
    trunk = HATR(12, 9, width=8, n_blocks=1)
    prior = LinearPrior(12, 9, 5) if linear else None
    return ClipNet(trunk, HEADS[head](), prior=prior, class_prior=ClassPriorEmbedding(5, 5, trunk.out_features))


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    return {name: torch.randn(6, width, generator=generator) for name, width in (("audio", 12), ("text", 9))}


def levels(output):
    return output if isinstance(output, tuple) else (output,)


def assert_same(one, other):
    assert all(torch.equal(a, b) for a, b in zip(levels(one), levels(other), strict=True))


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("head", HEADS)
def test_nothing_known_is_the_network_without_to_the_bit(batch, head, linear):
    net = make_net(head, linear=linear).eval()
    known = torch.eye(5)[[0, 1, 2, 3, 4, 0]]
    assert_same(net(**batch, class_prior=known), net(**batch))  # E starts at zero
    torch.nn.init.normal_(net.class_prior.embedding)
    assert not torch.equal(levels(net(**batch, class_prior=known))[0], levels(net(**batch))[0])
    assert_same(net(**batch, class_prior=torch.zeros(6, 5)), net(**batch))
    # a row of which nothing is known does not see its neighbours in the batch
    known[2] = 0
    for mixed, plain in zip(levels(net(**batch, class_prior=known)), levels(net(**batch)), strict=True):
        assert torch.equal(mixed[2], plain[2])


def test_it_is_what_both_say_less_what_the_clip_says_alone():
    known = ClassPriorEmbedding(5, 3, 4)
    torch.nn.init.normal_(known.embedding)
    q, z = torch.rand(6, 5).softmax(dim=1), torch.randn(6, 4)
    m = 40.0 * torch.einsum("bc,cd->bd", q, known.embedding)
    layer = torch.cat([known.latent.weight, known.beside.weight], dim=1)

    def joint(m):
        hidden = torch.cat([z, m], dim=1) @ layer.T + known.latent.bias
        return hidden.tanh() @ known.joint.weight.T

    expected = m @ known.classifier.weight.T + joint(m) - joint(torch.zeros_like(m))
    torch.testing.assert_close(known(q, z), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("head", HEADS)
def test_gradients_reach_all_of_it_from_the_second_step_and_nothing_else(batch, head):
    net = make_net(head)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for step in range(2):
        optimizer.zero_grad()
        output = levels(net(**batch, class_prior=torch.eye(5)[[0, 1, 2, 3, 4, 0]]))
        sum(level.square().sum() for level in output).backward()
        moved = {name for name, p in net.named_parameters() if p.grad is not None and p.grad.abs().sum()}
        whole = {name for name, _ in net.named_parameters() if name.startswith("class_prior")}
        assert moved == ({"class_prior.embedding"} if step == 0 else whole)
        optimizer.step()
