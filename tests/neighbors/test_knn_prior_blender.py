import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skbst.ensemble import HierarchicalVotingClassifier
from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle
from skbst.neighbors import KNNPriorBlender, retrieval_embedding


class Embedder(ClassifierMixin, BaseEstimator):
    """A classifier of FeatureBundles with features of its own; counts its fits in a file."""

    def __init__(self, C=1.0, log=None):
        self.C = C
        self.log = log

    def fit(self, X, y, sample_weight=None):
        if self.log is not None:
            with open(self.log, "a") as file:
                file.write("fit\n")
        self.model_ = LogisticRegression(C=self.C, max_iter=300).fit(np.asarray(X), y, sample_weight=sample_weight)
        self.classes_ = self.model_.classes_
        return self

    def embed(self, X):
        return np.tanh(np.asarray(X)[:, :2])

    def predict_proba(self, X):
        return self.model_.predict_proba(np.asarray(X))

    def predict(self, X):
        return self.model_.predict(np.asarray(X))


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    y = np.array(["fx-a", "m-sp", "ss-n"])[np.arange(120) % 3]
    centres = {"fx-a": 0, "m-sp": 1, "ss-n": 2}
    audio = rng.standard_normal((120, 4)) + 1.2 * np.eye(4)[[centres[c] for c in y]]
    text = rng.standard_normal((120, 3)) + 0.8 * np.eye(3)[[centres[c] for c in y]]
    bundle = FeatureBundle({"audio": audio.astype(np.float32), "text": text.astype(np.float32)})
    return bundle, y, np.array([f"user{i % 7}" for i in range(120)])


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def slow_prior(queries, bank, y, classes, k, temperature, forbidden=None):
    cosines = unit(np.asarray(queries, float)) @ unit(np.asarray(bank, float)).T
    prior = np.zeros((len(queries), len(classes)))
    for i, row in enumerate(cosines):
        allowed = np.ones(len(row), bool) if forbidden is None else ~forbidden[i]
        best = [j for j in np.argsort(-row) if allowed[j]][:k]
        weights = np.exp(row[best] / temperature)
        for j, weight in zip(best, weights / weights.sum()):
            prior[i, list(classes).index(y[j])] += weight
    return prior


def test_blend_against_a_slow_reference(clips):
    X, y, _ = clips
    blender = KNNPriorBlender(Embedder(), alpha=0.35, k=6, temperature=0.15).fit(X[:90], y[:90])
    parts = [np.tanh(X["audio"][:, :2]), X["audio"], X["text"]]
    rows = np.hstack([unit(part) for part in parts])
    prior = slow_prior(rows[90:], rows[:90], y, blender.classes_, 6, 0.15)
    model = Embedder().fit(X[:90], y[:90]).predict_proba(X[90:])
    expected = 0.65 * model + 0.35 * prior
    np.testing.assert_allclose(blender.predict_proba(X[90:]), expected, atol=1e-5)
    np.testing.assert_array_equal(blender.predict(X[90:]), blender.classes_[expected.argmax(axis=1)])
    np.testing.assert_allclose(blender.predict_log_proba(X[90:]), np.log(blender.predict_proba(X[90:])))
    np.testing.assert_allclose(blender.decision_function(X[90:]), blender.predict_log_proba(X[90:]))


def test_ends_are_the_model_and_the_neighbours(clips):
    X, y, _ = clips
    blender = KNNPriorBlender(Embedder(), alpha=0.0).fit(X, y)
    np.testing.assert_array_equal(blender.predict_proba(X), blender.estimator_.predict_proba(X))
    blender.set_params(alpha=1.0)
    np.testing.assert_array_equal(blender.predict_proba(X), blender.neighbour_proba(X))


@pytest.mark.parametrize(
    ("embedding", "blocks", "n_dimensions"),
    [
        ("auto", "auto", 2 + 4 + 3),
        ("both", "auto", 2 + 4 + 3),
        ("model", "auto", 2),
        ("blocks", "auto", 4 + 3),
        ("auto", ["text"], 2 + 3),
        ("blocks", ["text"], 3),
    ],
)
def test_parts_of_the_embedding(clips, embedding, blocks, n_dimensions):
    X, y, _ = clips
    blender = KNNPriorBlender(Embedder(), embedding=embedding, blocks=blocks).fit(X, y)
    assert blender.bank_.shape == (120, n_dimensions)
    assert blender.bank_.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(blender.bank_, axis=1), 1, rtol=1e-6)


