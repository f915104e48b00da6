"""No tensor stays behind on another device, as far as that can be seen without a GPU.

On torch's meta device tensors have shapes and no values, and one that lives on the CPU among them is an error.
"""

import pytest
import torch

from skbst.neural._architecture import HEADS, build_module, parents_tensor
from skbst.neural._training._objective import Objective


def description(head, size):
    return {
        **{"branch": None, "head": head, "size": size, "n_audio": 12, "n_text": 9, "n_bins": 13},
        **{"parent_of_leaf": [0, 0, 1, 1, 1], "n_tops": 2, "n_prior": 5, "adapter": True, "dropout": 0.1},
        **{"input_norm": "length", "linear_prior": True, "branch_logits": False},
    }


def batch(device):
    inputs = {"audio": torch.ones(6, 12), "text": torch.ones(6, 9), "class_prior": torch.ones(6, 5) / 5}
    target = {"target": torch.zeros(6, dtype=torch.int64), "weight": torch.ones(6), "soft_target": torch.ones(6, 5) / 5}
    return tuple({name: value.to(device) for name, value in part.items()} for part in (inputs, target))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("size", ["small", "report"])
@pytest.mark.parametrize("head", HEADS)
def test_a_step_of_training_stays_on_its_device(head, size, precision):
    net = build_module(description(head, size)).to("meta")
    objective = Objective(
        head,
        parents_tensor(description(head, size)),
        **{"label_smoothing": 0.05, "top_loss_weight": 1.0, "distillation_weight": 1.0},
    ).to("meta")
    inputs, target = batch("meta")
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    class_prior = inputs.pop("class_prior")
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
        latent, output = net.embed_forward(**inputs)
        loss = objective(output, target) + objective(net.told(latent, output, class_prior), target)
    loss.backward()
    optimizer.step()
    assert loss.device.type == "meta"
    assert {p.grad.device.type for p in net.parameters() if p.grad is not None} == {"meta"}
    assert {value.device.type for value in net.state_dict().values()} == {"meta"}


def test_a_tensor_that_stays_behind_is_seen():
    net = build_module(description("gc", "small")).to("meta")
    inputs, _ = batch("meta")
    with pytest.raises(RuntimeError, match="device"):
        net(**{**inputs, "text": torch.ones(6, 9)})
