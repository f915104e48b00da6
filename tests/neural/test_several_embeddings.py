"""Networks that read more than one embedding of sounds or of texts."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle
from skbst.neural import BranchClassifier, KNNDistillationClassifier
from skbst.neural._training._augmentation import make_augmentation

WIDTHS = {"clap_audio": 8, "ast_audio": 5, "audio_3": 6, "text": 7, "title_text": 4}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=120)
    blocks = {name: rng.normal(size=(120, n)) + np.eye(3, n)[y] for name, n in WIDTHS.items()}
    return FeatureBundle({name: block.astype(np.float32) for name, block in blocks.items()}), y


def small(**settings):
    settings = {"size": "small", "recipe": "small", "max_epochs": 3, "random_state": 0, **settings}
    return BranchClassifier(**settings)


def test_all_that_have_the_word_are_found(data):
    X, y = data
    model = small().fit(X.with_block("mood", np.zeros((120, 2))), y)
    roles = {
        "audio": "clap_audio",
        "audio_2": "ast_audio",
        "audio_3": "audio_3",
        "text": "text",
        "text_2": "title_text",
    }
    assert model._blocks == {**roles, "frames": None, "prior": None}
    trunk, prior = model.net_.module_.trunk, model.net_.module_.prior
    assert trunk.fusion.attention[0].in_features == 5 * 64
    assert set(prior.models) == set(roles)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), model.predict_proba(X))


def test_those_that_are_named_in_their_order(data):
    X, y = data
    model = small(blocks={"audio": ["audio_3", "clap_audio"], "text": None}).fit(X, y)
    assert model._blocks == {"audio": "audio_3", "audio_2": "clap_audio", "text": None, "frames": None, "prior": None}
    assert small(blocks={"audio": ("ast_audio",), "text": "text"}).fit(X, y)._blocks["audio"] == "ast_audio"
    with pytest.raises(DataFormatError, match="twice"):
        small(blocks={"audio": ["audio_3", "audio_3"]}).fit(X, y)
    with pytest.raises(DataFormatError, match="not in the bundle"):
        small(blocks={"audio": ["clap_audio", "beats"]}).fit(X, y)
    with pytest.raises(DataFormatError, match="ast_audio"):
        small().fit(X, y).predict(X.select(["clap_audio", "audio_3", "text", "title_text"]))


@pytest.mark.filterwarnings("ignore::skbst.exceptions.FewClipsWarning")
def test_one_of_each_is_the_network_of_before(data):
    """A list of one changes nothing, to the bit; neither does a block that is left out."""
    X, y = data
    alone = small(size="report", recipe="report").fit(X.select(["clap_audio", "text"]), y)
    listed = small(size="report", recipe="report", blocks={"audio": ["clap_audio"], "text": ["text"]}).fit(X, y)
    assert_array_equal(listed.predict_proba(X), alone.predict_proba(X))


def test_held_out_rows_weigh_the_linear_models(data):
    """Noise gets next to nothing, what knows the class most."""
    X, y = data
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(120, 8)).astype(np.float32)
    knows = (np.eye(3, 6)[y] + 0.3 * rng.normal(size=(120, 6))).astype(np.float32)
    X = FeatureBundle({"audio": noise, "other_audio": knows, "text": noise[::-1].copy()})
    models = small().fit(X, y).net_.module_.prior.models
    shares = {name: float(model.share) for name, model in models.items()}
    assert shares["audio_2"] > 2 * (shares["audio"] + shares["text"])


def test_rows_that_differ_in_a_further_embedding_alone_are_two(data):
    X, y = data
    blocks = {name: np.repeat(X[name][:30], 2, axis=0) for name in X.names}
    blocks["ast_audio"][1::2] += 1
    model = small(max_epochs=1).fit(FeatureBundle(blocks), np.repeat(y[:30], 2))
    assert len(model.history_) == 1
    twice = FeatureBundle({name: block[::2] for name, block in blocks.items()})
    weighted = small(max_epochs=1).fit(twice, y[:30], sample_weight=np.full(30, 2.0))
    assert np.abs(weighted.predict_proba(X) - model.predict_proba(X)).max() > 1e-6


@pytest.mark.parametrize("head", ["flat", "lcl"])
def test_with_a_branch_and_a_teacher(data, head):
    X, y = data
    frames = np.random.default_rng(0).normal(size=(120, 40, 13)).astype(np.float32)
    X = X.with_block("mfcc", frames)
    mixing = {"crop_and_patch": {}, "embedding_noise": {}, "embedding_masking": {}}
    model = KNNDistillationClassifier(small(branch="mfcc", head=head, max_epochs=12, augmentation=mixing)).fit(X, y)
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_every_encoder_of_the_trunk_learns(data):
    X, y = data
    module = small().fit(X, y).net_.module_
    batch = {"audio": torch.randn(9, 8), "audio_2": torch.randn(9, 5), "audio_3": torch.randn(9, 6)}
    batch |= {"text": torch.randn(9, 7), "text_2": torch.randn(9, 4)}
    torch.nn.functional.cross_entropy(module.train()(**batch), torch.arange(9) % 3).backward()
    missed = [name for name, p in module.named_parameters() if p.requires_grad and p.grad is None]
    assert missed == []


def test_what_is_missing_at_prediction_is_left_to_the_others(data):
    """A small network without its best embedding is about the network that never had it, and not a guess."""
    _, y = data
    rng = np.random.default_rng(3)
    audio = (np.eye(3, 8)[y] + 0.45 * rng.normal(size=(120, 8))).astype(np.float32)
    text = (np.eye(3, 6)[y] + 0.2 * rng.normal(size=(120, 6)) + 1).astype(np.float32)
    X = FeatureBundle({"audio": audio, "text": text})
    train, test = np.arange(80), np.arange(80, 120)
    model = small(max_epochs=10).fit(X[train], y[train])
    without = X.with_block("text", np.zeros_like(text))[test]
    alone = small(max_epochs=10, blocks={"text": None}).fit(X[train], y[train])
    assert model.score(without, y[test]) >= alone.score(X[test], y[test]) - 0.1
    mixed = text.copy()
    mixed[test[::2]] = 0
    answers = model.predict_proba(X.with_block("text", mixed)[test])
    assert_allclose(answers[1::2], model.predict_proba(X[test])[1::2], atol=1e-6)
    assert_allclose(answers[::2], model.predict_proba(without)[::2], atol=1e-6)


def test_missing_rows_of_training_stay_missing():
    augment = make_augmentation("default", branch=None, standardizer=None, n_classes=3)
    x = torch.ones(4, 8)
    x[1] = 0
    varied, _ = augment({"text": x, "audio_2": x}, {})
    for name in ("text", "audio_2"):
        assert not varied[name][1].any()
        assert (varied[name][[0, 2, 3]] != x[[0, 2, 3]]).any(dim=1).all()
