"""Whole fits on a device that is not the CPU, as far as can be tried without one (`_pretended_device`).

No tensor stays behind, and the answers are those of the CPU to the bit. Speed, memory, and what a GPU rounds
differently are not seen here.
"""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import EpochScoring

from skbst.features import FeatureBundle
from skbst.neighbors import KNNPriorBlender, top_k_cosine
from skbst.neural import BranchClassifier, KNNDistillationClassifier
from skbst.neural._architecture import HEADS
from skbst.nn import _dropout, _masking
from skbst.persistence import load_model, save_model

CLASSES = np.array(["fx-a", "fx-h", "m-si", "m-sp"])
BLOCKS = {"log-stft": ("log_stft", 33), "log-mel": ("log_mel", 64), "mfcc": ("mfcc", 13)}


@pytest.fixture(autouse=True)
def same_dropout(monkeypatch):
    """The CPU's own masks are drawn otherwise than torch's, which all other devices take."""
    monkeypatch.setattr(_dropout, "_keep_mask", lambda x, p: torch.nn.functional.dropout(torch.ones_like(x), p))


def rows(branch=None, n_rows=16, embeddings=("clap_audio", "clap_text")):
    rng = np.random.default_rng(0)
    y = np.resize(CLASSES, n_rows)
    blocks = {name: rng.normal(size=(n_rows, 8)) + 2 * np.eye(4, 8)[np.arange(n_rows) % 4] for name in embeddings}
    blocks, lengths = {name: block.astype(np.float32) for name, block in blocks.items()}, {}
    if branch is not None:
        name, n_bins = BLOCKS[branch]
        blocks[name] = rng.normal(size=(n_rows, 12, n_bins)).astype(np.float32)
        lengths[name] = rng.integers(5, 13, n_rows)
    return FeatureBundle(blocks, lengths=lengths), y


def small(branch=None, head="baseline", **settings):
    settings = {"size": "small", "recipe": "small", "max_epochs": 3, "random_state": 0, **settings}
    return BranchClassifier(branch, head, **settings)


def devices(model, name):
    return {key: name for key in model.get_params() if key.split("__")[-1] == "device"}


def both(pretended, model, *data):
    """The model fitted on the CPU, and one fitted elsewhere."""
    there = pickle.loads(pickle.dumps(model))
    here = model.set_params(**devices(model, "cpu")).fit(*data)
    with pretended.pretended_device():
        there.set_params(**devices(model, pretended.NAME)).fit(*data)
    return here, there


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("size", ["small", "report"])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("branch", [None, *BLOCKS])
@pytest.mark.filterwarnings("ignore::skbst.exceptions.FewClipsWarning")
def test_every_network_trains_and_answers(branch, head, size, precision, pretended):
    """A step: forward, backward, optimiser; then answers."""
    bundle, y = rows(branch, 8)
    settings = {"size": size, "recipe": size, "precision": precision, "max_epochs": 1, "validation_fraction": None}
    model = BranchClassifier(branch, head, random_state=0, callbacks=[Watch(pretended)], **settings)
    with pretended.pretended_device():
        proba = model.set_params(device=pretended.NAME).fit(bundle, y).predict_proba(bundle)
    assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("branch", [None, *BLOCKS])
def test_answers_are_those_of_the_cpu(branch, pretended):
    bundle, y = rows(branch)
    here, there = both(pretended, small(branch, "lcl"), bundle, y)
    with pretended.pretended_device():
        assert_array_equal(there.predict_proba(bundle), here.predict_proba(bundle))
        assert_array_equal(there.embed(bundle), here.embed(bundle))


class Watch(EpochScoring):
    """Asserts that all a training net holds is elsewhere."""

    def __init__(self, pretended):
        super().__init__("accuracy", on_train=True, name="seen")
        self.pretended = pretended

    def on_epoch_end(self, net, **kwargs):
        super().on_epoch_end(net, **kwargs)
        states = [value for state in net.optimizer_.state.values() for value in state.values()]
        held = [*net.module_.state_dict().values(), *(each for each in states if isinstance(each, torch.Tensor))]
        held += [parameter.grad for parameter in net.module_.parameters() if parameter.grad is not None]
        assert len(held) > 10
        assert all(isinstance(each, self.pretended.Elsewhere) for each in held)