def test_frames_are_no_embedding(clips):
    X, _, _ = clips
    framed = X.with_block("log_stft", np.zeros((120, 5, 2)))
    assert retrieval_embedding(framed).shape == (120, 7)

    class Model:
        def embed(self, X):
            return X["log_stft"].mean(axis=1) + 1

    assert retrieval_embedding(framed, Model()).shape == (120, 9)
    assert retrieval_embedding(framed.select("log_stft"), Model()).shape == (120, 2)


def test_silent_parts_do_not_count():
    bundle = FeatureBundle({"audio": [[0.0, 0.0], [3, 4]], "text": [[2.0], [0.0]]})
    np.testing.assert_allclose(retrieval_embedding(bundle), [[0, 0, 1], [0.6, 0.8, 0]], rtol=1e-6)


def test_pipeline_inside_and_around(clips):
    X, y, _ = clips
    X = np.asarray(X)
    inner = make_pipeline(StandardScaler(), Embedder())
    blender = KNNPriorBlender(inner).fit(X, y)
    assert blender.bank_.shape == (120, 2 + 7)
    expected = unit(np.tanh(StandardScaler().fit(X).transform(X)[:, :2])) / np.sqrt(2)
    np.testing.assert_allclose(blender.bank_[:, :2], expected, atol=1e-6)
    around = make_pipeline(StandardScaler(), KNNPriorBlender(LogisticRegression())).fit(X, y)
    assert around.predict_proba(X).shape == (120, 3)


def test_frozen_estimator_is_not_trained_again(clips):
    X, y, _ = clips
    model = Embedder().fit(X[:60], y[:60])
    blender = KNNPriorBlender(FrozenEstimator(model), alpha=0.0).fit(X, y)
    np.testing.assert_array_equal(blender.predict_proba(X), model.predict_proba(X))
    assert len(blender.bank_) == 120
    assert blender.bank_.shape[1] == 9


def test_frozen_estimator_with_other_classes(clips):
    X, y, _ = clips
    known = y != "ss-n"
    model = FrozenEstimator(Embedder().fit(X[known], y[known]))
    with pytest.raises(DataFormatError, match=r"40 of 120 training rows have a label .* \(first: .*'ss-n'\)"):
        KNNPriorBlender(model).fit(X, y)
    assert KNNPriorBlender(FrozenEstimator(Embedder().fit(X, y))).fit(X[known], y[known]).classes_.tolist() == [
        "fx-a",
        "m-sp",
        "ss-n",
    ]


def test_two_classes_follow_the_convention(clips):
    X, y, _ = clips
    two = y != "ss-n"
    blender = KNNPriorBlender(LogisticRegression(), k=4).fit(np.asarray(X)[two], y[two])
    scores, proba = blender.decision_function(np.asarray(X)), blender.predict_proba(np.asarray(X))
    np.testing.assert_allclose(scores, np.log(proba[:, 1] / proba[:, 0]))
    blender.set_params(alpha=1.0, k=1)
    assert np.isfinite(blender.decision_function(np.asarray(X))).all()


def test_own_group_is_left_out(clips):
    X, y, groups = clips
    blender = KNNPriorBlender(Embedder(), alpha=1.0, k=5, exclude_own_group=True, embedding="blocks")
    blender.fit(X[:100], y[:100], groups=groups[:100])
    rows = np.hstack([unit(X["audio"]), unit(X["text"])])
    forbidden = groups[100:, None] == groups[None, :100]
    prior = slow_prior(rows[100:], rows[:100], y, blender.classes_, 5, 0.1, forbidden)
    np.testing.assert_allclose(blender.predict_proba(X[100:], groups=groups[100:]), prior, atol=1e-5)
    similarities, indices = blender.kneighbors(X[100:], 3, groups=groups[100:])
    assert indices.shape == (20, 3)
    assert (groups[:100][indices] != groups[100:, None]).all()
    assert (np.diff(similarities, axis=1) <= 0).all()
    for method in ("predict", "predict_log_proba", "decision_function", "neighbour_proba", "explain"):
        getattr(blender, method)(X[100:], groups=groups[100:])
        with pytest.raises(ValueError, match="needs groups at prediction too"):
            getattr(blender, method)(X[100:])
    assert 0 <= blender.score(X[100:], y[100:], groups=groups[100:]) <= 1


def test_own_group_needs_groups_in_fit(clips):
    X, y, _ = clips
    with pytest.raises(ValueError, match=r"pass fit\(X, y, groups=uploaders\)"):
        KNNPriorBlender(Embedder(), exclude_own_group=True).fit(X, y)


