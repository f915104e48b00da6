import pickle
import subprocess
import sys

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from skbst.features import FeatureBundle
from skbst.neighbors import KNNPriorBlender
from skbst.neural import KNNDistillationClassifier
from tests.neural.conftest import make_network


class Recorder(ClassifierMixin, BaseEstimator):
    """A linear student that remembers what it was given."""

    def __init__(self, distillation_weight=0.5, log=None):
        self.distillation_weight = distillation_weight
        self.log = log

    def fit(self, X, y, sample_weight=None, *, groups=None, soft_targets=None):
        if self.log is not None:
            with open(self.log, "a") as file:
                file.write("student\n" if soft_targets is not None else "teacher\n")
        self.model_ = LogisticRegression().fit(np.asarray(X), y, sample_weight=sample_weight)
        self.soft_targets_, self.sample_weight_, self.groups_ = soft_targets, sample_weight, groups
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(np.asarray(X))

    def predict_proba(self, X):
        return self.model_.predict_proba(np.asarray(X))


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    y = np.array(["fx-a", "m-sp", "ss-n"])[np.arange(90) % 3]
    centres = np.eye(5)[np.arange(90) % 3]
    bundle = FeatureBundle(
        {
            "audio": (rng.standard_normal((90, 5)) + 1.5 * centres).astype(np.float32),
            "text": (rng.standard_normal((90, 5)) + centres).astype(np.float32),
        }
    )
    return bundle, y, np.array([f"user{i % 9}" for i in range(90)])


def network(**settings):
    return make_network(size="small", max_epochs=4, random_state=0, **settings)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def slow_targets(X, y, k, temperature, groups=None):
    rows = np.hstack([unit(X["audio"]), unit(X["text"])]).astype(float)
    cosines = unit(rows) @ unit(rows).T
    targets = np.zeros((len(y), 3))
    for i in range(len(y)):
        others = [j for j in np.argsort(-cosines[i]) if j != i and (groups is None or groups[i] != groups[j])][:k]
        weights = np.exp(cosines[i, others] / temperature)
        for j, weight in zip(others, weights / weights.sum()):
            targets[i, np.unique(y).tolist().index(y[j])] += weight
    return targets


@pytest.mark.parametrize("by_group", [False, True])
def test_targets_leave_the_row_and_its_group_out(clips, by_group):
    X, y, groups = clips
    model = KNNDistillationClassifier(Recorder(), k=4, temperature=0.2, exclude_own_group=by_group)
    model.fit(X, y, groups=groups)
    expected = slow_targets(X, y, 4, 0.2, groups if by_group else None)
    np.testing.assert_allclose(model.student_.soft_targets_, expected, atol=1e-5)
    np.testing.assert_array_equal(model.neighbour_targets_, model.student_.soft_targets_)
    assert model.student_.distillation_weight == 1.0
    assert model.set_params(distillation_weight=None).fit(X, y, groups=groups).student_.distillation_weight == 0.5


def test_own_label_does_not_come_back():
    """A mislabelled clip among clips of one class gets that class, and nothing of its own label."""
    X = np.ones((30, 2)) + 0.01 * np.random.default_rng(0).standard_normal((30, 2))
    y = np.array([1] + [0] * 28 + [1])
    model = KNNDistillationClassifier(Recorder(), k=5)
    assert model.fit(X, y).neighbour_targets_[0, 1] < 0.5
    y[-1] = 0
    y = np.append(y, [1, 1])
    X = np.vstack([X, [[-1, -1], [-1, -1.1]]])
    assert model.fit(X, y).neighbour_targets_[0].tolist() == [1, 0]


def test_student_is_the_network_trained_with_these_targets(clips):
    X, y, _ = clips
    model = KNNDistillationClassifier(network(), k=4, distillation_weight=0.7).fit(X, y)
    teacher = network().fit(X, y)
    bank = KNNPriorBlender(FrozenEstimator(teacher)).fit(X, y).bank_
    assert bank.shape[1] == 10 + teacher.embed(X).shape[1]
    student = network(distillation_weight=0.7).fit(X, y, soft_targets=model.neighbour_targets_)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function", "predict_top_proba", "embed"):
        np.testing.assert_array_equal(getattr(model, method)(X), getattr(student, method)(X))
    for one, other in zip(model.embed_predict_proba(X), (student.embed(X), student.predict_proba(X))):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(model.predict_proba(X), teacher.predict_proba(X))
    again = clone(model).set_params(teacher=FrozenEstimator(teacher)).fit(X, y)
    np.testing.assert_array_equal(again.neighbour_targets_, model.neighbour_targets_)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_weight_zero_is_plain_training(clips):
    X, y, _ = clips
    model = KNNDistillationClassifier(network(), distillation_weight=0.0).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), network().fit(X, y).predict_proba(X), atol=1e-6)


def test_string_labels_in_pipeline_search_and_calibration(clips):
    X, y, _ = clips
    X = np.asarray(X)
    pipe = make_pipeline(StandardScaler(), KNNDistillationClassifier(Recorder()))
    assert cross_val_score(pipe, X, y, cv=3).mean() > 0.5
    search = GridSearchCV(pipe, {"knndistillationclassifier__k": [2, 5]}, cv=3).fit(X, y)
    assert set(search.predict(X)) <= set(y)
    calibrated = CalibratedClassifierCV(KNNDistillationClassifier(Recorder()), cv=3).fit(X, y)
    assert calibrated.predict_proba(X).shape == (90, 3)


