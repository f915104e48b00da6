from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, EarlyStopping

from skbst.exceptions import DataFormatError
from skbst.neural import Recipe
from tests.neural.conftest import make_network


def small(branch=None, head="baseline", **kwargs):
    settings = {"size": "small", "max_epochs": 3, "random_state": 0}
    return make_network(branch, head, **{**settings, **kwargs})


class Recorder(Callback):
    """Which rows stand on which side of the inner split, and the batches seen."""

    def on_train_begin(self, net, **kwargs):
        self.batches = []

    def on_epoch_begin(self, net, dataset_train, dataset_valid, **kwargs):
        self.train, self.valid = dataset_train, dataset_valid

    def on_batch_begin(self, net, batch, training, **kwargs):
        if training:
            self.batches.append(len(batch[1]["target"]))


def record(X, y, **fit_params):
    settings = fit_params.pop("settings", {})
    recorder = Recorder()
    model = small(callbacks=[recorder], **settings).fit(X, y, **fit_params)
    return model, recorder


def test_inner_split_is_stratified(clips):
    _, seen = record(*clips)
    assert np.bincount(seen.valid.target).tolist() == [6] * 5
    assert not set(seen.train.rows) & set(seen.valid.rows)
    assert len(seen.train.rows) + len(seen.valid.rows) == 150


def test_batches_are_even_and_leave_no_row_out(clips):
    _, seen = record(*clips, settings={"batch_size": 50})
    assert seen.batches == [40] * 9
    # 16 are the least of "auto"
    _, seen = record(*clips)
    assert seen.batches == [15] * 8 * 3


def test_whole_groups_are_held_out(clips):
    groups = np.repeat([f"uploader {i}" for i in range(30)], 5)
    _, seen = record(*clips, groups=groups)
    assert not set(groups[seen.train.rows]) & set(groups[seen.valid.rows])


def test_train_only_rows_are_never_held_out(clips):
    train_only = np.arange(150) >= 50
    _, seen = record(*clips, train_only=train_only)
    assert not train_only[seen.valid.rows].any()
    assert train_only[seen.train.rows].sum() == 100


def test_best_weights_are_restored(clips):
    X, y = clips
    model, seen = record(X, y, settings={"max_epochs": 30, "lr": 0.02})
    accuracy = model.history_.valid_acc
    assert model.best_epoch_ == model.history_.epoch[accuracy[accuracy == accuracy.max()].index].pipe(
        lambda epochs: epochs[model.history_.valid_loss[epochs.index].idxmin()]
    )
    assert model.best_epoch_ < model.n_iter_
    assert model.score(X[seen.valid.rows], y[seen.valid.rows]) == pytest.approx(accuracy.max())


def test_patience_counts_from_the_last_real_improvement(clips):
    assert small(max_epochs=20, min_delta=1.0, patience=4).fit(*clips).n_iter_ == 5
    assert small(max_epochs=8, min_delta=1.0, patience=None).fit(*clips).n_iter_ == 8
    assert small(max_epochs=40, min_delta=1.0).fit(*clips).n_iter_ == 16
    assert small("mfcc", max_epochs=40, min_delta=1.0).fit(*clips).n_iter_ == 7


def test_a_branch_of_the_reports_widths_is_given_steps(clips):
    fitted = small("mfcc", max_epochs=1).fit(*clips)._trainer(Recipe())

    def epochs(n_steps, branch="mfcc", size="report", **settings):
        architecture = {**fitted.architecture, "branch": branch, "size": size}
        return replace(fitted, architecture=architecture, **settings)._patience(n_steps)

    assert epochs(206) == epochs(67) == 6  # a fold of the report's set, and the fewest rows with as many steps
    assert epochs(66) == 7
    assert epochs(9) == 45
    assert epochs(9, patience=3) == 3
    assert epochs(9, size="small") == 6
    assert epochs(9, branch=None) == 15


def test_no_validation_part(clips):
    model, seen = record(*clips, settings={"validation_fraction": None, "max_epochs": 4})
    assert seen.valid is None
    assert len(seen.train.rows) == 150
    assert (model.n_iter_, model.best_epoch_) == (4, 4)
    assert model.history_.valid_acc.isna().all()


