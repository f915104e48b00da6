import pickle
import subprocess
import sys

import numpy as np
import pytest
import sklearn
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skbst.ensemble import FoldEnsembleClassifier, HierarchicalDecoder, HierarchicalVotingClassifier
from skbst.exceptions import DataFormatError
from skbst.features import BlockSelector, FeatureBundle
from skbst.model_selection import BSDGrandKFold
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier, KNNDistillationClassifier
from skbst.taxonomy import BST, Taxonomy

CODES = np.array(["fx-a", "fx-h", "m-m", "m-si", "ss-n"])


class Logits(ClassifierMixin, BaseEstimator):
    """A network without training: its logits are linear in X; remembers the labels that it saw."""

    def __init__(self, seed=0):
        self.seed = seed

    def fit(self, X, y, sample_weight=None):
        self.seen_, self.sample_weight_ = y, sample_weight
        self.classes_ = np.unique(y)
        self.weights_ = np.random.default_rng(self.seed).standard_normal((np.shape(X)[1], len(self.classes_)))
        return self

    def logits(self, X):
        return np.asarray(X) @ self.weights_

    def predict_log_proba(self, X):
        return log_softmax(self.logits(X), axis=1)

    def predict_proba(self, X):
        return softmax(self.logits(X), axis=1)

    def predict(self, X):
        return self.classes_[self.logits(X).argmax(axis=1)]


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    label = np.arange(150) % 5
    return rng.standard_normal((150, 6)) + np.eye(6)[label], CODES[label]


def members():
    return [("one", Logits(1)), ("two", Logits(2)), ("three", Logits(3))]


def test_logits_are_averaged_with_weights(clips):
    X, y = clips
    voting = HierarchicalVotingClassifier(members(), weights=[0.4, 0.2, 0.4]).fit(X, y)
    one, two, three = (member.logits(X) for member in voting.estimators_)
    mean = 0.4 * one + 0.2 * two + 0.4 * three
    np.testing.assert_allclose(voting.predict_proba(X), softmax(mean, axis=1), rtol=1e-9)
    np.testing.assert_array_equal(voting.predict(X), CODES[mean.argmax(axis=1)])
    np.testing.assert_allclose(voting.predict_log_proba(X), log_softmax(mean, axis=1), rtol=1e-9)
    np.testing.assert_allclose(voting.decision_function(X), voting.predict_log_proba(X), rtol=1e-9)
    voting.set_params(weights=[4, 2, 4])
    np.testing.assert_allclose(voting.predict_proba(X), softmax(mean, axis=1), rtol=1e-9)


@pytest.mark.parametrize("voting", ["soft", "hard"])
@pytest.mark.parametrize("weights", [None, [1, 3, 1]])
def test_soft_and_hard_are_scikit_learns(clips, voting, weights):
    X, y = clips
    ours = HierarchicalVotingClassifier(members(), voting=voting, weights=weights).fit(X, y)
    theirs = VotingClassifier(members(), voting=voting, weights=weights).fit(X, y)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), rtol=1e-9)
    assert hasattr(ours, "predict_proba") == hasattr(theirs, "predict_proba") == (voting == "soft")
    assert hasattr(ours, "predict_top_proba") == (voting == "soft")
    if voting == "soft":
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("voting", ["logit", "soft", "hard"])
@pytest.mark.parametrize("decode", ["leaf", "top-down", "expected-credit"])
def test_both_levels_agree(clips, voting, decode):
    X, y = clips
    model = HierarchicalVotingClassifier(members(), voting=voting, decode=decode).fit(X, y)
    np.testing.assert_array_equal(model.predict_top(X), BST.top_of(model.predict(X)))
    if voting != "hard":
        top = model.predict_top_proba(X)
        np.testing.assert_allclose(top.sum(axis=1), 1)
        np.testing.assert_allclose(top[:, 0], model.predict_proba(X)[:, :2].sum(axis=1))
        assert model.top_classes_.tolist() == ["fx", "m", "ss"]
        if decode == "top-down":
            np.testing.assert_array_equal(model.predict_top(X), model.top_classes_[top.argmax(axis=1)])


def test_members_see_class_codes(clips):
    X, y = clips
    model = HierarchicalVotingClassifier(members()).fit(X, y)
    np.testing.assert_array_equal(model.estimators_[0].seen_, y)
    np.testing.assert_array_equal(model.named_estimators_["two"].classes_, CODES)
    np.testing.assert_array_equal(model.le_.transform(CODES), np.arange(5))


