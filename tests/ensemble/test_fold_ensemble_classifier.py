import pickle

import numpy as np
import pytest
import sklearn
from scipy.special import softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, RepeatedStratifiedKFold, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skbst.ensemble import FoldEnsembleClassifier, HierarchicalVotingClassifier
from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle
from skbst.metrics import hierarchical_f1_score

CODES = np.array(["fx-a", "fx-h", "m-m", "m-si", "ss-n"])
CV = StratifiedKFold(4, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    label = np.arange(150) % 5
    return rng.standard_normal((150, 6)) + np.eye(6)[label], CODES[label]


@pytest.mark.parametrize("voting", ["logit", "soft"])
def test_average_of_the_fold_models(clips, voting):
    X, y = clips
    new = np.random.default_rng(1).standard_normal((20, 6))
    ensemble = FoldEnsembleClassifier(LogisticRegression(), cv=CV, voting=voting).fit(X, y)
    models = [LogisticRegression().fit(X[train], y[train]) for train, _ in CV.split(X, y)]
    if voting == "logit":
        expected = softmax(np.mean([model.decision_function(new) for model in models], axis=0), axis=1)
    else:
        expected = np.mean([model.predict_proba(new) for model in models], axis=0)
    np.testing.assert_allclose(ensemble.predict_proba(new), expected, rtol=1e-9)
    np.testing.assert_array_equal(ensemble.predict(new), CODES[expected.argmax(axis=1)])


def test_out_of_fold_predictions_are_those_of_cross_validation(clips):
    X, y = clips
    ensemble = FoldEnsembleClassifier(LogisticRegression(), cv=CV).fit(X, y)
    expected = cross_val_predict(LogisticRegression(), X, y, cv=CV, method="predict_proba")
    np.testing.assert_allclose(ensemble.oof_proba_, expected, rtol=1e-9)
    predicted = CODES[expected.argmax(axis=1)]
    np.testing.assert_array_equal(ensemble.oof_predictions_, predicted)
    np.testing.assert_array_equal(ensemble.oof_rows_, np.arange(150))
    assert ensemble.oof_score_ == pytest.approx(hierarchical_f1_score(y, predicted))
    folds = [hierarchical_f1_score(y[test], predicted[test]) for _, test in CV.split(X, y)]
    np.testing.assert_allclose(ensemble.fold_scores_, folds)


def test_repeated_folds_are_averaged(clips):
    X, y = clips
    cv = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
    ensemble = FoldEnsembleClassifier(LogisticRegression(), cv=cv, voting="soft").fit(X, y)
    expected = np.zeros((150, 5))
    for train, test in cv.split(X, y):
        expected[test] += LogisticRegression().fit(X[train], y[train]).predict_proba(X[test]) / 2
    assert len(ensemble.estimators_) == 6
    np.testing.assert_allclose(ensemble.oof_proba_, expected, rtol=1e-9)


def test_extra_rows_are_never_tested(clips):
    X, y = clips
    extra = np.arange(100, 150)
    splits = [(np.r_[train, extra], test) for train, test in StratifiedKFold(3).split(X[:100], y[:100])]
    ensemble = FoldEnsembleClassifier(GaussianNB(), cv=splits).fit(X, y)
    np.testing.assert_array_equal(ensemble.oof_rows_, np.arange(100))
    assert ensemble.oof_proba_.shape == (100, 5)
    assert np.isfinite(ensemble.oof_proba_).all()


@pytest.mark.filterwarnings("ignore:The least populated class")
def test_a_class_that_a_fold_lacks(clips):
    X, y = clips
    y = y.copy()
    y[7] = "is-p"
    ensemble = FoldEnsembleClassifier(GaussianNB(), cv=3).fit(X, y)
    assert "is-p" in ensemble.classes_
    np.testing.assert_allclose(ensemble.predict_proba(X).sum(axis=1), 1)
    column = ensemble.classes_.tolist().index("is-p")
    assert ensemble.oof_proba_[7, column] < 1e-9


def test_groups_weights_and_routing(clips):
    X, y = clips
    groups = np.arange(150) // 5
    ensemble = FoldEnsembleClassifier(GaussianNB(), cv=GroupKFold(3)).fit(X, y, groups=groups)
    for test in ensemble.test_rows_:
        assert not set(groups[test]) & set(np.delete(groups, test))
    weight = np.random.default_rng(0).uniform(0.1, 5, 150)
    weighted = FoldEnsembleClassifier(GaussianNB(), cv=GroupKFold(3)).fit(X, y, groups=groups, sample_weight=weight)
    with sklearn.config_context(enable_metadata_routing=True):
        inner = GaussianNB().set_fit_request(sample_weight=True)
        routed = FoldEnsembleClassifier(inner, cv=GroupKFold(3)).fit(X, y, groups=groups, sample_weight=weight)
    np.testing.assert_array_equal(routed.oof_proba_, weighted.oof_proba_)
    assert not np.allclose(weighted.oof_proba_, ensemble.oof_proba_)


class Grouped(GaussianNB):
    def fit(self, X, y, groups=None):
        self.groups_ = groups
        return super().fit(X, y)


def test_clones_that_take_groups_get_those_of_their_rows(clips):
    X, y = clips
    groups = np.arange(150) // 5
    vote = HierarchicalVotingClassifier([("a", Grouped()), ("b", Grouped())])
    for inner in (Grouped(), vote):
        ensemble = FoldEnsembleClassifier(inner, cv=GroupKFold(3)).fit(X, y, groups=groups)
        for clone, test in zip(ensemble.estimators_, ensemble.test_rows_):
            for member in getattr(clone, "estimators_", [clone]):
                np.testing.assert_array_equal(member.groups_, np.delete(groups, test))
    mixed = HierarchicalVotingClassifier([("a", Grouped()), ("b", GaussianNB())])
    fitted = FoldEnsembleClassifier(mixed, cv=GroupKFold(3)).fit(X, y, groups=groups)
    for clone, test in zip(fitted.estimators_, fitted.test_rows_):
        np.testing.assert_array_equal(clone.estimators_[0].groups_, np.delete(groups, test))


def test_random_state_seeds_each_clone(clips):
    X, y = clips
    network = MLPClassifier((4,), max_iter=3)
    with pytest.warns(Warning, match="Maximum iterations"):
        one, two = (FoldEnsembleClassifier(network, cv=3, random_state=0, n_jobs=n).fit(X, y) for n in (1, None))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    seeds = {estimator.random_state for estimator in one.estimators_}
    assert len(seeds) == 3


def test_bundles_decoding_and_calibration(clips):
    X, y = clips
    bundle = FeatureBundle({"audio": X[:, :3], "text": X[:, 3:]})
    ensemble = FoldEnsembleClassifier(GaussianNB(), cv=CV, decode="top-down").fit(bundle, y)
    top = ensemble.predict_top_proba(bundle)
    np.testing.assert_array_equal(ensemble.predict_top(bundle), ensemble.top_classes_[top.argmax(axis=1)])
    leaf = FoldEnsembleClassifier(GaussianNB(), cv=CV).fit(X, y)
    np.testing.assert_array_equal(leaf.oof_proba_, ensemble.oof_proba_)
    assert (leaf.oof_predictions_ != ensemble.oof_predictions_).any()
    calibrated = CalibratedClassifierCV(FoldEnsembleClassifier(GaussianNB(), cv=3), cv=2).fit(X, y)
    assert calibrated.predict_proba(X).shape == (150, 5)


def test_same_result_for_any_number_of_jobs_and_from_a_pickle(clips):
    X, y = clips
    one, two = (FoldEnsembleClassifier(LogisticRegression(), cv=CV, n_jobs=n).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    np.testing.assert_array_equal(one.oof_proba_, two.oof_proba_)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(one)).predict_proba(X), one.predict_proba(X))


