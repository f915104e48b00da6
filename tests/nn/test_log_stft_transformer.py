import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from skbst.nn import LogSTFTTransformer, length_mask, sinusoidal_positions


@pytest.fixture
def branch():
    torch.manual_seed(0)
    return LogSTFTTransformer(6, d_model=8, n_layers=2, n_heads=2, d_feedforward=12, dropout=0.0).double()


def torch_twin(layer):
    """torch's encoder layer with the same weights."""
    twin = nn.TransformerEncoderLayer(8, 2, 12, 0.0, "gelu", batch_first=True, norm_first=True).double()
    pairs = {
        "self_attn.in_proj_": layer.query_key_value,
        "self_attn.out_proj.": layer.attention_out,
        "norm1.": layer.attention_norm,
        "norm2.": layer.feedforward_norm,
        "linear1.": layer.feedforward_in,
        "linear2.": layer.feedforward_out,
    }
    state = {f"{name}{part}": value for name, module in pairs.items() for part, value in module.state_dict().items()}
    twin.load_state_dict(state)
    return twin


def test_against_torchs_layers_with_a_padding_mask(branch):
    lengths, frames = torch.tensor([21, 9, 4, 1]), torch.randn(4, 21, 6, dtype=torch.float64)
    frames = frames.masked_fill(~length_mask(lengths, 21).unsqueeze(2), 0.0)
    x, n_valid = frames, lengths
    for convolution in branch.stem:
        weight = convolution.linear.weight.unflatten(1, (3, -1)).transpose(1, 2)
        x = F.conv1d(x.transpose(1, 2), weight, convolution.linear.bias, stride=2, padding=1).transpose(1, 2)
        n_valid = (n_valid + 1) // 2
        x = F.gelu(x) * length_mask(n_valid, x.shape[1]).unsqueeze(2)
    x = branch.token_norm(x) + sinusoidal_positions(x.shape[1], 8, dtype=x.dtype)
    valid = length_mask(n_valid, x.shape[1])
    for layer in branch.layers:
        x = torch_twin(layer)(x, src_key_padding_mask=~valid)
    expected = (branch.norm(x) * valid.unsqueeze(2)).sum(1) / valid.sum(1, keepdim=True)
    torch.testing.assert_close(branch(frames, lengths), expected)


def test_positions_by_hand():
    positions = sinusoidal_positions(3, 4)
    # wavelengths 2 pi and 200 pi: sines, then cosines
    expected = [[math.sin(t), math.sin(t / 100), math.cos(t), math.cos(t / 100)] for t in range(3)]
    torch.testing.assert_close(positions, torch.tensor(expected))
    assert sinusoidal_positions(3, 4, dtype=torch.float64).dtype == torch.float64


@pytest.mark.parametrize(("n_frames", "n_tokens"), [(1, 1), (4, 1), (5, 2), (8, 2), (501, 126)])
def test_one_token_for_four_frames(branch, n_frames, n_tokens):
    frames = torch.randn(2, n_frames + 9, 6, dtype=torch.float64)
    rows, packing = branch._tokens(frames[:1, :n_frames], None)
    assert rows.shape == (n_tokens, 8)
    assert packing.n_frames == n_tokens
    padded, packing = branch._tokens(frames, torch.tensor([n_frames, n_frames + 9]))
    assert packing.lengths[0] == n_tokens
    torch.testing.assert_close(padded[:n_tokens], rows)


def test_residual_stream_does_not_grow_with_depth():
    torch.manual_seed(0)
    x = torch.randn(4, 101, 257)
    shallow, deep = (LogSTFTTransformer(257, d_model=64, n_layers=n, dropout=0.0) for n in (1, 12))
    norms = []
    for branch in (shallow, deep):
        seen = []
        branch.norm.register_forward_pre_hook(lambda module, args, seen=seen: seen.append(args[0]))
        branch(x)
        norms.append(seen[0].std().item())
    assert norms[1] < 1.3 * norms[0]


@pytest.mark.parametrize("sizes", [{"d_model": 30, "n_heads": 4}, {"d_model": 9, "n_heads": 3}])
def test_sizes_that_do_not_fit(sizes):
    with pytest.raises(ValueError, match="d_model must be even and a multiple of n_heads"):
        LogSTFTTransformer(16, **sizes)
