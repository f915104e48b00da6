"""What a branch needs to be heard: it is held while the fusion learns to listen to it, and has steps enough."""

import numpy as np
import torch
from skorch.callbacks import Callback

from skbst.neural import BranchClassifier, Recipe
from skbst.neural._architecture import build_module
from tests.neural.conftest import make_network


class Watch(Callback):
    """Keeps branch and fusion as they are after each step."""

    def on_train_begin(self, net, **kwargs):
        self.steps_ = []
        self._look(net)

    def on_batch_end(self, net, training, **kwargs):
        if training:
            self._look(net)

    def _look(self, net):
        branch, fusion = net.module_.branch, net.module_.fusion
        parameters = [parameter.detach().flatten() for parameter in branch.parameters()]
        self.steps_.append((torch.cat(parameters).clone(), fusion.projection.weight.detach().clone()))

    @property
    def changed(self):
        """Whether branch and fusion changed in each step."""
        pairs = zip(self.steps_, self.steps_[1:])
        return np.array([[not torch.equal(now, then) for now, then in zip(*pair)] for pair in pairs])


def steps(clips, *, linear_prior=False, branch_logits=False, **settings):
    X, y = clips
    watch = Watch()
    recipe = Recipe(linear_prior=linear_prior, branch_logits=branch_logits, validation_fraction=None)
    settings = {"size": "small", "recipe": recipe, "batch_size": 15, "random_state": 0, **settings}
    model = BranchClassifier("log-stft", callbacks=[watch], **settings).fit(X, y)
    assert all(parameter.requires_grad for parameter in model.net_.module_.branch.parameters())
    return watch.changed


def test_first_the_fusion_learns_alone(clips):
    branch, fusion = steps(clips, max_epochs=60).T  # of ten steps each
    assert not branch[:100].any()
    assert branch[100:].all()
    assert fusion[1:].all()


def test_a_short_fit_trains_the_branch_in_most_of_its_steps(clips):
    branch, _ = steps(clips, max_epochs=2).T
    assert not branch[:4].any()
    assert branch[4:].all()


def test_logits_of_its_own_correct_a_branch_from_the_start(clips):
    branch, _ = steps(clips, max_epochs=2, linear_prior=True, branch_logits=True).T
    assert branch[1:].all()  # these logits are zero at first, so that the first step is theirs


def test_steps_without_frames_do_not_count(clips):
    X, y = clips
    watch = Watch()
    model = make_network(
        "log-stft", size="small", branch_start=2, max_epochs=4, batch_size=15, validation_fraction=None, random_state=0
    ).set_params(callbacks=[watch])
    model.fit(X, y)
    branch, _ = watch.changed.T
    assert not branch[:24].any()  # 20 without frames and a fifth of the other 20
    assert branch[24:].all()


def test_a_late_branch_has_steps_enough_on_few_clips(clips):
    X, y = clips  # 150 rows, ten steps an epoch

    def epochs(n_rows, branch="mfcc", **settings):
        recipe = Recipe(branch_start=3, max_epochs=8, validation_fraction=None)
        model = BranchClassifier(branch, size="small", recipe=recipe, random_state=0, **settings)
        return model.fit(X[:n_rows], y[:n_rows]).n_iter_

    assert epochs(150) == 3 + 16
    assert epochs(75) == 3 + 32
    assert epochs(150, batch_size=4) == 8
    assert epochs(150, max_epochs=6) == 6
    assert epochs(150, branch=None) == 8


def test_a_network_saved_before_keeps_its_layer_norm(clips):
    X, y = clips
    architecture = BranchClassifier("mfcc", size="small", max_epochs=1, random_state=0).fit(X, y)._architecture
    before = {name: value for name, value in architecture.items() if name != "branch_norm"}
    assert isinstance(build_module(before).fusion.branch_norm, torch.nn.LayerNorm)
    assert isinstance(build_module(architecture).fusion.branch_norm, torch.nn.BatchNorm1d)