def test_a_clip_of_the_only_group_keeps_the_model(clips):
    X, y, _ = clips
    blender = KNNPriorBlender(Embedder(), exclude_own_group=True).fit(X, y, groups=["one"] * 120)
    proba = blender.predict_proba(X, groups=["one"] * 120)
    np.testing.assert_array_equal(proba, blender.estimator_.predict_proba(X))


class Grouped(Embedder):
    """Remembers the groups of its fit."""

    def fit(self, X, y, *, groups=None):
        self.groups_ = groups
        return super().fit(X, y)


def test_members_of_a_vote_that_take_groups_get_them(clips):
    X, y, groups = clips
    vote = HierarchicalVotingClassifier([("a", Grouped()), ("b", Grouped(C=0.1))])
    fitted = KNNPriorBlender(vote).fit(X, y, groups=groups).estimator_
    assert all(member.groups_ is groups for member in fitted.estimators_)
    mixed = HierarchicalVotingClassifier([("a", Grouped()), ("b", Embedder())])
    fitted = KNNPriorBlender(mixed).fit(X, y, groups=groups).estimator_
    assert fitted.estimators_[0].groups_ is groups


def test_groups_travel_by_metadata_routing(clips):
    X, y, groups = clips
    table = pd.DataFrame({"title": [f"clip {i}" for i in range(120)]})
    with sklearn.config_context(enable_metadata_routing=True):
        blender = KNNPriorBlender(Embedder().set_fit_request(sample_weight=True), alpha=1.0, exclude_own_group=True)
        blender.set_fit_request(groups="uploader", metadata=True).set_predict_proba_request(groups="uploader")
        pipe = make_pipeline(blender)
        pipe.fit(X, y, uploader=groups, metadata=table, sample_weight=np.ones(120))
        proba = pipe.predict_proba(X, uploader=groups)
    plain = KNNPriorBlender(Embedder(), alpha=1.0, exclude_own_group=True).fit(X, y, groups=groups)
    np.testing.assert_array_equal(proba, plain.predict_proba(X, groups=groups))
    assert pipe[-1].bank_metadata_["title"][3] == "clip 3"


def test_cross_validation_leaves_the_own_group_out(clips):
    """Without a scorer, groups reach `score`; a scorer calls `predict` without them."""
    X, y, groups = clips
    cv = StratifiedKFold(3)
    blender = KNNPriorBlender(Embedder(), alpha=1.0, k=5, exclude_own_group=True)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = KNNPriorBlender(Embedder(), alpha=1.0, k=5, exclude_own_group=True)
        routed.set_fit_request(groups=True).set_score_request(groups=True)
        result = cross_validate(routed, X, y, cv=cv, params={"groups": groups})
        with pytest.warns(UserWarning, match="needs groups at prediction too"):
            by_scorer = cross_validate(routed, X, y, cv=cv, params={"groups": groups}, scoring="f1_macro")
    for score, (train, test) in zip(result["test_score"], cv.split(X, y)):
        fitted = blender.fit(X[train], y[train], groups=groups[train])
        assert score == fitted.score(X[test], y[test], groups=groups[test])
    assert np.isnan(by_scorer["test_score"]).all()


def test_rows_of_weight_zero_stay_out_of_the_bank(clips):
    X, y, groups = clips
    weights = (np.arange(120) % 4 > 0).astype(float)
    kept = weights > 0
    blender = KNNPriorBlender(Embedder()).fit(X, y, groups=groups, sample_weight=weights)
    small = KNNPriorBlender(Embedder()).fit(X[kept], y[kept], groups=groups[kept])
    np.testing.assert_array_equal(blender.bank_, small.bank_)
    np.testing.assert_array_equal(blender.bank_rows_, np.flatnonzero(kept))
    np.testing.assert_array_equal(blender.bank_groups_, groups[kept])
    np.testing.assert_allclose(blender.predict_proba(X), small.predict_proba(X), atol=1e-3)
    assert set(blender.explain(X[:5])["neighbour"]) <= set(np.flatnonzero(kept))


def test_weights_that_leave_one_class(clips):
    X, y, _ = clips
    with pytest.raises(ValueError, match="sample_weight is 0 for all rows but those of one class"):
        KNNPriorBlender(Embedder()).fit(X, y, sample_weight=y == "fx-a")


