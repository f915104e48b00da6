import pytest
import torch
from torch import nn

from skbst.nn import GatedResidualFusion, HighwayGateAdapter


@pytest.fixture(params=["fusion", "adapter"])
def module_and_inputs(request):
    torch.manual_seed(0)
    t = nn.functional.normalize(torch.randn(16, 12), dim=1)
    if request.param == "fusion":
        return GatedResidualFusion(12, 5), (t, torch.randn(16, 5))
    return HighwayGateAdapter(12, dropout=0.0), (t,)


@pytest.mark.parametrize("training", [True, False])
def test_identity_at_the_initial_setting(module_and_inputs, training):
    module, inputs = module_and_inputs
    assert torch.equal(module.train(training)(*inputs), inputs[0])


def test_gate_starts_nearly_closed(module_and_inputs):
    module, _ = module_and_inputs
    torch.testing.assert_close(module.gate.bias.data, torch.full((12,), -2.0))


def test_gradient_reaches_every_parameter_once_the_residual_has_moved(module_and_inputs):
    module, inputs = module_and_inputs
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3)
    target = torch.randn(16, 12)
    for step in range(2):
        optimizer.zero_grad()
        ((module(*inputs) - target) ** 2).sum().backward()
        without = {name for name, p in module.named_parameters() if p.grad is None or not p.grad.any()}
        optimizer.step()
        if step == 0:
            assert "projection.weight" not in without
            assert "outer.weight" not in without
    assert without == set()


@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e3])
def test_residual_follows_the_scale_of_the_embedding(scale):
    torch.manual_seed(0)
    fusion, z, branch = GatedResidualFusion(12, 5), torch.randn(64, 12), torch.randn(64, 5)
    nn.init.normal_(fusion.projection.weight)
    fused = fusion(z * scale, branch) / scale
    torch.testing.assert_close(fused, fusion(z, branch), rtol=1e-2, atol=1e-2)
    assert not torch.allclose(fused, z, atol=1e-1)


@pytest.mark.parametrize("branch_norm", ["batch", "layer"])
def test_fusion_against_its_equation(branch_norm):
    torch.manual_seed(0)
    fusion, z, branch = GatedResidualFusion(4, 3, branch_norm=branch_norm), torch.randn(6, 4), torch.randn(6, 3)
    nn.init.normal_(fusion.projection.weight)
    if branch_norm == "batch":
        for _ in range(200):  # until the running statistics are those of these rows
            fusion(z, branch)
        b = (branch - branch.mean(dim=0)) / branch.std(dim=0)
    else:
        b = nn.functional.layer_norm(branch, (3,))
    fusion.eval().embedding_scale.reset_running_stats()  # 0 and 1: the scale is 1
    gate = torch.sigmoid(torch.cat([z, b], 1) @ fusion.gate.weight.T + fusion.gate.bias)
    torch.testing.assert_close(fusion(z, branch), z + gate * (b @ fusion.projection.weight.T), rtol=1e-4, atol=1e-4)


def test_what_tells_clips_apart_counts_however_little_it_is_beside_what_they_share():
    torch.manual_seed(0)
    fusion, z, apart = GatedResidualFusion(12, 5), torch.randn(64, 12), torch.randn(64, 5)
    nn.init.normal_(fusion.projection.weight)
    near = 3 + 0.005 * apart
    torch.testing.assert_close(fusion(z, near), fusion(z, apart), rtol=1e-2, atol=1e-2)
    layer = GatedResidualFusion(12, 5, branch_norm="layer")
    layer.load_state_dict({**layer.state_dict(), **fusion.state_dict()}, strict=False)
    assert not torch.allclose(layer(z, near), layer(z, apart), atol=0.5)


def test_adapter_against_its_equation():
    torch.manual_seed(0)
    adapter, t = HighwayGateAdapter(4, n_hidden=3).eval(), torch.randn(6, 4)
    nn.init.normal_(adapter.outer.weight)
    delta = nn.functional.gelu(t @ adapter.inner.weight.T + adapter.inner.bias) @ adapter.outer.weight.T
    gate = torch.sigmoid(t @ adapter.gate.weight.T + adapter.gate.bias)
    torch.testing.assert_close(adapter(t), t + gate * delta, rtol=1e-4, atol=1e-4)


def test_eval_rows_do_not_see_each_other(module_and_inputs):
    module, inputs = module_and_inputs
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    module(*inputs)
    module.eval()
    alone = torch.cat([module(*(x[i : i + 1] for x in inputs)) for i in range(16)])
    torch.testing.assert_close(alone, module(*inputs), rtol=1e-5, atol=1e-5)


def test_parameter_counts():
    def count(module):
        return sum(p.numel() for p in module.parameters())

    assert count(GatedResidualFusion(512, 256)) == (768 * 512 + 512) + 256 * 512
    assert count(HighwayGateAdapter(512)) == (512 * 256 + 256) + 256 * 512 + (512 * 512 + 512)