def test_weights_are_repetitions(clips):
    X, y = clips
    weight = np.random.default_rng(0).integers(0, 4, size=150)
    weighted = small(head="lcl").fit(X, y, sample_weight=weight)
    rows = np.arange(150).repeat(weight)
    repeated = small(head="lcl").fit(X[rows], y[rows])
    np.testing.assert_array_equal(weighted.predict_proba(X), repeated.predict_proba(X))


def test_fractional_weights_only_matter_by_their_ratio(clips):
    X, y = clips
    weight = np.random.default_rng(0).uniform(0.5, 2.0, size=150)
    one, two = (small().fit(X, y, sample_weight=factor * weight) for factor in (1, 8))
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X), rtol=1e-5)


def test_class_weight_moves_answers(clips, make_clips):
    X, y = make_clips(spread=4.0)
    plain, heavy = (small(class_weight=weight, max_epochs=10).fit(X, y) for weight in (None, {"fx-a": 50.0}))
    assert (heavy.predict(X) == "fx-a").sum() > 1.5 * (plain.predict(X) == "fx-a").sum()
    X, y = clips
    balanced = small(class_weight="balanced").fit(X, y)
    # the classes are balanced already
    np.testing.assert_allclose(balanced.predict_proba(X), small().fit(X, y).predict_proba(X), rtol=1e-5)


def test_soft_targets_teach(clips):
    X, y = clips
    classes = np.unique(y)
    soft = np.roll(np.eye(5), 1, axis=1)[np.searchsorted(classes, y)]
    settings = {"max_epochs": 15, "lr": 0.005, "validation_fraction": None, "linear_prior": False}
    model = small(distillation_weight=20.0, **settings).fit(X, y, soft_targets=soft)
    assert (model.predict(X) == classes[soft.argmax(axis=1)]).mean() > 0.8
    ignored = clone(model).set_params(distillation_weight=0.0).fit(X, y, soft_targets=soft)
    np.testing.assert_array_equal(ignored.predict_proba(X), clone(ignored).fit(X, y).predict_proba(X))


def test_soft_targets_of_wrong_shape(clips):
    with pytest.raises(DataFormatError, match=r"soft_targets must have shape \(150, 5\)"):
        small().fit(*clips, soft_targets=np.ones((150, 23)))


def test_soft_targets_that_are_no_distributions(clips):
    for bad in (np.nan, -0.5):
        soft = np.full((150, 5), 0.2)
        soft[9, 1] = bad
        with pytest.raises(
            DataFormatError, match=r"1 of 150 rows have negative values, NaN or infinity \(first: row 9\)"
        ):
            small().fit(*clips, soft_targets=soft)


def test_settings_that_make_no_sense(clips):
    with pytest.raises(ValueError, match="class_weight must not be negative"):
        small(class_weight={"fx-a": -1.0}).fit(*clips)
    with pytest.raises(TypeError, match="callbacks takes skorch callbacks"):
        small(callbacks=[3]).fit(*clips)


def test_schedules(clips):
    cosine = small(schedule="cosine", max_epochs=10).fit(*clips).history_.lr
    np.testing.assert_allclose(cosine, 5e-4 * (1 + np.cos(np.pi * np.arange(10) / 10)))
    step = small(schedule="step", max_epochs=22, patience=None).fit(*clips).history_.lr
    np.testing.assert_allclose(step, [1e-3] * 20 + [5e-4] * 2)


def test_bfloat16_trains(clips):
    model = small(precision="bfloat16", max_epochs=15, lr=0.005).fit(*clips)
    assert model.score(*clips) > 0.8
    assert {str(p.dtype) for p in model.net_.module_.parameters()} == {"torch.float32"}


def test_skorch_callbacks_may_stop(clips):
    stopper = EarlyStopping("train_loss", patience=2, threshold=1.0, sink=lambda text: None)
    model = small(callbacks=[("stop", stopper)], max_epochs=20).fit(*clips)
    assert model.n_iter_ == 3