def test_leave_one_out_never_sees_the_row(clips):
    X, y, groups = clips
    blender = KNNPriorBlender(Embedder(), alpha=0.4, k=4, embedding="blocks", exclude_own_group=True)
    blender.fit(X, y, groups=groups)
    rows = np.hstack([unit(X["audio"]), unit(X["text"])])
    forbidden = groups[:, None] == groups[None, :]
    prior = slow_prior(rows, rows, y, blender.classes_, 4, 0.1, forbidden)
    expected = 0.6 * blender.estimator_.predict_proba(X) + 0.4 * prior
    np.testing.assert_allclose(blender.leave_one_out_proba(), expected, atol=1e-5)
    blender.set_params(exclude_own_group=False)
    prior = slow_prior(rows, rows, y, blender.classes_, 4, 0.1, np.eye(120, dtype=bool))
    expected = 0.6 * blender.train_proba_ + 0.4 * prior
    np.testing.assert_allclose(blender.leave_one_out_proba(), expected, atol=1e-5)


def test_results_do_not_depend_on_the_batch(clips):
    X, y, _ = clips
    blender = KNNPriorBlender(Embedder(), alpha=1.0).fit(X, y)
    whole = blender.predict_proba(X)
    single = np.vstack([blender.predict_proba(X[i : i + 1]) for i in range(0, 120, 7)])
    np.testing.assert_array_equal(whole[::7], single)


def test_search_in_a_pipeline(clips):
    X, y, _ = clips
    pipe = sklearn.pipeline.Pipeline([("blend", KNNPriorBlender(Embedder()))])
    grid = {"blend__alpha": [0.0, 0.5], "blend__k": [3, 9], "blend__estimator__C": [0.1]}
    search = GridSearchCV(pipe, grid, cv=3).fit(X, y)
    assert search.best_params_["blend__k"] in (3, 9)
    assert len(search.cv_results_["params"]) == 4


def test_calibration_inside_and_around(clips):
    X, y, _ = clips
    inside = KNNPriorBlender(CalibratedClassifierCV(LogisticRegression(), cv=3)).fit(np.asarray(X), y)
    assert inside.score(np.asarray(X), y) > 0.5
    for method in ("sigmoid", "isotonic", "temperature"):
        around = CalibratedClassifierCV(KNNPriorBlender(Embedder()), cv=3, method=method).fit(X, y)
        np.testing.assert_allclose(around.predict_proba(X).sum(axis=1), 1)


def test_same_scores_for_any_number_of_jobs(clips):
    X, y, _ = clips
    one, two = (
        cross_validate(KNNPriorBlender(LogisticRegression()), np.asarray(X), y, cv=3, n_jobs=n)["test_score"]
        for n in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_pickle_loads_in_a_fresh_process(clips, tmp_path):
    X, y, _ = clips
    X = np.asarray(X)
    blender = KNNPriorBlender(LogisticRegression()).fit(X, y, metadata=pd.DataFrame({"title": y}))
    (tmp_path / "blender.pkl").write_bytes(pickle.dumps(blender))
    np.save(tmp_path / "X.npy", X)
    code = (
        "import pickle, numpy as np, sys; blender = pickle.load(open('blender.pkl', 'rb'));"
        "np.save('proba.npy', blender.predict_proba(np.load('X.npy'))); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "proba.npy"), blender.predict_proba(X))


@pytest.mark.parametrize(
    ("blender", "message"),
    [
        (KNNPriorBlender(LinearSVC()), "Wrap it in sklearn.calibration.CalibratedClassifierCV"),
        (KNNPriorBlender(LogisticRegression(), embedding="model"), "needs an estimator with an embed method"),
        (KNNPriorBlender(LogisticRegression(), blocks=["clap_audio"]), "names blocks of a FeatureBundle"),
        (KNNPriorBlender(LogisticRegression(), alpha=1.5), "alpha"),
        (KNNPriorBlender(LogisticRegression(), k=0), "'k'"),
        (KNNPriorBlender(LogisticRegression(), temperature=0), "temperature"),
    ],
)
def test_bad_settings_are_refused(clips, blender, message):
    X, y, _ = clips
    with pytest.raises(ValueError, match=message):
        blender.fit(np.asarray(X), y)


def test_unusable_bundles_are_refused(clips):
    X, y, _ = clips
    framed = FeatureBundle({"log_mel": np.zeros((120, 3, 2))})
    with pytest.raises(DataFormatError, match="no 2-D block to find neighbours by"):
        retrieval_embedding(framed)
    with pytest.raises(DataFormatError, match=r"\['log_mel'\] of .* are not"):
        retrieval_embedding(framed, blocks=["log_mel"])
    with pytest.raises(DataFormatError, match="metadata must be a DataFrame"):
        KNNPriorBlender(Embedder()).fit(X, y, metadata=["a"] * 120)
    with pytest.raises(ValueError, match="inconsistent"):
        KNNPriorBlender(Embedder()).fit(X, y, groups=["a"])
