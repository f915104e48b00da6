import pytest
import torch
from torch import nn
from torch.nn import functional as F

from skbst.nn import MDFD_DILATIONS, ClipStrip, FrequencyDynamicConv2d, LogMelMDFD, MaskedBatchNorm2d, length_mask
from skbst.nn._branches._frequency_dynamic_conv import _mix
from skbst.nn._branches._log_mel_mdfd import mean_pool

FDY = ((1, 1, 1, 1),)
CASES = {
    "published": {"in_channels": 5, "out_channels": 22},
    "FDY": {"in_channels": 3, "out_channels": 6, "dilations": FDY, "branch_channels": 6, "temperature": 31.0},
    "no dilation 1": {"in_channels": 3, "out_channels": 7, "dilations": ((2, 3), (3, 2)), "branch_channels": 2},
    "sharp": {"in_channels": 3, "out_channels": 11, "temperature": 0.1},
}


def naive_attention(layer, x, n_valid):
    """Mixture weights of one clip, branch by branch, from its mean over time."""
    hidden = F.conv1d(x[:, :, :n_valid].mean(2), layer.attention[0].weight, padding=1)
    norm = layer.attention[1]
    hidden = (hidden - norm.running_mean[:, None]) / (norm.running_var[:, None] + norm.eps).sqrt()
    hidden = F.relu(hidden * norm.weight[:, None] + norm.bias[:, None])
    last, n_branches = layer.attention[3], layer.weight.shape[0]
    rows = []
    for branch in range(n_branches):
        part = hidden.chunk(n_branches, dim=1)[branch]
        weight, bias = last.weight.chunk(n_branches)[branch], last.bias.chunk(n_branches)[branch]
        rows.append((F.conv1d(part, weight, bias) / layer.temperature).softmax(1))
    return torch.stack(rows, 1)


def naive_convolution(layer, x, dilations, n_valid):
    """Loop over branches, kernels and frequencies; pick each frequency from a convolution of its own kernel."""
    pi = naive_attention(layer, x, n_valid)
    outputs = [F.conv2d(x, layer.static_weight, padding=1)] if len(layer.static_weight) else []
    for branch, row in enumerate(dilations):
        columns = []
        for f in range(x.shape[3]):
            column = 0
            for kernel, dilation in enumerate(row):
                y = F.conv2d(x, layer.weight[branch, kernel], padding=(1, dilation), dilation=(1, dilation))
                column = column + pi[0, branch, kernel, f] * y[..., f]
            columns.append(column)
        outputs.append(torch.stack(columns, 3))
    return torch.cat(outputs, 1)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("n_bins", [1, 2, 3, 9])
def test_against_a_naive_loop(case, n_bins):
    torch.manual_seed(0)
    layer = FrequencyDynamicConv2d(**CASES[case]).double().eval()
    for norm_buffer in (layer.attention[1].running_mean, layer.attention[1].running_var):
        norm_buffer.copy_(torch.rand_like(norm_buffer) + 0.5)
    lengths = torch.tensor([8, 5])
    x = torch.randn(2, layer.attention[0].in_channels, 8, n_bins, dtype=torch.float64)
    x[1, :, 5:] = 0
    dilations = CASES[case].get("dilations", MDFD_DILATIONS)
    expected = [naive_convolution(layer, x[i : i + 1], dilations, lengths[i]) for i in range(2)]
    torch.testing.assert_close(layer(x[:1]), expected[0])
    strip = ClipStrip(lengths, 1)
    y = layer(strip.pack(x.transpose(1, 2).flatten(2)).unflatten(2, (-1, n_bins)).transpose(1, 2), strip)
    torch.testing.assert_close(y[:, :, :8], expected[0])
    torch.testing.assert_close(y[:, :, 9:14], expected[1][:, :, :5])


def test_gradients_against_the_naive_loop():
    torch.manual_seed(0)
    layer = FrequencyDynamicConv2d(3, 11, temperature=1.0).double().eval()
    x = torch.randn(1, 3, 6, 5, dtype=torch.float64, requires_grad=True)
    seed = torch.randn(1, 11, 6, 5, dtype=torch.float64)
    inputs = [x, *(p for n, p in layer.named_parameters())]
    ours = torch.autograd.grad((layer(x) * seed).sum(), inputs)
    naive = torch.autograd.grad((naive_convolution(layer, x, MDFD_DILATIONS, 6) * seed).sum(), inputs)
    for a, b in zip(ours, naive):
        torch.testing.assert_close(a, b)