def test_tree_networks_find_their_tree(clips):
    X, y = clips
    networks = [
        (head, BranchClassifier(head=head, size="small", max_epochs=2, random_state=0)) for head in ("lcl", "baseline")
    ]
    model = HierarchicalVotingClassifier(networks).fit(X, y)
    assert model.named_estimators_["lcl"].top_classes_.tolist() == ["fx", "m", "ss"]
    lcl, baseline = (member.decision_function(X) for member in model.estimators_)
    np.testing.assert_allclose(model.predict_proba(X), softmax((lcl + baseline) / 2, axis=1), rtol=1e-5)


def test_frozen_members_with_other_classes(clips):
    X, y = clips
    more = np.where(np.arange(150) < 10, "is-p", y)
    few = np.isin(y, ["fx-a", "m-m"])
    wide, narrow = LogisticRegression().fit(X, more), LogisticRegression().fit(X[few], y[few])
    model = HierarchicalVotingClassifier(
        [("wide", FrozenEstimator(wide)), ("narrow", FrozenEstimator(narrow)), ("own", LogisticRegression())]
    ).fit(X, y)
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    wide_log = np.maximum(wide.predict_log_proba(X), np.log(1e-12))
    narrow_log = np.full((150, 5), np.log(1e-12))
    narrow_log[:, [0, 2]] = narrow.predict_log_proba(X)
    own_log = LogisticRegression().fit(X, y).predict_log_proba(X)
    columns = [wide.classes_.tolist().index(code) for code in CODES]
    expected = softmax((wide_log[:, columns] + narrow_log + own_log) / 3, axis=1)
    np.testing.assert_allclose(proba, expected, rtol=1e-9)
    model.set_params(voting="hard").fit(X, y)
    wide.coef_[:], wide.intercept_[:] = 0, np.eye(6)[wide.classes_.tolist().index("is-p")]
    with pytest.raises(ValueError, match=r"Member 'wide' predicts .*is-p.*, which is no class"):
        model.predict(X)


def test_a_forest_that_says_zero_does_not_rule_out(clips):
    X, y = clips
    forest = RandomForestClassifier(5, random_state=0)
    with np.errstate(divide="raise"):
        model = HierarchicalVotingClassifier([("forest", forest), ("linear", LogisticRegression())]).fit(X, y)
        assert (model.estimators_[0].predict_proba(X) == 0).any()
        assert np.isfinite(model.predict_log_proba(X)).all()
        assert np.isfinite(model.transform(X)).all()


def test_members_with_their_own_blocks(clips):
    X, y = clips
    bundle = FeatureBundle({"audio": X[:, :3], "text": X[:, 3:], "log_mel": np.zeros((150, 4, 2))})
    model = HierarchicalVotingClassifier(
        [
            ("audio", make_pipeline(BlockSelector(["audio"]), StandardScaler(), LogisticRegression())),
            ("text", make_pipeline(BlockSelector(["text"]), GaussianNB())),
        ]
    ).fit(bundle, y)
    audio = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:, :3], y).predict_log_proba(X[:, :3])
    text = np.maximum(GaussianNB().fit(X[:, 3:], y).predict_log_proba(X[:, 3:]), np.log(1e-12))
    np.testing.assert_allclose(model.predict_proba(bundle), softmax((audio + text) / 2, axis=1), rtol=1e-6)
    assert cross_val_score(model, bundle, y, cv=3).mean() > 0.4


def test_search_calibration_and_drop(clips):
    X, y = clips
    model = HierarchicalVotingClassifier([("linear", LogisticRegression()), ("bayes", GaussianNB())])
    grid = {"weights": [[1, 0], [1, 1]], "linear__C": [0.1, 1], "decode": ["leaf", "top-down"]}
    assert GridSearchCV(model, grid, cv=3).fit(X, y).best_score_ > 0.4
    around = CalibratedClassifierCV(model, cv=3, method="temperature").fit(X, y)
    np.testing.assert_allclose(around.predict_proba(X).sum(axis=1), 1)
    inside = [("svm", CalibratedClassifierCV(LinearSVC(), cv=3)), ("bayes", GaussianNB())]
    assert HierarchicalVotingClassifier(inside).fit(X, y).predict_proba(X).shape == (150, 5)
    dropped = clone(model).set_params(bayes="drop", weights=[2, 5]).fit(X, y)
    np.testing.assert_allclose(dropped.predict_proba(X), LogisticRegression().fit(X, y).predict_proba(X), rtol=1e-9)


def test_transform_names_its_columns(clips):
    X, y = clips
    model = HierarchicalVotingClassifier(members()).fit(X, y)
    table = model.set_output(transform="pandas").transform(X)
    assert table.shape == (150, 15)
    assert table.columns[0] == "hierarchicalvotingclassifier_one_fx-a"
    np.testing.assert_allclose(table.iloc[:, 5:10], log_softmax(model.estimators_[1].logits(X), axis=1))
    model.set_output(transform="default")
    assert model.set_params(flatten_transform=False).transform(X).shape == (3, 150, 5)
    with pytest.raises(ValueError, match="flatten_transform=True"):
        model.get_feature_names_out()
    hard = HierarchicalVotingClassifier(members(), voting="hard").fit(X, y)
    assert hard.get_feature_names_out()[2] == "hierarchicalvotingclassifier_three"


