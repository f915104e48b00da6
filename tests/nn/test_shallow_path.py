import torch
from torch.testing import assert_close

from skbst.nn import HATR, BaselineHead, ClipNet, LengthScale, LocalPerLevelHead, ShallowPath


def test_length_is_the_root_of_the_width_and_zero_stays_zero():
    x = torch.randn(5, 16)
    x[2] = 0
    scaled = LengthScale()(x)
    expected = torch.full((5,), 4.0)
    expected[2] = 0
    assert_close(scaled.norm(dim=1), expected)
    assert_close(scaled[0] / scaled[0].norm(), x[0] / x[0].norm())


def make_net(head):
    torch.manual_seed(0)
    path = ShallowPath(14, 3, n_hidden=10, dropout=0.0)
    torch.nn.init.normal_(path.output.weight)
    return ClipNet(HATR(8, 6, width=8, n_blocks=1), head, shallow_path=path).eval()


def test_at_first_the_path_speaks_alone():
    net = make_net(BaselineHead(4, 3))
    audio, text = torch.randn(4, 8), torch.randn(4, 6)
    x = torch.cat([audio * 8**0.5 / audio.norm(dim=1, keepdim=True), text * 6**0.5 / text.norm(dim=1, keepdim=True)], 1)
    path = net.shallow_path
    hidden = (x @ path.hidden.weight.T + path.hidden.bias).clamp(min=0)
    assert_close(net(audio, text), hidden @ path.output.weight.T + path.output.bias)


def test_the_gate_lets_the_head_in():
    net = make_net(LocalPerLevelHead(4, [0, 0, 1]))
    audio, text = torch.randn(4, 8), torch.randn(4, 6)
    shallow, _ = net(audio, text)
    torch.nn.init.constant_(net.depth_gate, 0.3)
    leaf, top = net(audio, text)
    head_leaf, head_top = net.head(net.embed(audio, text))
    assert_close(leaf - shallow, 0.3 * head_leaf)
    assert_close(top, head_top)


def test_one_modality_and_gradients_from_the_second_step_on():
    net = ClipNet(HATR(None, 6, width=8, input_norm="length"), BaselineHead(4, 3), shallow_path=ShallowPath(6, 3))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    text, target = torch.randn(16, 6), torch.arange(16) % 3
    for _ in range(2):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(None, text), target).backward()
        optimizer.step()
    assert all(p.grad.abs().sum() > 0 for p in net.shallow_path.parameters())
    assert net.depth_gate.grad != 0
    assert all(p.grad.abs().sum() > 0 for p in net.head.parameters())


def test_batch_norm_makes_any_scale_the_same():
    torch.manual_seed(0)
    path = ShallowPath(14, 3, dropout=0.0, input_norm="batch")
    torch.nn.init.normal_(path.output.weight)
    audio, text = torch.randn(40, 8), torch.randn(40, 6)
    expected = path(audio, text)
    assert_close(path(1000 * audio + 7, text - 3), expected, rtol=1e-3, atol=1e-3)


def test_batch_norm_takes_features_of_any_scale():
    torch.manual_seed(0)
    path = ShallowPath(6, 3, dropout=0.0, input_norm="batch")
    torch.nn.init.normal_(path.output.weight)
    x = torch.randn(32, 6)
    assert_close(path(100 * x + 5), path(x), atol=1e-4, rtol=1e-4)
