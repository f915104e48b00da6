import copy
import pickle

import numpy as np
import torch
from skorch.callbacks import GradientNormClipping
from torch import nn
from torch.testing import assert_close

from skbst.neural._training._adamw_in_backward import AdamWInBackward
from tests.neural.conftest import make_network


class Tied(nn.Module):
    """One large weight that two layers share, and small ones."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(160, 160)
        self.outer = nn.Linear(160, 3)

    def forward(self, x):
        return self.outer(self.inner(torch.relu(self.inner(x))))


def train(optimizer_class, n_steps=5):
    torch.manual_seed(0)
    net = Tied()
    optimizer = optimizer_class(net.parameters(), lr=1e-2, weight_decay=0.1, fused=True)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    for _ in range(n_steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(torch.randn(8, 160)), torch.arange(8) % 3).backward()
        optimizer.step()
        schedule.step()
    return net, optimizer


def test_same_bits_as_adamw():
    net, optimizer = train(AdamWInBackward)
    plain, plain_optimizer = train(torch.optim.AdamW)
    for ours, theirs in zip(net.parameters(), plain.parameters()):
        assert torch.equal(ours, theirs)
    ours, theirs = optimizer.state_dict()["state"], plain_optimizer.state_dict()["state"]
    assert ours.keys() == theirs.keys()
    for i, state in theirs.items():
        for name, value in state.items():
            assert torch.equal(ours[i][name], value)


def test_state_can_be_taken_over():
    net, optimizer = train(AdamWInBackward)
    again = copy.deepcopy(net)
    other = AdamWInBackward(again.parameters(), lr=1.0)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    x = torch.randn(8, 160)
    for module, step in ((net, optimizer), (again, other)):
        step.zero_grad()
        module(x).square().sum().backward()
        step.step()
    assert_close(list(again.parameters()), list(net.parameters()), rtol=0, atol=0)


def test_closed_it_leaves_gradients_alone():
    net, optimizer = train(AdamWInBackward)
    optimizer.close()
    net(torch.randn(8, 160)).square().sum().backward()
    assert net.inner.weight.grad.abs().sum() > 0


def test_a_fitted_network_can_be_trained_on(clips):
    model = make_network(max_epochs=1, validation_fraction=None, random_state=0).fit(*clips)
    for fitted in (model, pickle.loads(pickle.dumps(model))):
        net = fitted.net_.module_
        net(audio=torch.ones(4, 12), text=torch.ones(4, 8)).square().sum().backward()
        assert all(parameter.grad is not None for parameter in net.parameters() if parameter.requires_grad)


def test_callbacks_that_clip_gradients_see_them(clips):
    settings = {"max_epochs": 2, "validation_fraction": None, "random_state": 0}
    callbacks = [None, [GradientNormClipping(1e9)], [GradientNormClipping(1e-9)]]
    free, loose, tight = (make_network(callbacks=items, **settings).fit(*clips) for items in callbacks)
    X = clips[0]
    assert isinstance(free.net_.optimizer_, AdamWInBackward)
    assert not isinstance(loose.net_.optimizer_, AdamWInBackward)
    np.testing.assert_array_equal(free.predict_proba(X), loose.predict_proba(X))
    assert abs(tight.predict_proba(X) - loose.predict_proba(X)).max() > 1e-3