def test_needs_probabilities(clips):
    with pytest.raises(ValueError, match="has no predict_proba"):
        FoldEnsembleClassifier(LinearSVC()).fit(*clips)


class Remembering(GaussianNB):
    """Remembers the rows of its fit, which stand in the last column."""

    def fit(self, X, y, train_only=None):
        self.rows_, self.train_only_ = X[:, -1].astype(int), train_only
        return super().fit(X, y)


@pytest.mark.parametrize("in_a_pipeline", [False, True])
@pytest.mark.parametrize(
    "cv", [3, KFold(4), [(np.arange(75), np.arange(75, 150)), (np.arange(75, 150), np.arange(75))]]
)
def test_extra_rows_are_never_tested_whatever_the_folds(clips, in_a_pipeline, cv):
    X, y = clips
    X = np.c_[X, np.arange(150)]
    extra = np.random.default_rng(0).random(150) < 0.4
    inner = make_pipeline(Remembering()) if in_a_pipeline else Remembering()
    name = "remembering__train_only" if in_a_pipeline else "train_only"
    ensemble = FoldEnsembleClassifier(inner, cv=cv).fit(X, y, **{name: extra})
    np.testing.assert_array_equal(ensemble.oof_rows_, np.flatnonzero(~extra))
    for clone, test in zip(ensemble.estimators_, ensemble.test_rows_):
        clone = clone[-1] if in_a_pipeline else clone
        np.testing.assert_array_equal(clone.rows_, np.setdiff1d(np.arange(150), test))
        np.testing.assert_array_equal(clone.train_only_, extra[clone.rows_])


def test_an_extra_row_of_a_tested_uploader_joins_neither_part(clips):
    X, y = clips
    X, extra, groups = np.c_[X, np.arange(150)], np.arange(150) % 2 == 0, np.arange(150) // 10
    ensemble = FoldEnsembleClassifier(Remembering(), cv=GroupKFold(3)).fit(X, y, train_only=extra, groups=groups)
    for clone, test in zip(ensemble.estimators_, ensemble.test_rows_):
        assert not extra[test].any()
        assert not set(groups[clone.rows_]) & set(groups[test])


def test_nothing_but_extra_rows_in_a_fold(clips):
    X, y = clips
    with pytest.raises(DataFormatError, match="All 50 test rows of fold 0 are train_only"):
        FoldEnsembleClassifier(Remembering(), cv=KFold(3)).fit(X, y, train_only=np.arange(150) < 50)
    with pytest.raises(DataFormatError, match="must be a mask"):
        FoldEnsembleClassifier(Remembering(), cv=3).fit(X, y, train_only=np.arange(150))
