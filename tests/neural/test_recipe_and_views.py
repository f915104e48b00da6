"""The recipes, validation rows from outside, and a branch as the sound's only view."""

import inspect
import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from skbst.exceptions import DataFormatError, FewClipsWarning
from skbst.neural import BranchClassifier, Recipe
from skbst.neural._architecture import BRANCHES, HEADS, build_module, describe
from skbst.neural._training import _trainer
from skbst.neural._training._late_fusion import DEFAULT_SHARE, held_out_share
from skbst.persistence import load_model, save_model
from skbst.taxonomy import Taxonomy


def small(*args, **settings):
    return BranchClassifier(*args, **{"size": "small", "recipe": "small", "random_state": 0, **settings})


def test_the_constructor_is_short():
    assert len(inspect.signature(BranchClassifier).parameters) <= 20


def test_a_name_is_a_recipe(clips):
    X, y = clips
    named, own = small(max_epochs=3).fit(X, y), small(max_epochs=3, recipe=Recipe.small()).fit(X, y)
    np.testing.assert_array_equal(named.predict_proba(X), own.predict_proba(X))
    other = clone(own).set_params(recipe__dropout=0.0).fit(X, y)
    assert (other.predict_proba(X) != own.predict_proba(X)).any()
    assert own.recipe.dropout == 0.3


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("branch", [None, *BRANCHES])
def test_the_small_recipe_adds_to_the_parts_of_the_report_and_silences_none(branch, head):
    shapes = {"audio": (8,), "text": (6,)} | ({} if branch is None else {"frames": (20, 64)})
    rows = {"shapes": shapes, "taxonomy": Taxonomy({"fx-a": "fx", "fx-h": "fx", "m-sp": "m"}), "is_plain": False}
    plans = {"report": Recipe(), "small": Recipe.small()}
    nets = [build_module(describe(branch, head, size, recipe, **rows)) for size, recipe in plans.items()]
    report, small = ({name for name, _ in net.named_children()} for net in nets)
    assert report <= small
    assert small - report == ({"prior"} if branch is None else {"prior", "branch_head"})


def test_epochs_and_validation_are_the_recipes(clips):
    X, y = clips
    recipe = Recipe(max_epochs=2, branch_max_epochs=3, validation_fraction=None)
    plain, heard = (small(branch, recipe=recipe).fit(X, y) for branch in (None, "mfcc"))
    assert (plain.n_iter_, heard.n_iter_) == (2, 3)
    assert plain.history_.valid_acc.isna().all()
    chosen = small(recipe=recipe, max_epochs=1, validation_fraction=0.2).fit(X, y)
    assert chosen.n_iter_ == 1
    assert chosen.history_.valid_acc.notna().all()


def test_a_recipe_of_ones_own_is_checked(clips):
    with pytest.raises(ValueError, match="'dropout' parameter of Recipe"):
        small(recipe=Recipe(dropout=2.0)).fit(*clips)


def test_few_clips_are_told(clips):
    X, y = clips[0]["clap_audio"], clips[1]
    with pytest.warns(FewClipsWarning, match=r"150 distinct clips .* size='small', recipe='small'"):
        BranchClassifier(max_epochs=1).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", FewClipsWarning)
        small(max_epochs=1).fit(X, y)


def test_validation_rows_of_a_fold_are_never_trained_on(clips):
    X, y = clips
    rows, held = np.arange(100), np.arange(100, 150)
    settings = {"recipe": "report", "max_epochs": 4, "patience": None}
    model = small(**settings).fit(X[rows], y[rows], validation=(X[held], y[held]))
    accuracy = model.history_.valid_acc
    assert model.score(X[held], y[held]) == accuracy.max()
    assert model.best_epoch_ == 1 + next(i for i in range(4) if accuracy[i] == accuracy.max()) or (
        (accuracy == accuracy.max()).sum() > 1
    )
    shuffled = small(**settings).fit(X[rows], y[rows], validation=(X[held], np.roll(y[held], 1)))
    # the weights never see them: only which epoch is kept may differ
    np.testing.assert_array_equal(model.history_.train_loss, shuffled.history_.train_loss)
    assert (model.history_.valid_loss != shuffled.history_.valid_loss).all()


def test_validation_rows_are_checked(clips):
    X, y = clips
    with pytest.raises(DataFormatError, match="takes a pair"):
        small().fit(X, y, validation=X)
    with pytest.raises(DataFormatError, match=r"10 of 50 validation rows are of classes .* 'ss-n'"):
        small().fit(X[y != "ss-n"], y[y != "ss-n"], validation=(X[:50], y[:50]))
    wide = X.with_block("clap_audio", np.ones((150, 3), dtype=np.float32))
    with pytest.raises(DataFormatError, match="The audio block has rows of shape"):
        small().fit(X, y, validation=(wide, y))