def test_sample_weight_and_routing(clips):
    X, y = clips
    weight = np.arange(150) + 1.0
    model = HierarchicalVotingClassifier(members()[:2]).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(model.estimators_[1].sample_weight_, weight)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = [
            ("one", Logits(1).set_fit_request(sample_weight=True)),
            ("two", Logits(2).set_fit_request(sample_weight=False)),
        ]
        model = HierarchicalVotingClassifier(routed).fit(X, y, sample_weight=weight)
    assert model.estimators_[0].sample_weight_ is not None
    assert model.estimators_[1].sample_weight_ is None


class Validating(Logits):
    """Remembers the rows that it may not validate on, and the targets that neighbours gave."""

    def fit(self, X, y, sample_weight=None, *, train_only=None, soft_targets=None):
        self.train_only_, self.soft_targets_ = train_only, soft_targets
        return super().fit(X, y, sample_weight)


def test_fit_parameters_reach_all_members(clips):
    X, y = clips
    extra, weight = np.arange(150) % 5 == 0, np.arange(150) + 1.0
    model = HierarchicalVotingClassifier([("one", Validating(1)), ("two", Validating(2))])
    model.fit(X, y, train_only=extra, sample_weight=weight)
    for member in model.estimators_:
        np.testing.assert_array_equal(member.train_only_, extra)
        np.testing.assert_array_equal(member.sample_weight_, weight)


def test_fit_parameters_that_a_member_does_not_take(clips):
    X, y = clips
    for other in (LogisticRegression(), make_pipeline(StandardScaler(), Validating())):
        model = HierarchicalVotingClassifier([("one", Validating(1)), ("other", other)])
        message = rf"Member 'other' \({type(other).__name__}\).*'train_only'.*metadata routing"
        with pytest.raises(TypeError, match=message):
            model.fit(X, y, train_only=np.arange(150) % 5 == 0)
        assert model.fit(X, y, train_only=None).score(X, y) >= 0
    with sklearn.config_context(enable_metadata_routing=True):
        routed = [("one", Validating(1).set_fit_request(train_only=True)), ("linear", LogisticRegression())]
        model = HierarchicalVotingClassifier(routed).fit(X, y, train_only=np.arange(150) % 5 == 0)
    assert model.estimators_[0].train_only_.sum() == 30


@pytest.mark.parametrize("per_fold", [False, True])
def test_mask_of_extra_rows_reaches_every_network(clips, per_fold):
    """BSD-Grand in the shape of Systems 2 to 4: a pipeline, a vote or a vote on each fold, distillation in it."""
    X, y = clips
    extra = np.arange(150) % 3 == 0
    vote = HierarchicalVotingClassifier([("plain", Validating()), ("kd", KNNDistillationClassifier(Validating()))])
    cv = BSDGrandKFold(extra)
    model = FoldEnsembleClassifier(vote, cv=cv) if per_fold else vote
    pipe = Pipeline([("scale", StandardScaler()), ("classifier", model)]).fit(X, y, classifier__train_only=extra)
    votes = pipe[-1].estimators_ if per_fold else [pipe[-1]]
    masks = [extra[train] for train, _ in cv.split(X, y)] if per_fold else [extra]
    for fitted, mask in zip(votes, masks, strict=True):
        assert mask.sum() == 50
        np.testing.assert_array_equal(fitted.estimators_[0].train_only_, mask)
        np.testing.assert_array_equal(fitted.estimators_[1].student_.train_only_, mask)
    if per_fold:
        np.testing.assert_array_equal(pipe[-1].oof_rows_, np.flatnonzero(~extra))


def test_mask_of_extra_rows_in_a_cross_validation(clips):
    X, y = clips
    extra = np.arange(150) % 3 == 0
    pipe = Pipeline(
        [("scale", StandardScaler()), ("classifier", HierarchicalVotingClassifier([("one", Validating())]))]
    )
    cv, params = BSDGrandKFold(extra), {"classifier__train_only": extra}
    result = cross_validate(pipe, X, y, cv=cv, params=params, return_estimator=True)
    for fitted, (train, _) in zip(result["estimator"], cv.split(X, y), strict=True):
        np.testing.assert_array_equal(fitted[-1].estimators_[0].train_only_, extra[train])


