"""What is known beforehand as a third voice beside the model and its neighbours."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skbst.exceptions import DataFormatError
from skbst.features import BlockSelector, FeatureBundle, class_prior
from skbst.model_selection import KNNBlendSearchCV
from skbst.neighbors import KNNPriorBlender, blend, retrieval_embedding
from skbst.taxonomy import BST

CODES = np.array(["fx-a", "m-sp", "ss-n"])


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    y = np.repeat(CODES, 40)
    X = rng.normal(size=(120, 4)) + 0.7 * np.eye(3, 4)[np.repeat(np.arange(3), 40)]
    prior = rng.dirichlet(np.ones(3), 120)
    prior[::3] = 0
    return FeatureBundle({"audio": X, "prior": prior}), y


def blender(**settings):
    return KNNPriorBlender(make_pipeline(BlockSelector("audio"), LogisticRegression()), k=7, **settings)


def test_the_formula(clips):
    X, y = clips
    model = blender(alpha=0.4, prior_weight=0.25).fit(X, y)
    p_model, p_near = model.estimator_.predict_proba(X), model.neighbour_proba(X)
    q, expected = X["prior"], []
    for row in range(len(y)):
        mixed = 0.6 * p_model[row] + 0.4 * p_near[row]
        expected.append(0.75 * mixed + 0.25 * q[row] if q[row].any() else mixed)
    assert_allclose(model.predict_proba(X), expected)
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_an_empty_prior_or_none_changes_nothing_to_the_bit(clips):
    X, y = clips
    alone = blender(prior_weight=0.0).fit(X.select(["audio"]), y)
    empty = X.with_block("prior", np.zeros((120, 3)))
    silent = blender(prior_weight=0.9).fit(empty, y)
    assert_array_equal(silent.predict_proba(empty), alone.predict_proba(X.select(["audio"])))
    assert_array_equal(silent.predict_proba(X.select(["audio"])), alone.predict_proba(X.select(["audio"])))
    assert_array_equal(silent.leave_one_out_proba(), alone.leave_one_out_proba())
    unread = blender().fit(X, y)
    assert_array_equal(unread.predict_proba(X), alone.predict_proba(X.select(["audio"])))
    half = blender(prior_weight=0.9).fit(X, y)
    assert_array_equal(half.predict_proba(X)[::3], alone.predict_proba(X.select(["audio"]))[::3])


def test_a_prior_is_no_embedding(clips):
    X, _ = clips
    assert_array_equal(retrieval_embedding(X), retrieval_embedding(X.select(["audio"])))
    assert retrieval_embedding(X, blocks=["audio", "prior"]).shape == (120, 7)


def test_an_oracle_reaches_one_and_the_search_finds_its_weight(clips):
    X, y = clips
    X = X.with_block("prior", (y[:, None] == CODES).astype(float))
    grid = {"alpha": [0.0, 0.3], "prior_weight": [0.0, 0.3, 0.6, 1.0]}
    search = KNNBlendSearchCV(blender(), grid, cv=4).fit(X, y)
    assert (search.n_fits_, search.best_score_) == (4, 1.0)
    assert search.best_params_["prior_weight"] >= 0.6
    assert search.score(X, y) == 1.0


def test_the_search_scores_as_one_that_fits_each_cell(clips):
    X, y = clips
    grid = {"alpha": [0.2], "k": [5, 9], "prior_weight": [0.0, 0.2, 0.8]}
    cheap = KNNBlendSearchCV(blender(), grid, cv=3).fit(X, y)
    dear = GridSearchCV(blender(), grid, cv=3).fit(X, y)
    assert cheap.cv_results_["params"] == dear.cv_results_["params"]
    assert_allclose(cheap.cv_results_["mean_test_score"], dear.cv_results_["mean_test_score"])
    table = cheap.score_cells({"prior_weight": [0.2, 0.8], "alpha": [0.2], "k": [9]})
    assert_allclose(table["mean_test_score"], cheap.cv_results_["mean_test_score"][4:])


def test_explain_adds_up_and_tells_where_it_flips(clips):
    X, y = clips
    model = blender(alpha=0.3, prior_weight=0.4).fit(X, y)
    told = model.explain(X[:12]).groupby("clip")
    first = told.first()
    assert_array_equal(first["prediction"], model.predict(X[:12]))
    assert_allclose(first["proba"], model.predict_proba(X[:12]).max(axis=1))
    assert_allclose(told["share"].sum() + first["model_share"] + first["prior_share"], 1)
    assert (first["prior_share"] == 0)[::3].all()
    for clip, row in first.iterrows():
        for side, step in (("flip_below", -1e-6), ("flip_above", 1e-6)):
            if not np.isnan(row[side]):
                other = blender(alpha=float(np.clip(row[side] + step, 0, 1)), prior_weight=0.4).fit(X, y)
                assert other.predict(X[clip : clip + 1])[0] == row[f"{side}_to"]
    assert "prior_share" not in blender().fit(X, y).explain(X[:2])


def test_leaves_of_the_tree_where_the_classes_are_fewer(clips):
    X, y = clips
    wide = (y[:, None] == np.sort(BST.leaves)).astype(np.float32)
    model = blender(prior_weight=1.0).fit(X.with_block("prior", wide), y)
    assert model.score(X.with_block("prior", wide), y) == 1.0
    assert_allclose(class_prior(X, CODES[::-1])[:, 0], X["prior"][:, 2])
    with pytest.raises(DataFormatError, match="column for each"):
        model.predict(X.with_block("prior", np.ones((120, 4)) / 4))


def test_saved_before_there_were_priors(clips):
    X, y = clips
    model = blender().fit(X, y)
    state = {name: value for name, value in model.__getstate__().items() if name not in ("prior_weight", "bank_prior_")}
    again = KNNPriorBlender.__new__(KNNPriorBlender)
    again.__setstate__(state)
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert_array_equal(again.leave_one_out_proba(), model.leave_one_out_proba())
    assert not hasattr(pickle.loads(pickle.dumps(blender())), "bank_prior_")


@pytest.mark.parametrize("weight", [-0.1, 1.5])
def test_weights_out_of_range(weight):
    with pytest.raises(DataFormatError, match="prior_weight"):
        blend([[0.5, 0.5]], [[0.0, 1.0]], 0.5, p_prior=[[1.0, 0.0]], prior_weight=weight)
