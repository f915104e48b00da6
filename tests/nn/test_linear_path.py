import torch
from torch.testing import assert_close

from skbst.nn import HATR, BaselineHead, ClipNet, LengthScale, LinearPath, LocalPerLevelHead


def test_length_is_the_root_of_the_width_and_zero_stays_zero():
    x = torch.randn(5, 16)
    x[2] = 0
    scaled = LengthScale()(x)
    expected = torch.full((5,), 4.0)
    expected[2] = 0
    assert_close(scaled.norm(dim=1), expected)
    assert_close(scaled[0] / scaled[0].norm(), x[0] / x[0].norm())


def test_at_first_the_head_speaks_alone():
    torch.manual_seed(0)
    trunk, head = HATR(8, 6, width=8, n_blocks=1), BaselineHead(4, 3)
    plain = ClipNet(trunk, head).eval()
    both = ClipNet(trunk, head, linear_path=LinearPath(14, 3)).eval()
    audio, text = torch.randn(4, 8), torch.randn(4, 6)
    assert torch.equal(both(audio, text), plain(audio, text))


def test_logits_are_the_sum_of_head_and_line():
    torch.manual_seed(0)
    path = LinearPath(14, 3, dropout=0.0)
    torch.nn.init.normal_(path.linear.weight)
    net = ClipNet(HATR(8, 6, width=8, n_blocks=1), LocalPerLevelHead(4, [0, 0, 1]), linear_path=path).eval()
    audio, text = torch.randn(4, 8), torch.randn(4, 6)
    leaf, top = net(audio, text)
    head_leaf, head_top = net.head(net.embed(audio, text))
    x = torch.cat([audio * 8**0.5 / audio.norm(dim=1, keepdim=True), text * 6**0.5 / text.norm(dim=1, keepdim=True)], 1)
    assert_close(leaf - head_leaf, x @ path.linear.weight.T + path.linear.bias)
    assert_close(top, head_top)


def test_one_modality_and_gradients():
    net = ClipNet(HATR(None, 6, width=8, input_norm="length"), BaselineHead(4, 3), linear_path=LinearPath(6, 3))
    net(None, torch.randn(4, 6)).square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())
    assert net.linear_path.linear.weight.grad.abs().sum() > 0


def test_batch_norm_makes_any_scale_the_same():
    torch.manual_seed(0)
    path = LinearPath(14, 3, dropout=0.0, input_norm="batch")
    torch.nn.init.normal_(path.linear.weight)
    audio, text = torch.randn(40, 8), torch.randn(40, 6)
    expected = path(audio, text)
    assert_close(path(1000 * audio + 7, text - 3), expected, rtol=1e-3, atol=1e-3)


def test_batch_norm_takes_features_of_any_scale():
    torch.manual_seed(0)
    path = LinearPath(6, 3, dropout=0.0, input_norm="batch")
    torch.nn.init.normal_(path.linear.weight)
    x = torch.randn(32, 6)
    assert_close(path(100 * x + 5), path(x), atol=1e-4, rtol=1e-4)