@pytest.mark.parametrize("embeddings", [(), ("clap_text",)], ids=["alone", "late fusion"])
def test_a_branch_that_is_the_only_view_of_the_sound(embeddings, pretended):
    bundle, y = rows("mfcc", 24, embeddings)
    here, there = both(pretended, small("mfcc", validation_fraction=0.3), bundle, y)
    with pretended.pretended_device():
        assert_array_equal(there.predict_proba(bundle), here.predict_proba(bundle))


def test_a_class_prior_and_an_early_stop(pretended):
    bundle, y = rows(n_rows=24)
    bundle = bundle.with_block("prior", np.eye(4)[np.arange(24) % 4])
    here, there = both(pretended, small(max_epochs=6, patience=2), bundle, y)
    assert here.best_epoch_ == there.best_epoch_
    assert_array_equal(there.history_["valid_loss"], here.history_["valid_loss"])
    with pretended.pretended_device():
        assert_array_equal(there.predict_top(bundle), here.predict_top(bundle))
        assert_array_equal(there.predict_proba(bundle), here.predict_proba(bundle))


@pytest.mark.parametrize("composition", [KNNPriorBlender, KNNDistillationClassifier])
def test_neighbours(composition, pretended):
    bundle, y = rows("mfcc", 24)
    here, there = both(pretended, composition(small("mfcc"), k=3), bundle, y)
    with pretended.pretended_device():
        assert_array_equal(there.predict_proba(bundle), here.predict_proba(bundle))


def test_saved_there_and_loaded_here(pretended, tmp_path):
    bundle, y = rows("log-stft")
    here, there = both(pretended, small("log-stft"), bundle, y)
    with pretended.pretended_device():
        there.set_params(device="cpu")  # where it is built again
        data = pickle.dumps(there)
        save_model(there, tmp_path / "model")
    # no device is pretended here: what had been left there could not be read
    for loaded in (pickle.loads(data), load_model(tmp_path / "model")):
        weights = loaded.net_.module_.state_dict().values()
        assert not any(isinstance(each, pretended.Elsewhere) for each in weights)
        assert_array_equal(loaded.predict_proba(bundle), here.predict_proba(bundle))


@pytest.mark.parametrize("n_rows", [60, 20_000])
def test_the_search_for_neighbours_is_the_processors(n_rows):
    """Also where torch makes its tensors elsewhere unless told otherwise, and where it multiplies (20,000 rows)."""
    bank = np.random.default_rng(0).normal(size=(n_rows, 32)).astype(np.float32)
    queries = bank[: min(n_rows, 8000)]
    expected = top_k_cosine(queries, bank, 3)
    before = torch.get_default_device()
    torch.set_default_device("meta")
    try:
        found = top_k_cosine(queries, bank, 3)
    finally:
        torch.set_default_device(before)
    for one, other in zip(found, expected):
        assert_array_equal(one, other)


def test_what_stays_behind_is_seen(pretended, monkeypatch):
    """The device tells, were a tensor made on the CPU or read without being fetched."""
    made = torch.arange
    monkeypatch.setattr(_masking.torch, "arange", lambda *args, device=None: made(*args))
    bundle, y = rows("mfcc")
    with pretended.pretended_device(), pytest.raises(RuntimeError, match="stayed behind on the CPU"):
        small("mfcc", device=pretended.NAME).fit(bundle, y)


def test_what_is_read_without_being_fetched_is_seen(pretended):
    with pretended.pretended_device():
        tensor = torch.ones(3, device=pretended.NAME)
        assert tensor.device == torch.device(pretended.NAME)
        with pytest.raises(TypeError, match="cpu"):
            tensor.numpy()
        with pytest.raises(RuntimeError, match="stayed behind"):
            tensor + torch.ones(3)
        assert (tensor * 2).cpu().tolist() == [2.0, 2.0, 2.0]