@pytest.mark.parametrize("recipe", ["report", "small"])
@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize(("branch", "block"), [("log-stft", "log_stft"), ("log-mel", "log_mel"), ("mfcc", "mfcc")])
def test_a_branch_is_the_only_view_of_the_sound(clips, tmp_path, branch, block, text, recipe):
    X, y = clips
    noise = np.random.default_rng(0).normal(size=(150, 8)).astype(np.float32)
    X = X.select([block]).with_block("clap_text", noise) if text else X.select([block])
    settings = {"recipe": recipe, "max_epochs": 20, "validation_fraction": None, "lr": 3e-3}
    model = small(branch, "lcl", **settings).fit(X[:100], y[:100])
    assert model.score(X[100:], y[100:]) > 0.6  # of five classes; the text is noise
    assert model.net_.module_.fusion is None
    for again in (pickle.loads(pickle.dumps(model)), load_model(save_model(model, tmp_path / "model"))):
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("head", ["baseline", "gc"])
def test_beside_text_alone_a_branch_joins_by_late_fusion(clips, head):
    X, y = clips[0].select(["clap_text", "mfcc"]), clips[1]
    settings = {"max_epochs": 27, "lr": 3e-3}
    heard = small("mfcc", head, **settings).fit(X[:100], y[:100])
    module = heard.net_.module_
    assert module.late_fusion
    assert module.branch_share > 0
    # 12 of the 27 epochs are those of the network without a branch: less its own logits it answers as that, to the bit
    deaf = small(None, head, **{**settings, "max_epochs": 12}).fit(X.select(["clap_text"])[:100], y[:100])
    log_proba = heard.predict_log_proba(X)
    module.branch_share.zero_()
    module.frame_prior.linear.models["frames"].share.zero_()
    np.testing.assert_array_equal(heard.predict_proba(X), deaf.predict_proba(X))
    assert np.mean(heard.classes_[log_proba.argmax(axis=1)][100:] == y[100:]) > deaf.score(X[100:], y[100:])


def test_frames_have_a_model_of_their_own(clips):
    """Where they are the only view of the sound: what it says is heard without the branch."""
    X, y = clips[0].select(["mfcc"]), clips[1]
    noise = np.random.default_rng(0).normal(size=(150, 8)).astype(np.float32)
    model = small("mfcc", max_epochs=2).fit(X.with_block("clap_text", noise)[:100], y[:100])
    module, new = model.net_.module_, X.with_block("clap_text", noise)[100:]
    module.branch_share.zero_()
    assert model.score(new, y[100:]) > 0.8
    module.frame_prior.linear.models["frames"].share.zero_()
    assert model.score(new, y[100:]) < 0.5
    alone = small("mfcc", max_epochs=1).fit(X[:100], y[:100])
    assert alone.net_.module_.frame_prior.linear.models["frames"].share > 0.1
    assert alone.embed(X[:3]).shape == (3, 5)  # as beside any linear model
    assert small("mfcc", max_epochs=1).fit(*clips).net_.module_.frame_prior is None  # beside an audio embedding


def test_late_fusion_leaves_out_what_tells_nothing(clips):
    """The share is of rows that were held out: the branch knows its own rows by heart, and noise tells of no others."""
    X, y = clips[0].select(["clap_text", "mfcc"]), clips[1]
    noise = np.random.default_rng(0).normal(size=X["mfcc"].shape).astype(np.float32)
    X = X.with_block("mfcc", noise)
    model = small("mfcc", max_epochs=45, lr=3e-3).fit(X[:100], y[:100])
    assert model.net_.module_.branch_share < 0.1
    assert model.net_.module_.frame_prior.linear.models["frames"].share < 0.1
    # the rows of a fold serve as well, and spare the network that is trained to find the share
    told = small("mfcc", max_epochs=45, lr=3e-3).fit(X[:100], y[:100], validation=(X[100:], y[100:]))
    assert told.net_.module_.branch_share < 0.1


def test_a_branch_counts_by_what_all_rows_say_of_its_frames(clips, monkeypatch):
    """Where the rows that were held out cannot tell: here they allow all from .03 to 10."""
    X, y, told = clips[0].select(["clap_text", "mfcc"]), clips[1], []

    def spy(net, dataset, frames_share):
        told.append((frames_share, held_out_share(net, dataset, frames_share), held_out_share(net, dataset, 0.0)))
        return told[-1][1]

    monkeypatch.setattr(_trainer, "held_out_share", spy)
    frames, noise = X["mfcc"], np.random.default_rng(0).normal(size=X["mfcc"].shape).astype(np.float32)
    X = X.with_block("mfcc", frames + frames.std() * noise)
    model = small("mfcc", max_epochs=60, lr=3e-3).fit(X[:100], y[:100])
    [(frames_share, share, smallest)] = told
    assert frames_share > 0.2
    assert share == pytest.approx(max(frames_share / 2, smallest))
    assert float(model.net_.module_.branch_share) == pytest.approx(share)


def test_late_fusion_without_rows_to_hold_out(clips):
    X, y = clips[0].select(["clap_text", "mfcc"])[:5], clips[1][:5]
    model = small("mfcc", max_epochs=5).fit(X, y)
    assert float(model.net_.module_.branch_share) == pytest.approx(DEFAULT_SHARE)


def test_a_bundle_without_anything_to_learn_from(clips):
    X, y = clips
    with pytest.raises(DataFormatError, match="No embedding to learn from"):
        small().fit(X.select(["mfcc"]), y)
    with pytest.raises(DataFormatError, match=r"blocks has the keys \['sound'\]"):
        small(blocks={"sound": "clap_audio"}).fit(X, y)