def test_mixture_for_compiled_graphs_is_the_same():
    torch.manual_seed(0)
    layer = FrequencyDynamicConv2d(3, 22)
    x = torch.randn(2, 3, 6, 5)
    seen = []
    layer.register_forward_hook(lambda module, args, output: seen.append(output))
    layer(x)
    basis = []
    for i, (dilation, slots) in enumerate(layer.slots.items()):
        kernels = torch.cat([layer.weight[s] for s in slots] + ([layer.static_weight] if i == 0 else []))
        basis.append(F.conv2d(x, kernels, padding=(1, dilation), dilation=(1, dilation)))
    plain = _mix(layer.mixture_weights(x), None, tuple(layer.slots.values()), layer.weight.shape[2], *basis)
    torch.testing.assert_close(plain, seen[0])


def test_equal_kernels_make_a_plain_convolution():
    layer = FrequencyDynamicConv2d(3, 8, dilations=FDY, branch_channels=8)
    with torch.no_grad():
        layer.weight[:] = layer.weight[:, :1]
    x = torch.randn(2, 3, 7, 9)
    torch.testing.assert_close(layer(x), F.conv2d(x, layer.weight[0, 0], padding=1), rtol=1e-4, atol=1e-5)


def test_mixture_weights_are_distributions_over_kernels_and_differ_by_frequency():
    torch.manual_seed(0)
    layer = FrequencyDynamicConv2d(3, 11, temperature=1.0)
    pi = layer.mixture_weights(torch.randn(2, 3, 7, 9))
    assert pi.shape == (2, 8, 4, 9)
    torch.testing.assert_close(pi.sum(2), torch.ones(2, 8, 9))
    assert pi.std(3).min() > 1e-3


def test_too_many_branches_for_the_channels():
    with pytest.raises(ValueError, match="8 branches of 2 channels do not fit in 11"):
        FrequencyDynamicConv2d(3, 11, branch_channels=2)


@pytest.mark.parametrize("lengths", [[7, 7], [7, 3], [1, 5]])
@pytest.mark.parametrize("training", [True, False])
def test_masked_batch_norm_is_batch_norm_of_the_valid_frames(lengths, training):
    torch.manual_seed(0)
    x, mask = torch.randn(2, 4, 7, 3) * 5 + 20, length_mask(torch.tensor(lengths), 7)
    norm, plain = MaskedBatchNorm2d(4), nn.BatchNorm1d(4)
    for layer in (norm, plain):
        layer.running_mean.fill_(19.0)
        layer.running_var.fill_(30.0)
        nn.init.constant_(layer.weight, 1.5)
        nn.init.constant_(layer.bias, 0.3)
        layer.train(training)
    leaf, twin = x.clone().requires_grad_(), x.clone().requires_grad_()
    seed = torch.randn(2, 7, 3, 4)
    y = norm(leaf, mask)
    rows = twin.permute(0, 2, 3, 1)[mask]
    expected = plain(rows.flatten(0, 1)).view_as(rows)
    torch.testing.assert_close(y.permute(0, 2, 3, 1)[mask], expected, rtol=1e-4, atol=1e-4)
    assert not y.permute(0, 2, 3, 1)[~mask].any()
    torch.testing.assert_close(norm.running_mean, plain.running_mean)
    torch.testing.assert_close(norm.running_var, plain.running_var, rtol=1e-4, atol=1e-4)
    (y.permute(0, 2, 3, 1) * seed).sum().backward()
    (expected * seed[mask]).sum().backward()
    torch.testing.assert_close(leaf.grad, twin.grad, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(norm.weight.grad, plain.weight.grad, rtol=1e-3, atol=1e-3)


def test_masked_batch_norm_sums_half_precision_maps_in_float32():
    x = (torch.randn(8, 2, 64, 32, generator=torch.Generator().manual_seed(0)) + 3).bfloat16()
    mask = length_mask(torch.full((8,), 60), 64)
    norm = MaskedBatchNorm2d(2)
    y = norm(x, mask)
    assert y.dtype == torch.bfloat16
    expected = x.float()[:, :, :60].var(dim=(0, 2, 3))
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * expected, rtol=1e-4, atol=0)


