import pytest
import torch

from skbst.nn import (
    HATR,
    BaselineHead,
    BranchHead,
    ClipNet,
    FlatHead,
    FrameStandardizer,
    GatedResidualFusion,
    GlobalHead,
    HighwayGateAdapter,
    LinearPrior,
    LocalPerLevelHead,
    LogMelMDFD,
    LogSTFTTransformer,
    MFCCResidualTDNN,
)


def small_net(seed=0, *, branch=True, adapter=True, head=None):
    torch.manual_seed(seed)
    trunk = HATR(12, 9, width=8, n_blocks=1)
    head = head or BaselineHead(4, 3)
    parts = {}
    if branch:
        encoder = LogSTFTTransformer(10, d_model=16, n_layers=1, n_heads=2, d_feedforward=16)
        parts.update(branch=encoder, standardizer=FrameStandardizer(10), fusion=GatedResidualFusion(12, 16))
    if adapter:
        parts["adapter"] = HighwayGateAdapter(9)
    return ClipNet(trunk, head, **parts)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)

    def randn(*shape):
        return torch.randn(*shape, generator=generator)

    return {"audio": randn(6, 12), "text": randn(6, 9), "frames": randn(6, 20, 10), "lengths": torch.arange(1, 7) * 3}


def test_branch_and_adapter_are_identities_at_first(batch):
    whole, plain = small_net().eval(), small_net(branch=False, adapter=False).eval()
    plain.load_state_dict({name: whole.state_dict()[name] for name in plain.state_dict()})
    torch.testing.assert_close(whole(**batch), plain(batch["audio"], batch["text"]), rtol=0, atol=0)


BRANCHES = {
    "log-stft": lambda: LogSTFTTransformer(10, d_model=16, n_layers=1, n_heads=2, d_feedforward=16),
    "log-mel": lambda: LogMelMDFD(10, widths=(11,), pooling=((2, 2),)),
    "mfcc": lambda: MFCCResidualTDNN(10, n_channels=8),
}
HEADS = {
    "baseline": lambda: BaselineHead(4, 3),
    "flat": lambda: FlatHead(4, 3),
    "gc": lambda: GlobalHead(4, [0, 0, 1]),
    "lcl": lambda: LocalPerLevelHead(4, [0, 0, 1]),
}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("branch", BRANCHES)
def test_gradients_reach_every_parameter_from_the_second_step(batch, branch, head):
    torch.manual_seed(0)
    encoder = BRANCHES[branch]()
    parts = {"standardizer": FrameStandardizer(10), "fusion": GatedResidualFusion(12, encoder.out_features)}
    net = ClipNet(
        HATR(12, 9, width=8, n_blocks=1), HEADS[head](), branch=encoder, adapter=HighwayGateAdapter(9), **parts
    )
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for _ in range(2):
        optimizer.zero_grad()
        output = net(**batch)
        loss = sum(level.square().sum() for level in (output if isinstance(output, tuple) else (output,)))
        loss.backward()
        optimizer.step()
    assert not [name for name, p in net.named_parameters() if not p.grad.abs().sum()]


def test_padding_does_not_matter(batch):
    net = small_net().eval()
    torch.nn.init.normal_(net.fusion.projection.weight)
    expected = net(**batch)
    noisy = batch["frames"].clone()
    noisy[torch.arange(20) >= batch["lengths"][:, None]] = 1e3
    torch.testing.assert_close(net(**{**batch, "frames": noisy}), expected)


def test_missing_lengths_mean_all_frames(batch):
    net = small_net().eval()
    torch.nn.init.normal_(net.fusion.projection.weight)
    full = {**batch, "lengths": torch.full((6,), 20)}
    torch.testing.assert_close(net(**{**batch, "lengths": None}), net(**full))


def test_forward_is_head_of_embed(batch):
    net = small_net(head=GlobalHead(4, [0, 0, 1])).eval()
    leaf, top = net(**batch)
    latent = net.embed(**batch)
    assert latent.shape == (6, 4)
    torch.testing.assert_close((leaf, top), net.head(latent))


def test_without_fusion_the_branch_stands_in_the_place_of_an_audio_embedding():
    vector = torch.arange(32.0).reshape(-1, 4)
    alone = ClipNet(HATR(4, width=4), BaselineHead(2, 2), branch=_Given(vector)).eval()
    frames = torch.zeros(len(vector), 3, 2)
    torch.testing.assert_close(alone(frames=frames), alone.head(alone.trunk(vector)))


class _Given(torch.nn.Module):
    def __init__(self, vector):
        super().__init__()
        self.vector = vector

    def forward(self, frames, lengths):
        return self.vector


def test_answers_do_not_depend_on_the_batch(batch):
    net = small_net().eval()
    torch.nn.init.normal_(net.fusion.projection.weight)
    whole = net(**batch)
    for i in range(6):
        one = net(**{name: value[i : i + 1] for name, value in batch.items()})
        torch.testing.assert_close(one, whole[i : i + 1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("head", ["baseline", "gc"])
def test_a_branch_head_is_nothing_at_first_and_adds_to_the_prior(batch, head):
    net = small_net(head=HEADS[head]())
    net.prior = LinearPrior(12, 9, 3)
    with torch.no_grad():
        net.prior.models["audio"].weight.normal_()
        net.prior.models["audio"].share.fill_(1.0)
    before = net.eval()(**batch)
    net.branch_head = BranchHead(16, 3).eval()
    torch.testing.assert_close(net(**batch), before, rtol=0, atol=0)
    with torch.no_grad():
        net.branch_head.classifier.weight.normal_()
    after = net(**batch)
    z = net.branch(net.standardizer(batch["frames"], batch["lengths"]), batch["lengths"])
    added = net.branch_head(z)
    if head == "baseline":
        torch.testing.assert_close(after - before, added)
        # without frames there is nothing to read
        alone = net(batch["audio"], batch["text"])
        net.branch_head = None
        torch.testing.assert_close(net(batch["audio"], batch["text"]), alone)
        return
    torch.testing.assert_close(after[0] - before[0], added)
    prior = net.prior(batch["audio"], batch["text"])
    tops = [[0, 1], [2]]
    expected = [(prior + added)[:, leaves].logsumexp(1) - prior[:, leaves].logsumexp(1) for leaves in tops]
    torch.testing.assert_close(after[1] - before[1], torch.stack(expected, dim=1))


def test_a_branch_head_needs_a_branch():
    with pytest.raises(ValueError, match="needs a branch, whose vector it reads"):
        ClipNet(HATR(4, width=4), BaselineHead(2, 2), branch_head=BranchHead(4, 2), prior=LinearPrior(4, None, 2))