@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_member_of_a_plain_vote(clips, voting):
    """scikit-learn's own vote hands its members integers and no groups."""
    X, y, _ = clips
    X = np.asarray(X)
    members = [("kd", KNNDistillationClassifier(network())), ("linear", LogisticRegression())]
    vote = VotingClassifier(members, voting=voting).fit(X, y)
    alone = [clone(model).fit(X, np.unique(y, return_inverse=True)[1]) for _, model in members]
    np.testing.assert_array_equal(vote.named_estimators_["kd"].predict_proba(X), alone[0].predict_proba(X))
    if voting == "soft":
        expected = np.mean([model.predict_proba(X) for model in alone], axis=0)
        np.testing.assert_allclose(vote.predict_proba(X), expected, rtol=1e-6)
        np.testing.assert_array_equal(vote.predict(X), np.unique(y)[expected.argmax(axis=1)])
    assert vote.score(X, y) > 0.5
    assert cross_val_score(vote, X, y, cv=3).mean() > 0.5


def test_rows_of_weight_zero_are_no_neighbours(clips):
    X, y, _ = clips
    weight = (np.arange(90) % 4 > 0).astype(float)
    model = KNNDistillationClassifier(Recorder(), k=3).fit(X, y, sample_weight=weight)
    kept = weight > 0
    small = KNNDistillationClassifier(Recorder(), k=3).fit(X[kept], y[kept])
    np.testing.assert_array_equal(model.neighbour_targets_[kept], small.neighbour_targets_)
    assert (model.neighbour_targets_[~kept] == 0).all()
    np.testing.assert_array_equal(model.student_.sample_weight_, weight)


def test_metadata_routing(clips):
    X, y, groups = clips
    with sklearn.config_context(enable_metadata_routing=True):
        student = Recorder().set_fit_request(groups=True, sample_weight=False, soft_targets=False)
        model = KNNDistillationClassifier(student, exclude_own_group=True).set_fit_request(groups=True)
        model = make_pipeline(model).fit(X, y, groups=groups)[-1]
    np.testing.assert_array_equal(model.student_.groups_, groups)
    plain = KNNDistillationClassifier(Recorder(), exclude_own_group=True).fit(X, y, groups=groups)
    np.testing.assert_array_equal(plain.student_.groups_, groups)
    np.testing.assert_array_equal(plain.neighbour_targets_, model.neighbour_targets_)


def test_same_seed_same_answer_in_a_fresh_process(clips, tmp_path):
    X, y, _ = clips
    X = np.asarray(X)
    model = KNNDistillationClassifier(network()).fit(X, y)
    np.testing.assert_array_equal(clone(model).fit(X, y).predict_proba(X), model.predict_proba(X))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    np.save(tmp_path / "X.npy", X)
    code = (
        "import pickle, numpy as np; model = pickle.load(open('model.pkl', 'rb'));"
        "np.save('proba.npy', model.predict_proba(np.load('X.npy')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "proba.npy"), model.predict_proba(X))


def test_random_state_seeds_teacher_and_student(clips):
    X, y, _ = clips
    unseeded = make_network(size="small", max_epochs=2)
    one, two, other = (
        KNNDistillationClassifier(unseeded, random_state=seed).fit(X, y).predict_proba(X) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_methods_follow_the_student():
    assert hasattr(KNNDistillationClassifier(), "predict_top_proba")
    assert hasattr(KNNDistillationClassifier(Recorder()), "predict_proba")
    assert not hasattr(KNNDistillationClassifier(Recorder()), "embed")
    assert not hasattr(KNNDistillationClassifier(Recorder()), "embed_predict_proba")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (KNNDistillationClassifier(LogisticRegression()), "whose fit takes soft_targets; that of LogisticRegression"),
        (KNNDistillationClassifier(make_pipeline(Recorder())), "put a Pipeline around"),
        (KNNDistillationClassifier(Recorder(), exclude_own_group=True), "needs groups"),
        (KNNDistillationClassifier(Recorder(), embedding="model"), "needs an estimator with an embed method"),
        (KNNDistillationClassifier(Recorder(), k=0), "'k'"),
    ],
)
def test_bad_settings_are_refused(clips, model, message):
    X, y, _ = clips
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)


class InnerGroups(Callback):
    """Uploaders on both sides of the inner split; kept by the class, for estimators are cloned."""

    def __init__(self, groups):
        self.groups = groups

    def on_epoch_begin(self, net, dataset_train, dataset_valid, **kwargs):
        type(self).shared = set(self.groups[dataset_train.rows]) & set(self.groups[dataset_valid.rows])


@pytest.mark.parametrize("wrap", [KNNDistillationClassifier, KNNPriorBlender])
def test_groups_reach_the_inner_split_of_the_network(clips, wrap):
    X, y, groups = clips
    seen = InnerGroups(groups)
    network = make_network(size="small", max_epochs=1, callbacks=[("seen", seen)], random_state=0)
    wrap(network).fit(X, y, groups=groups)
    assert not InnerGroups.shared
    wrap(network).fit(X, y)
    assert InnerGroups.shared
