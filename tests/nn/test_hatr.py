import numpy as np
import pytest
import torch

from skbst.nn import HATR, BaselineHead, FlatHead


def n_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def randomize_statistics(module):
    """Running statistics as after training: a fresh batch norm would hide a forgotten one."""
    for name, buffer in module.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_()
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2.0)


@pytest.fixture
def trunk():
    torch.manual_seed(0)
    trunk = HATR(12, 9, width=8, n_blocks=2)
    randomize_statistics(trunk)
    return trunk


def reference_trunk(state, audio, text, n_blocks):
    """The baseline's forward pass in eval mode, in numpy, straight from its description."""
    state = {name: value.double().numpy() for name, value in state.items()}

    def linear(name, x):
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def norm(name, x):
        scaled = (x - state[f"{name}.running_mean"]) / np.sqrt(state[f"{name}.running_var"] + 1e-5)
        return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]

    def leaky(x):
        return np.where(x > 0, x, 0.01 * x)

    def block(name, x):
        inner = leaky(norm(f"{name}.norm1", linear(f"{name}.linear1", x)))
        return leaky(x + norm(f"{name}.norm2", linear(f"{name}.linear2", inner)))

    def encode(name, x):
        x = leaky(linear(f"{name}.input_projection.0", norm(f"{name}.input_norm", x)))
        for i in range(n_blocks):
            x = block(f"{name}.blocks.{i}", x)
        x = linear(f"{name}.output_projection.3", leaky(linear(f"{name}.output_projection.0", x)))
        return norm(f"{name}.output_norm", x)

    a, t = encode("audio_encoder", audio), encode("text_encoder", text)
    scores = linear("fusion.attention.2", np.tanh(linear("fusion.attention.0", np.hstack([a, t]))))
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    z = weights[:, :1] * a + weights[:, 1:] * t
    for i in (0, 3, 6):
        z = leaky(linear(f"projector.{i}", z))
    for i in range(2):
        z = block(f"blocks.{i}", z)
    return z


def test_the_baseline_counts_7319513_parameters():
    assert n_parameters(HATR(512, 512)) + n_parameters(BaselineHead(64, 23)) == 7_319_513


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (HATR(512, 512), 7_316_674),
        (HATR(512), 3_695_808),
        (BaselineHead(64, 23), 64 * 32 + 32 + 32 * 23 + 23),
        (FlatHead(64, 23), 64 * 64 + 64 + 64 * 32 + 32 + 32 * 23 + 23),
    ],
)
def test_parameter_counts(module, expected):
    assert n_parameters(module) == expected


def test_forward_is_the_reference(trunk):
    audio, text = torch.randn(5, 12), torch.randn(5, 9)
    with torch.no_grad():
        ours = trunk.eval()(audio, text)
    expected = reference_trunk(trunk.state_dict(), audio.double().numpy(), text.double().numpy(), n_blocks=2)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_fusion_of_equal_modalities_is_that_modality(trunk):
    z = torch.randn(4, 8)
    torch.testing.assert_close(trunk.eval().fusion(z, z), z)


def test_inner_width_is_the_wider_of_embedding_and_twice_the_width():
    assert HATR(12, 9, width=8).audio_encoder.input_projection[0].out_features == 16
    assert HATR(40, 9, width=8).audio_encoder.input_projection[0].out_features == 40
    assert HATR(40, 9, width=8, encoder_width=24).text_encoder.input_projection[0].out_features == 24


@pytest.mark.parametrize(("n_audio", "n_text"), [(12, None), (None, 9), (12, 9)])
def test_gradients_reach_every_parameter(n_audio, n_text):
    torch.manual_seed(0)
    trunk = HATR(n_audio, n_text, width=8, n_blocks=2)
    audio = None if n_audio is None else torch.randn(16, n_audio)
    text = None if n_text is None else torch.randn(16, n_text)
    trunk(audio, text).square().sum().backward()
    without = [name for name, p in trunk.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    # batch norm takes a constant away: the bias before it cannot matter
    assert all(name.endswith(("linear1.bias", "linear2.bias", "output_projection.3.bias")) for name in without)


def test_no_modality_is_an_error():
    with pytest.raises(ValueError, match="at least one modality"):
        HATR(None)


@pytest.mark.parametrize("head", [BaselineHead, FlatHead])
def test_heads_overfit_and_pass_gradients(head):
    torch.manual_seed(0)
    module = head(16, 5)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-2)
    latent, target = torch.randn(64, 16), torch.arange(64) % 5
    for _ in range(600):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(latent), target).backward()
        optimizer.step()
    assert all(p.grad.abs().sum() > 0 for p in module.parameters())
    assert (module.eval()(latent).argmax(1) == target).float().mean() == 1.0


def test_flat_head_is_the_baseline_head_after_one_layer():
    torch.manual_seed(0)
    head = FlatHead(16, 5).eval()
    latent = torch.randn(3, 16)
    torch.testing.assert_close(head(latent), head.baseline(torch.nn.functional.leaky_relu(head.added[0](latent))))


def test_attention_over_three_against_a_loop():
    """One weight per embedding, that sum to 1, as in the two of the baseline."""
    torch.manual_seed(0)
    trunk = HATR(6, 5, others={"audio_2": 4}, width=8, n_blocks=1)
    randomize_statistics(trunk)
    trunk.eval()
    x = {"audio": torch.randn(3, 6), "text": torch.randn(3, 5), "audio_2": torch.randn(3, 4)}
    encoders = {"audio": trunk.audio_encoder, "text": trunk.text_encoder, "audio_2": trunk.other_encoders["audio_2"]}
    first, _, second, _ = trunk.fusion.attention
    expected = []
    for row in range(3):
        z = [encoders[name](x[name])[row] for name in x]
        scores = second.weight @ torch.tanh(first.weight @ torch.cat(z) + first.bias) + second.bias
        shares = scores.exp() / scores.exp().sum()
        expected.append(shares[0] * z[0] + shares[1] * z[1] + shares[2] * z[2])
    latent = trunk.blocks(trunk.projector(torch.stack(expected)))
    torch.testing.assert_close(trunk(**x), latent)


def test_others_alone_and_none():
    assert HATR(None, None, others={"a": 4, "b": 3}, width=8).eval()(a=torch.ones(2, 4), b=torch.ones(2, 3)).shape == (
        2,
        4,
    )
    with pytest.raises(ValueError, match="at least one"):
        HATR(None)
