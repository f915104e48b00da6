import torch
from torch import nn

from skbst.nn import Dropout, FramePacking, MFCCResidualTDNN


def test_unpack_inverts_pack():
    x = torch.randn(3, 5, 2)
    packing = FramePacking(torch.tensor([2, 5, 1]), 3, 5)
    rows = packing.pack(x)
    assert torch.equal(rows, torch.cat([x[0, :2], x[1], x[2, :1]]))
    padded = packing.unpack(rows)
    assert torch.equal(packing.pack(padded), rows)
    assert padded.count_nonzero() == rows.numel()


def test_full_clips_are_only_viewed():
    x = torch.randn(3, 5, 2)
    for lengths in (None, torch.tensor([5, 5, 5])):
        packing = FramePacking(lengths, 3, 5)
        assert packing.pack(x).data_ptr() == x.data_ptr()
        assert packing.unpack(packing.pack(x)).data_ptr() == x.data_ptr()


def test_neighbours_stay_inside_the_clip():
    packing = FramePacking(torch.tensor([2, 3]), 2, 3)
    expected = [[5, 0, 1], [0, 1, 5], [5, 2, 3], [2, 3, 4], [3, 4, 5]]
    assert packing.neighbours((-1, 0, 1), "cpu").tolist() == expected
    full = FramePacking(None, 2, 2).neighbours((0, 2), "cpu")
    assert full.tolist() == [[0, 4], [1, 4], [2, 4], [3, 4]]


def test_time_delay_layer_is_a_dilated_convolution_and_a_batch_norm():
    torch.manual_seed(0)
    branch = MFCCResidualTDNN(6, n_channels=8, dilations=(1, 3), dropout=0.0).double()
    x = torch.randn(4, 20, 6, dtype=torch.float64)
    layers = [(branch.stem, 1, 5), (branch.blocks[0], 1, 3), (branch.blocks[1], 3, 3), (branch.aggregation, 1, 1)]
    h = x.transpose(1, 2)
    for i, (layer, dilation, size) in enumerate(layers):
        weight = layer.linear.weight.unflatten(1, (size, -1)).transpose(1, 2)
        y = nn.functional.conv1d(h, weight, padding=dilation * (size // 2), dilation=dilation)
        y = torch.relu((y - y.mean((0, 2), keepdim=True)) / (y.var((0, 2), correction=0, keepdim=True) + 1e-5).sqrt())
        h = h + y if i in (1, 2) else y
    torch.testing.assert_close(branch(x), torch.cat([h.mean(2), h.amax(2)], 1))


def test_batch_statistics_are_those_of_the_valid_frames():
    torch.manual_seed(0)
    branch = MFCCResidualTDNN(6, n_channels=8, dilations=())
    x, lengths = torch.randn(2, 9, 6), torch.tensor([9, 4])
    branch(x, lengths)
    h = nn.functional.pad(torch.cat([x[0], torch.zeros(2, 6), x[1, :4], torch.zeros(2, 6)]), (0, 0, 2, 0))
    windows = h.unfold(0, 5, 1).transpose(1, 2).flatten(1) @ branch.stem.linear.weight.T
    valid = torch.cat([windows[:9], windows[11:15]])
    torch.testing.assert_close(branch.stem.norm.running_mean, 0.1 * valid.mean(0))


def test_parameter_count():
    n = sum(p.numel() for p in MFCCResidualTDNN().parameters())
    assert n == 5 * 13 * 128 + 4 * 3 * 128 * 128 + 128 * 128 + 6 * 2 * 128 == 222848


def test_dropout_rate_scale_gradient_and_identity():
    torch.manual_seed(0)
    x = torch.ones(300, 401, requires_grad=True)
    for p in (0.0, 0.1, 0.5, 0.93):
        y = Dropout(p)(x)
        assert abs((y == 0).float().mean() - p) < 5e-3
        assert abs(y.mean() - 1) < 2e-2
        y.sum().backward()
        torch.testing.assert_close(x.grad, y)
        x.grad = None
    assert Dropout(0.5).eval()(x) is x


def test_dropout_masks_have_no_pattern():
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(4000, 64)) > 0).float()
    correlation = torch.corrcoef(kept.T) - torch.eye(64)
    assert correlation.abs().max() < 0.08