def test_ctrl_c_is_not_swallowed(clips, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("skbst.neural._training._objective.Objective.forward", interrupt)
    with pytest.raises(KeyboardInterrupt):
        small().fit(*clips)


def test_divergence_is_told(clips):
    with pytest.raises(FloatingPointError, match="lower lr"):
        small(lr=1e30, max_epochs=10).fit(*clips)


class Tasks:
    """A scikit-learn callback that writes down the tasks and may stop."""

    max_propagation_depth = None

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.begun, self.ended, self.scores = [], [], []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.begun.append((context.estimator_name, context.task_name))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.ended.append((context.estimator_name, context.task_name))
        if context.task_name == "epoch":
            self.scores.append(fitted_estimator.score(X, y))
            return self.stop_after == len(self.scores)
        return False


def test_scikit_learn_callbacks_see_epochs(clips):
    tasks = Tasks()
    model = small(max_epochs=12).set_callbacks(tasks).fit(*clips)
    root, epoch = ("BranchClassifier", "fit"), ("BranchClassifier", "epoch")
    assert tasks.begun == [root] + [epoch] * 12
    assert tasks.ended == [epoch] * 12 + [root]
    assert len(set(tasks.scores)) > 1
    np.testing.assert_array_equal(
        model.predict_proba(clips[0]), small(max_epochs=12).fit(*clips).predict_proba(clips[0])
    )


def test_scikit_learn_callbacks_may_stop(clips):
    assert small(max_epochs=20).set_callbacks(Tasks(stop_after=4)).fit(*clips).n_iter_ == 4


def test_scikit_learn_callbacks_pass_through_search_and_pipeline(clips):
    X, y = clips[0]["clap_audio"], clips[1]
    tasks = Tasks()
    pipeline = make_pipeline(StandardScaler(), small())
    search = GridSearchCV(pipeline, {"branchclassifier__head": ["flat", "gc"]}, cv=2)
    search.set_callbacks(tasks).fit(X, y)
    # two candidates in two folds, and the best one again
    assert tasks.ended.count(("BranchClassifier", "epoch")) == 5 * 3


class BranchWatch(Callback):
    """Notes after each epoch which of branch, fusion and trunk have moved."""

    def on_train_begin(self, net, **kwargs):
        self.first_ = {name: value.detach().clone() for name, value in net.module_.named_parameters()}
        self.moved_ = []

    def on_epoch_end(self, net, **kwargs):
        moved = {name: bool((value != self.first_[name]).any()) for name, value in net.module_.named_parameters()}
        parts = ("branch.", "fusion.", "trunk.")
        self.moved_.append(tuple(any(moved[name] for name in moved if name.startswith(part)) for part in parts))


@pytest.mark.parametrize("validation_fraction", [None, 0.3])
def test_branch_start_leaves_the_branch_out_of_the_first_epochs(clips, validation_fraction):
    watch = BranchWatch()
    settings = {"patience": None, "schedule": "cosine", "validation_fraction": validation_fraction}
    model = make_network(
        "log-stft", size="small", max_epochs=6, branch_start=4, callbacks=[watch], random_state=0, **settings
    ).fit(*clips)
    assert watch.moved_ == [(False, False, True)] * 4 + [(True, True, True)] * 2
    np.testing.assert_allclose(model.history_["lr"], 1e-3 * np.array([1, 0.8535534, 0.5, 0.1464466, 1, 0.5]), rtol=1e-6)
    assert model.best_epoch_ > 4


@pytest.mark.parametrize("validation_fraction", [None, 0.3])
def test_a_frozen_trunk_is_that_of_the_network_without_a_branch(clips, validation_fraction):
    X, y = clips
    settings = {"size": "small", "weight_decay": 0.1, "patience": None, "random_state": 0}
    settings |= {"validation_fraction": validation_fraction, "input_norm": "batch", "head": "gc", "adapter": False}
    alone = make_network(max_epochs=3, **settings, batch_size=32)
    late = make_network("mfcc", max_epochs=5, branch_start=3, freeze_trunk=True, **settings, batch_size=32)
    alone, late = alone.fit(X, y), late.fit(X, y)
    assert late.n_iter_ == 5
    if validation_fraction is None:  # else `alone` has kept the best of its epochs
        bare, state = alone.net_.module_.state_dict(), late.net_.module_.state_dict()
        assert all(bool((state[name] == value).all()) for name, value in bare.items())
        assert set(state) - set(bare) == {name for name in state if name.startswith(("branch", "fusion", "standard"))}
    module = late.net_.module_
    assert bool((module.fusion.projection.weight != 0).any())
    assert not any(parameter.requires_grad for parameter in module.prior.parameters())
    assert all(parameter.requires_grad for part in (module.trunk, module.head) for parameter in part.parameters())
    assert (late.predict_proba(X) != alone.predict_proba(X)).any()


def test_an_adapter_stands_still_until_the_branch_starts(clips):
    """Trained with the trunk it learns few clips by heart; late, it refines the text beside the branch."""
    X, y = clips
    settings = {"size": "small", "random_state": 0, "validation_fraction": None, "batch_size": 32}
    late = {"branch_start": 3, "freeze_trunk": True, **settings}
    before, after = (make_network("mfcc", max_epochs=n, adapter=True, **late).fit(X, y) for n in (4, 6))
    without = make_network("mfcc", max_epochs=4, adapter=False, **late).fit(X, y)
    trunk = {name: value for name, value in without.net_.module_.state_dict().items() if name.startswith("trunk")}
    for model in (before, after):
        state, adapter = model.net_.module_.state_dict(), model.net_.module_.adapter
        assert all(parameter.requires_grad for parameter in adapter.parameters())
        assert bool((adapter.outer.weight != 0).any())
        assert set(trunk) <= set(state)
    moved = [model.net_.module_.adapter.outer.weight.norm() for model in (before, after)]
    assert moved[0] < moved[1]


class Predicts(Callback):
    """Passes the network through eval mode after each epoch, as whatever predicts with it does."""

    def on_epoch_end(self, net, **kwargs):
        net.module_.eval()
        net.module_.train()


def test_a_callback_that_predicts_does_not_thaw_the_trunk(clips):
    settings = {"branch_start": 2, "max_epochs": 5, "freeze_trunk": True, "validation_fraction": None}
    settings |= {"size": "small", "adapter": True, "random_state": 0}
    plain, watched = (
        make_network("mfcc", callbacks=callbacks, **settings).fit(*clips) for callbacks in (None, [Predicts()])
    )
    state = watched.net_.module_.state_dict()
    assert all(bool((state[name] == value).all()) for name, value in plain.net_.module_.state_dict().items())


def test_a_branch_with_logits_is_heard_where_the_embeddings_say_nothing(clips):
    """Through the trunk alone a branch has learnt nothing by then."""
    X, y = clips
    X = X.select(["mfcc"]).with_block("clap_audio", np.random.default_rng(0).normal(size=(150, 8)).astype(np.float32))
    settings = {"size": "small", "branch_start": 1, "max_epochs": 9, "freeze_trunk": True, "lr": 3e-3}
    settings |= {"validation_fraction": None, "schedule": "cosine", "input_norm": "length", "random_state": 0}
    score = {}
    for own in (False, True):
        model = make_network("mfcc", branch_logits=own, **settings).fit(X[:100], y[:100])
        score[own] = model.score(X[100:], y[100:])
    assert score[True] > 0.9 > 0.5 > score[False]


def test_without_first_epochs_nothing_is_frozen(clips):
    settings = {"size": "small", "max_epochs": 1, "validation_fraction": None, "random_state": 0}
    one, other = (make_network("mfcc", freeze_trunk=freeze, **settings).fit(*clips) for freeze in (False, True))
    np.testing.assert_array_equal(one.predict_proba(clips[0]), other.predict_proba(clips[0]))


@pytest.mark.parametrize("branch", ["log-stft", "log-mel", "mfcc"])
def test_until_its_branch_starts_a_network_is_the_one_without(clips, branch):
    """One seed gives both the same trunk, order of rows, dropout and masks, so what differs is what the branch did."""
    settings = {"size": "small", "adapter": False, "batch_size": 32, "validation_fraction": None, "random_state": 0}
    alone = make_network(max_epochs=3, **settings).fit(*clips)
    late = make_network(branch, max_epochs=4, branch_start=3, **settings).fit(*clips)
    np.testing.assert_array_equal(late.history_["train_loss"][:3], alone.history_["train_loss"])
