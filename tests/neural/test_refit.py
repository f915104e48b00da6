"""Early stopping on the folds tells how long; then all rows are trained on."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import make_blobs

from skbst.exceptions import DataFormatError
from skbst.neural import BranchClassifier, Recipe
from skbst.neural._rows._training_rows import TrainingRows
from skbst.neural._training._refit import fold_masks

NETWORK = {"size": "small", "max_epochs": 12, "patience": 3, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    return make_blobs(120, n_features=8, centers=3, cluster_std=6.0, random_state=0)


def rows_of(target, groups=None, train_only=None):
    n_rows = len(target)
    extra = np.zeros(n_rows, dtype=bool) if train_only is None else train_only
    return TrainingRows(np.arange(n_rows), target, np.ones(n_rows), extra, groups, None)


def test_each_row_is_held_out_once_and_extra_rows_never():
    target, extra = np.arange(120) % 3, np.arange(120) >= 105
    masks = fold_masks(rows_of(target, train_only=extra), 5, np.random.RandomState(0), [0, 1, 2])
    times = np.sum(masks, axis=0)
    assert len(masks) == 5
    assert not times[extra].any()
    assert times.max() == 1
    # a class keeps one row of the last part at least, so that all are trained on
    assert times[~extra].sum() >= 105 - 3
    assert all(np.bincount(target[mask]).tolist() == [7, 7, 7] for mask in masks[:4])


def test_groups_stay_together():
    target, groups = np.arange(120) % 3, np.arange(120) // 6
    masks = fold_masks(rows_of(target, groups), 5, np.random.RandomState(0), [0, 1, 2])
    assert len(masks) > 2
    for mask in masks:
        assert not set(groups[mask]) & set(groups[~mask])
    assert np.sum(masks, axis=0).max() == 1


def test_where_groups_run_out_there_are_fewer_folds():
    target, groups = np.arange(60) % 2, np.arange(60) // 20
    masks = fold_masks(rows_of(target, groups), 5, np.random.RandomState(0), [0, 1])
    assert 1 <= len(masks) <= 3
    with pytest.raises(DataFormatError, match="No row is left for validation"):
        fold_masks(rows_of(target, np.zeros(60, dtype=int)), 5, np.random.RandomState(0), [0, 1])


def test_the_network_is_that_of_all_rows_for_the_mean_of_the_best_epochs(data):
    X, y = data
    model = BranchClassifier(recipe=Recipe(refit=True), **NETWORK).fit(X, y)
    epochs = round(np.mean(model.fold_best_epochs_))
    assert len(model.fold_best_epochs_) == 5
    assert len(set(model.fold_best_epochs_)) > 1
    assert (model.n_iter_, model.best_epoch_) == (epochs, epochs)
    assert model.history_["valid_acc"].isna().all()
    alone = BranchClassifier(**{**NETWORK, "max_epochs": epochs}, validation_fraction=None).fit(X, y)
    assert_array_equal(model.predict_proba(X), alone.predict_proba(X))
    # the next fit knows nothing of it
    model.set_params(recipe=Recipe()).fit(X, y)
    assert not hasattr(model, "fold_best_epochs_")


def test_best_epochs_are_those_of_ordinary_fits(data, monkeypatch):
    X, y = data
    kept = []

    def remember(*args):
        kept.extend(fold_masks(*args))
        rows.append(args[0].rows)
        return kept

    rows = []
    monkeypatch.setattr("skbst.neural._training._refit.fold_masks", remember)
    found = BranchClassifier(recipe=Recipe(refit=True), **NETWORK).fit(X, y).fold_best_epochs_
    for mask, best in zip(kept[:2], found):
        inside, outside = rows[0][~mask], rows[0][mask]
        one = BranchClassifier(**NETWORK).fit(X[inside], y[inside], validation=(X[outside], y[outside]))
        assert one.best_epoch_ == best


def test_validation_rows_of_ones_own_are_stopped_on(data):
    X, y = data
    model = BranchClassifier(recipe=Recipe(refit=True), **NETWORK).fit(X[:90], y[:90], validation=(X[90:], y[90:]))
    assert not hasattr(model, "fold_best_epochs_")
    assert model.history_["valid_acc"].notna().all()


def test_a_recipe_that_was_saved_earlier_loads():
    recipe = Recipe(dropout=0.2)
    del recipe.refit
    assert pickle.loads(pickle.dumps(recipe)).get_params() == Recipe(dropout=0.2).get_params()