def test_mean_pool_by_hand():
    x = torch.tensor([[2.0, 4.0, 6.0, 0.0, 0.0], [1.0, 3.0, 5.0, 7.0, 9.0]]).view(2, 1, 5, 1)
    pooled = mean_pool(x, (2, 1), length_mask(torch.tensor([3, 5]), 5))
    assert pooled.flatten(1).tolist() == [[3.0, 6.0, 0.0], [2.0, 6.0, 9.0]]
    assert mean_pool(x[1:], (2, 1)).flatten().tolist() == [2.0, 6.0, 9.0]
    assert mean_pool(x, (1, 1)) is x


def test_gradients_on_a_strip_are_those_of_each_clip():
    torch.manual_seed(0)
    layer = FrequencyDynamicConv2d(2, 11, temperature=1.0).double().eval()
    lengths, seed = torch.tensor([6, 3]), torch.randn(11, 6, 4, dtype=torch.float64)
    clips = [torch.randn(1, 2, n, 4, dtype=torch.float64) for n in lengths]
    strip = ClipStrip(lengths, 1)
    padded = [F.pad(clip, (0, 0, 0, 1)) for clip in clips]
    y = layer(torch.cat(padded, 2), strip)
    total = (y[0, :, :6] * seed).sum() + (y[0, :, 7:10] * seed[:, :3]).sum()
    ours = torch.autograd.grad(total, list(layer.parameters()))
    total = sum((layer(clip)[0] * seed[:, : clip.shape[2]]).sum() for clip in clips)
    for a, b in zip(ours, torch.autograd.grad(total, list(layer.parameters()))):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("stride", [1, 2, 8])
def test_strip_lays_clips_out_and_back(stride):
    lengths = torch.tensor([5, 8, 1])
    frames = torch.randn(3, 8, 2).masked_fill(~length_mask(lengths, 8).unsqueeze(2), float("nan"))
    strip = ClipStrip(lengths, stride)
    packed = strip.pack(frames)
    assert packed.isfinite().all()
    assert not packed[~strip.mask].any()
    back = strip.unpack(packed)
    assert all(torch.equal(back[i, :n], frames[i, :n]) for i, n in enumerate(lengths))
    assert not back[~length_mask(lengths, back.shape[1])].any()
    coarse = strip.pooled(stride)
    assert coarse.lengths.tolist() == [-(-n // stride) for n in lengths.tolist()]
    assert coarse.mask.sum() == coarse.lengths.sum()
    # between two clips there is a zero frame at the coarsest step
    last = coarse.mask[0].nonzero().squeeze(1)
    steps = last[1:] - last[:-1]
    changes = coarse.clip_of_frame[last][1:] != coarse.clip_of_frame[last][:-1]
    assert (steps[changes] >= 2).all()
    assert (steps[~changes] == 1).all()
    assert torch.equal(coarse.unpack(packed[:, ::stride])[1, :1], frames[1, :1])


def test_strip_time_mean():
    strip = ClipStrip(torch.tensor([2, 1]), 1)
    x = torch.tensor([1.0, 3.0, 0.0, 7.0, 0.0]).view(1, 1, 5, 1)
    assert strip.time_mean(x).flatten().tolist() == [2.0, 7.0]


def test_parameter_counts_and_last_block_undilated():
    def count(**kwargs):
        return sum(p.numel() for p in LogMelMDFD(128, **kwargs).parameters())

    assert count() == 1_013_982
    assert count(**LogMelMDFD.PUBLISHED) == 16_049_868
    blocks = LogMelMDFD().blocks
    assert list(blocks[0].convolution.slots) == [1, 2, 3]
    assert list(blocks[-1].convolution.slots) == [1]


def test_wrong_number_of_bins():
    with pytest.raises(ValueError, match=r"frames of shape \(n_clips, n_frames, 128\) and got \(.*64\)"):
        LogMelMDFD()(torch.zeros(1, 5, 64))