def test_blender_that_leaves_the_own_group_out_goes_around_the_vote(clips):
    X, y = clips
    groups = np.arange(150) // 5 % 9
    with sklearn.config_context(enable_metadata_routing=True):
        blender = KNNPriorBlender(LogisticRegression(), exclude_own_group=True).set_fit_request(groups=True)
        vote = HierarchicalVotingClassifier([("blender", blender)]).fit(X, y, groups=groups)
        decoder = HierarchicalDecoder(blender).fit(X, y, groups=groups)
        for model in (vote, decoder):
            with pytest.raises(ValueError, match="needs groups at prediction too"):
                model.predict(X)
        with pytest.raises(ValueError, match="needs groups at prediction too"):
            FoldEnsembleClassifier(blender, cv=3).fit(X, y, groups=groups)
    vote = HierarchicalVotingClassifier([("linear", LogisticRegression()), ("bayes", GaussianNB())])
    around = KNNPriorBlender(vote, alpha=1.0, k=3, exclude_own_group=True).fit(X, y, groups=groups)
    _, indices = around.kneighbors(X, groups=groups)
    assert (groups[indices] != groups[:, None]).all()
    assert around.predict_proba(X, groups=groups).shape == (150, 5)


@pytest.mark.parametrize("by_group", [False, True])
def test_distillation_leaves_the_own_group_out_in_a_routed_vote(clips, by_group):
    X, y = clips
    groups = np.array([f"user{i}" for i in np.arange(150) // 5 % 9])
    with sklearn.config_context(enable_metadata_routing=True):
        student = KNNDistillationClassifier(Validating(), k=4, temperature=0.2, exclude_own_group=by_group)
        routed = [("kd", student.set_fit_request(groups="uploader")), ("linear", LogisticRegression())]
        model = HierarchicalVotingClassifier(routed).fit(X, y, uploader=groups)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    expected = np.zeros((150, 5))
    for i in range(150):
        others = np.flatnonzero(groups != groups[i] if by_group else np.arange(150) != i)
        nearest = others[np.argsort(-(unit[others] @ unit[i]))[:4]]
        np.add.at(expected[i], np.searchsorted(CODES, y[nearest]), softmax(unit[nearest] @ unit[i] / 0.2))
    np.testing.assert_allclose(model.estimators_[0].student_.soft_targets_, expected, atol=1e-5)


def test_other_labels_and_trees(clips):
    X, y = clips
    numbers = np.searchsorted(CODES, y) * 2
    model = HierarchicalVotingClassifier(members()).fit(X, numbers)
    assert set(model.predict(X)) <= {0, 2, 4, 6, 8}
    np.testing.assert_array_equal(model.predict_top(X), model.predict(X).astype(str))
    tree = Taxonomy(dict.fromkeys(CODES, "top"))
    assert HierarchicalVotingClassifier(members(), taxonomy=tree).fit(X, y).top_classes_.tolist() == ["top"]
    with pytest.raises(DataFormatError, match="not leaves of the taxonomy"):
        HierarchicalVotingClassifier(members(), taxonomy=Taxonomy({"a": "b"})).fit(X, y)


def test_two_classes(clips):
    X, y = clips
    two = np.isin(y, ["fx-a", "m-m"])
    model = HierarchicalVotingClassifier(members()).fit(X[two], y[two])
    proba = model.predict_proba(X)
    np.testing.assert_allclose(model.decision_function(X), np.log(proba[:, 1] / proba[:, 0]))


def test_jobs_and_fresh_process(clips, tmp_path):
    X, y = clips
    named = [("linear", LogisticRegression()), ("bayes", GaussianNB())]
    model = HierarchicalVotingClassifier(named, n_jobs=2).fit(X, y)
    one = HierarchicalVotingClassifier(named).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), one.predict_proba(X))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    np.save(tmp_path / "X.npy", X)
    code = (
        "import pickle, numpy as np, sys; model = pickle.load(open('model.pkl', 'rb'));"
        "np.save('top.npy', model.predict_top(np.load('X.npy'))); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "top.npy"), model.predict_top(X))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"estimators": [("svm", LinearSVC())]}, "member 'svm' .LinearSVC. has no predict_proba"),
        ({"weights": [1, -1, 1]}, "weights must be finite, not negative"),
        ({"weights": [0, 0, 0]}, "not all 0"),
        ({"weights": [1]}, "Number of `estimators` and weights must be equal"),
        ({"voting": "loud"}, "voting"),
        ({"decode": "loud"}, "decode"),
        ({"min_proba": 0.5}, "min_proba"),
    ],
)
def test_bad_settings_are_refused(clips, settings, message):
    with pytest.raises(ValueError, match=message):
        HierarchicalVotingClassifier(**{"estimators": members(), **settings}).fit(*clips)


def test_margins_may_vote_hard(clips):
    X, y = clips
    assert HierarchicalVotingClassifier([("svm", LinearSVC())], voting="hard").fit(X, y).score(X, y) > 0.5
