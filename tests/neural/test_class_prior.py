"""The slot for what is known of a clip's class before it is heard."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback

from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier, KNNDistillationClassifier
from skbst.neural._architecture import build_module
from skbst.nn import ClipNet
from skbst.persistence import load_model, save_model
from tests.neural.conftest import CLASSES, make_bundle

TRAIN, TEST = np.arange(200), np.arange(200, 300)


def small(*args, **settings):
    return BranchClassifier(*args, **{"size": "small", "recipe": "small", "random_state": 0, **settings})


def one_hot(y):
    return np.eye(5, dtype=np.float32)[np.searchsorted(CLASSES, y)]


@pytest.fixture(scope="module")
def hard():
    """Clips that are heard badly: without a prior some six of ten are right."""
    X, y = make_bundle(300, spread=2.5)
    return X.select(["clap_audio", "clap_text"]), y


@pytest.fixture(scope="module")
def trained(hard):
    X, y = hard
    known = X.with_block("prior", one_hot(y))
    models = {}
    for recipe in ("small", "report"):
        without = small(recipe=recipe).fit(X[TRAIN], y[TRAIN])
        models[recipe] = without, clone(without).fit(known[TRAIN], y[TRAIN])
    return models


class FirstLoss(Callback):
    """Keep the loss of the first batch, before anything has learnt."""

    def on_train_begin(self, net, **kwargs):
        self.loss = None

    def on_batch_end(self, net, loss, training, **kwargs):
        if training and self.loss is None:
            self.loss = loss.item()


@pytest.mark.parametrize("recipe", ["small", "report"])
@pytest.mark.parametrize(("branch", "head"), [(None, "baseline"), (None, "gc"), (None, "lcl"), ("mfcc", "flat")])
def test_an_empty_prior_is_no_prior_to_the_bit(clips, branch, head, recipe):
    X, y = clips
    empty = X.with_block("prior", np.zeros((150, 5), dtype=np.float32))
    without = small(branch, head, recipe=recipe, max_epochs=3).fit(X, y)
    with_it = small(branch, head, recipe=recipe, max_epochs=3).fit(empty, y)
    assert with_it.net_.module_.class_prior is not None
    np.testing.assert_array_equal(with_it.predict_proba(empty), without.predict_proba(X))
    np.testing.assert_array_equal(with_it.embed(empty), without.embed(X))
    for curve in ("train_loss", "valid_loss", "valid_acc"):
        np.testing.assert_array_equal(with_it.history_[curve], without.history_[curve])


@pytest.mark.parametrize("recipe", ["small", "report"])
def test_first_weights_order_and_dropout_are_those_without(clips, recipe):
    X, y = clips
    losses = []
    for bundle in (X, X.with_block("prior", one_hot(y))):
        first = FirstLoss()
        model = small("mfcc", recipe=recipe, max_epochs=1, batch_size=32, callbacks=[first]).fit(bundle, y)
        losses.append(first.loss)
    assert losses[0] == losses[1]
    states = []
    for n_prior in (None, 5):
        torch.manual_seed(3)
        states.append(build_module({**model._architecture, "n_prior": n_prior}).state_dict())
        states[-1]["next draw"] = torch.rand(1)
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert set(states[1]) - set(states[0]) == {name for name in states[1] if name.startswith("class_prior.")}
    assert not states[1]["class_prior.embedding"].any()


@pytest.mark.parametrize("recipe", ["small", "report"])
def test_an_oracle_is_believed_and_rows_without_a_prior_do_not_suffer(hard, trained, recipe):
    X, y = hard
    without, with_it = trained[recipe]
    assert without.score(X[TEST], y[TEST]) < 0.7
    # the report's recipe knows 200 clips by heart before it stops, and then is told little by a prior
    least = {"small": 0.97, "report": 0.9}[recipe]
    assert with_it.score(X.with_block("prior", one_hot(y))[TEST], y[TEST]) >= least
    # the same network to the bit: it was trained, and its epoch chosen, as if there were no prior
    nothing = X.with_block("prior", np.zeros((300, 5), dtype=np.float32))
    np.testing.assert_array_equal(with_it.predict_proba(nothing), without.predict_proba(X))
    for curve in ("train_loss", "valid_loss", "valid_acc"):
        np.testing.assert_array_equal(with_it.history_[curve], without.history_[curve])


def test_chance_is_not_learnt_by_heart(hard):
    """The embedding of a prior that knows nothing stays small; it is three times as long where its square costs nothing."""
    X, y = hard
    chance = one_hot(np.random.default_rng(0).choice(CLASSES, 300))
    model = small().fit(X.with_block("prior", chance)[TRAIN], y[TRAIN])
    assert 0 < model.net_.module_.class_prior.embedding.norm() < 0.04


@pytest.mark.parametrize("head", ["flat", "gc", "lcl"])
def test_an_oracle_is_believed_by_every_head(hard, head):
    X, y = hard
    known = X.with_block("prior", one_hot(y))
    model = small(head=head).fit(known[TRAIN], y[TRAIN])
    assert model.score(known[TEST], y[TEST]) == 1.0
    assert (model.predict_top(known[TEST]) == [code[: code.index("-")] for code in y[TEST]]).all()


def test_columns_need_not_be_those_of_the_classes(hard):
    """A prior over all 23 classes, in any order, serves labels of five."""
    X, y = hard
    wide = np.zeros((300, 23), dtype=np.float16)
    wide[np.arange(300), 20 - 3 * np.searchsorted(CLASSES, y)] = 1
    known = X.with_block("prior", wide)
    assert small().fit(known[TRAIN], y[TRAIN]).score(known[TEST], y[TEST]) == 1.0


def test_a_prior_that_knows_nothing_is_not_believed(hard):
    """What it costs is measured on thousands of clips (guide); of 200 some chances can be learnt by heart."""
    X, y = hard
    draws = np.random.default_rng(0).integers(0, 5, size=300)
    random = X.with_block("prior", np.eye(5, dtype=np.float32)[draws])
    model = small(max_epochs=20).fit(random[TRAIN], y[TRAIN])
    chosen = model.predict(random[TEST]) == CLASSES[draws[TEST]]
    assert chosen.mean() < 0.4
    assert model.score(random[TEST], y[TEST]) > 0.45


def test_the_linear_prior_makes_no_model_of_it(clips):
    X, y = clips
    known = X.with_block("prior", one_hot(y))
    priors = [small(max_epochs=1).fit(bundle, y).net_.module_.prior for bundle in (X, known)]
    assert set(priors[1].models) == {"audio", "text"}
    for one, other in zip(*(prior.parameters() for prior in priors), strict=True):
        assert torch.equal(one, other)


def test_it_is_found_by_name_named_or_left_out(hard):
    X, y = hard
    known = X.with_block("prior", one_hot(y)).with_block("llm", one_hot(np.random.default_rng(0).permutation(y)))
    answers = {}
    for name in ("auto", "llm", None):
        model = small(max_epochs=5, blocks={"prior": name}).fit(known, y)
        answers[name] = model.predict_proba(known)
        assert (model.net_.module_.class_prior is None) == (name is None)
    assert (answers["auto"] != answers["llm"]).any()
    np.testing.assert_array_equal(answers[None], small(max_epochs=5).fit(X, y).predict_proba(X))
    np.testing.assert_array_equal(answers["auto"], small(max_epochs=5).fit(known, y).predict_proba(known))


def test_its_share_is_told_by_rows_that_it_has_not_seen(hard):
    """Chance that was learnt by heart is no help on rows held back from it; what is right is."""
    X, y = hard
    sizes = []
    for prior in (one_hot(y), one_hot(np.random.default_rng(0).choice(CLASSES, 300))):
        module = small().fit(X.with_block("prior", prior)[TRAIN], y[TRAIN]).net_.module_.class_prior
        sizes.append(float(module.classifier.weight.detach().norm()))
    assert sizes[1] < 0.2 * sizes[0]


def test_the_latent_vector_of_a_row_does_not_speak_for_its_prior(hard, monkeypatch):
    """It knows the row by heart: for uploaders that were never seen a zero-shot prior lost 1.1 points by it (guide)."""
    X, y = hard
    latents, beside = [], []
    embed_forward, told = ClipNet.embed_forward, ClipNet.told

    def keep(self, *args, **kwargs):
        latent, output = embed_forward(self, *args, **kwargs)
        latents.append(latent.detach())
        return latent, output

    def compare(self, latent, output, class_prior):
        if self.training:
            beside.append(bool((latent == latents[-1]).all(dim=1).any()))
            assert torch.equal(latent.sort(dim=0).values, latents[-1].sort(dim=0).values)
        return told(self, latent, output, class_prior)

    monkeypatch.setattr(ClipNet, "embed_forward", keep)
    monkeypatch.setattr(ClipNet, "told", compare)
    small(max_epochs=1).fit(X.with_block("prior", one_hot(y))[TRAIN], y[TRAIN])
    assert beside
    assert not any(beside)


def test_a_bundle_without_the_block_says_nothing(hard, trained):
    X, _ = hard
    _, model = trained["small"]
    with pytest.warns(UserWarning, match="has no block 'prior', with which the network was trained"):
        answers = model.predict_proba(X)
    np.testing.assert_array_equal(
        answers, model.predict_proba(X.with_block("prior", np.zeros((300, 5), dtype=np.float32)))
    )
    with pytest.raises(DataFormatError, match=r"The prior block has rows of shape \(4,\); fitted on \(5,\)"):
        model.predict(X.with_block("prior", np.full((300, 4), 0.25)))


def test_what_is_no_prior_is_refused(clips):
    X, y = clips
    prior = one_hot(y)
    for row, value, total in ((3, 0.5, 1.5), (7, -0.25, 0.75)):
        broken = prior.copy()
        broken[row, (broken[row].argmax() + 1) % 5] = value
        with pytest.raises(DataFormatError, match=rf"1 of 150 are neither \(first: row {row}, of sum {total}\)"):
            small().fit(X.with_block("prior", broken), y)
    with pytest.raises(DataFormatError, match="No embedding to learn from"):
        small().fit(FeatureBundle({"prior": prior}), y)
    with pytest.raises(DataFormatError, match="'prior' has NaN"):
        small().fit(X.with_block("prior", np.full((150, 5), np.nan)), y)
    rounded = (np.full((150, 5), 0.2) + 1e-4).astype(np.float16)
    small(max_epochs=1).fit(X.with_block("prior", rounded), y)


def test_rows_that_differ_in_their_prior_alone_are_one_with_the_mean(clips):
    X, y = clips
    twice = np.r_[np.arange(150), 0]
    prior = np.zeros((151, 5), dtype=np.float32)
    prior[0, 2] = prior[150, 1] = 1
    seen = {}

    class Rows(Callback):
        def on_epoch_begin(self, net, dataset_train, **kwargs):
            seen["set"] = dataset_train

    model = small(max_epochs=1, callbacks=[Rows()])
    model.fit(X[twice].with_block("prior", prior), y[twice], sample_weight=np.r_[np.ones(150), 3.0])
    rows = seen["set"].rows.tolist()
    assert len(rows) == 150
    np.testing.assert_allclose(seen["set"].class_prior[rows.index(0)], [0, 0.75, 0.25, 0, 0])


def test_it_is_saved_and_loaded(hard, trained, tmp_path):
    X, y = hard
    known = X.with_block("prior", one_hot(y))
    _, model = trained["report"]
    for again in (pickle.loads(pickle.dumps(model)), load_model(save_model(model, tmp_path / "model"))):
        np.testing.assert_array_equal(again.predict_proba(known), model.predict_proba(known))
        with pytest.warns(UserWarning, match="has no block 'prior'"):
            again.predict(X)


def test_a_network_saved_before_there_were_priors_loads(clips):
    X, y = clips
    model = small(max_epochs=1).fit(X, y)
    state = model.__getstate__()
    state["_architecture"] = {k: v for k, v in state["_architecture"].items() if k != "n_prior"}
    state["_blocks"] = {k: v for k, v in state["_blocks"].items() if k != "prior"}
    old = BranchClassifier()
    old.__setstate__(state)
    np.testing.assert_array_equal(old.predict_proba(X), model.predict_proba(X))
    known = X.with_block("prior", one_hot(y))  # of no concern to it
    np.testing.assert_array_equal(old.predict_proba(known), model.predict_proba(X))


def test_blender_and_distillation_around_it(hard):
    X, y = hard
    known = X.with_block("prior", one_hot(y))
    network = small(max_epochs=25)
    for around in (KNNPriorBlender(network, alpha=0.2, k=5), KNNDistillationClassifier(network, k=5)):
        assert around.fit(known[TRAIN], y[TRAIN]).score(known[TEST], y[TEST]) > 0.97


def test_patched_clips_mix_their_priors_with_their_targets(clips):
    X, y = clips
    patched = {"crop_and_patch": {"beta": 1.0}}
    seen = []

    class Batches(Callback):
        def on_batch_begin(self, net, batch, training, **kwargs):
            inputs, target = net.augment(*batch)
            seen.append((inputs["class_prior"], target["target"]))

    settings = {"max_epochs": 1, "augmentation": patched, "validation_fraction": None}
    model = small("mfcc", recipe="report", callbacks=[Batches()], **settings)
    model.fit(X.with_block("prior", one_hot(y)), y)
    for prior, target in seen:
        torch.testing.assert_close(prior, target)
    assert any(((prior > 0) & (prior < 1)).any() for prior, _ in seen)
