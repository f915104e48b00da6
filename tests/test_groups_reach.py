"""Groups reach every part that takes them, in every composition, and a missing one is nobody's in all of them."""

import pickle
from functools import wraps

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbst.conformal import HierarchicalConformalClassifier
from skbst.curation import LabelAudit
from skbst.ensemble import (
    FoldEnsembleClassifier,
    HierarchicalDecoder,
    HierarchicalVotingClassifier,
    out_of_fold_log_proba,
)
from skbst.features import ClipFeaturizer, TextLSAFeaturizer
from skbst.model_selection import KNNBlendSearchCV, OfficialKFold
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier, KNNDistillationClassifier
from skbst.sampling import TeacherAgreementSampler
from skbst.systems import SystemPipeline, baseline, system_1, system_2, system_3, system_4

SEEN = []


class Spy(GaussianNB):
    """Remembers which rows came with which groups."""

    def fit(self, X, y, groups=None, soft_targets=None):
        SEEN.append((None if X is None else np.asarray(X)[:, -1].astype(int), groups))
        return super().fit(X, y)


class Last(LogisticRegression):
    """A stack gives all parameters of its fit to its last classifier, too."""

    def fit(self, X, y, groups=None):
        return super().fit(X, y)


class ScalingSpy(StandardScaler):
    """The same in the middle of a pipeline; the last column stays the number of the row."""

    def fit(self, X, y=None, groups=None):
        SEEN.append((np.asarray(X)[:, -1].astype(int), groups))
        return super().fit(X, y)

    def transform(self, X):
        return np.c_[super().transform(X)[:, :-1], np.asarray(X)[:, -1]]


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    y = np.array(["fx-a", "m-sp", "ss-n"])[np.arange(90) % 3]
    X = rng.standard_normal((90, 4)) + 2 * np.eye(3, 4)[np.arange(90) % 3]
    groups = np.array([f"u{i}" for i in np.arange(90) // 3], dtype=object)
    groups[5:20] = None
    return np.c_[X, np.arange(90)], y, groups


def pipe():
    return make_pipeline(ScalingSpy(), Spy())


def vote(**options):
    return HierarchicalVotingClassifier([("spy", Spy()), ("pipe", pipe()), ("bayes", GaussianNB())], **options)


COMPOSITIONS = {
    "system": (lambda: SystemPipeline([("scale", ScalingSpy()), ("classifier", Spy())]), 2),
    "system of a pipeline": (lambda: SystemPipeline([("a", ScalingSpy()), ("b", pipe())]), 3),
    "vote": (vote, 3),
    "vote of votes": (lambda: HierarchicalVotingClassifier([("inner", vote()), ("spy", Spy())]), 4),
    "decoder": (lambda: HierarchicalDecoder(pipe()), 2),
    "decoder of a vote": (lambda: HierarchicalDecoder(vote()), 3),
    "blender": (lambda: KNNPriorBlender(pipe()), 2),
    "blender of a mixed vote": (lambda: KNNPriorBlender(vote()), 3),
    "folds": (lambda: FoldEnsembleClassifier(pipe(), cv=3), 6),
    "folds of a vote in a system": (lambda: SystemPipeline([("e", FoldEnsembleClassifier(vote(), cv=2))]), 6),
    "distillation": (lambda: KNNDistillationClassifier(Spy(), teacher=pipe()), 3),
    "distillation in a blender": (lambda: KNNPriorBlender(KNNDistillationClassifier(Spy())), 2),
    "search": (lambda: KNNBlendSearchCV(KNNPriorBlender(pipe()), {"alpha": [0.0, 0.5]}, cv=2), 6),
    "search of a pipeline": (
        lambda: KNNBlendSearchCV(make_pipeline(ScalingSpy(), KNNPriorBlender(Spy())), {}, cv=GroupKFold(2)),
        6,
    ),
    "calibrator": (lambda: HierarchicalDecoder(CalibratedClassifierCV(pipe(), cv=2)), 4),
    "search of scikit-learn": (lambda: HierarchicalDecoder(GridSearchCV(pipe(), {}, cv=2)), 6),
    "conformal": (lambda: HierarchicalConformalClassifier(pipe(), cv=2), 6),
    "conformal of a vote": (lambda: HierarchicalConformalClassifier(vote(), cv=2), 9),
    "audit": (lambda: LabelAudit(pipe(), cv=2), 8),
    "sampler": (lambda: TeacherAgreementSampler(pipe(), views=[None], cv=2), 4),
}


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_a_spy_sees_the_groups_of_its_rows(name, clips):
    X, y, groups = clips
    make, n_fits = COMPOSITIONS[name]
    SEEN.clear()
    make().fit(X, y, groups=groups)
    assert len(SEEN) == n_fits
    for rows, seen in SEEN:
        assert seen is not None
        assert list(seen) == groups[rows].tolist()


@pytest.mark.parametrize("name", COMPOSITIONS)
@pytest.mark.parametrize("gap", [np.nan, pd.NA, ""], ids=repr)
def test_every_nothing_gives_the_same_bytes(name, gap, clips):
    X, y, groups = clips
    make, _ = COMPOSITIONS[name]
    models = [make().fit(X, y, groups=g) for g in (groups, [gap if name is None else name for name in groups])]
    if hasattr(models[0], "predict_proba"):
        np.testing.assert_array_equal(models[0].predict_proba(X), models[1].predict_proba(X))
    elif hasattr(models[0], "ranking_"):
        pd.testing.assert_frame_equal(models[0].ranking_, models[1].ranking_)
    else:
        np.testing.assert_array_equal(models[0].sample_indices_, models[1].sample_indices_)


def test_weight_searches_hand_groups_to_members(clips):
    X, y, groups = clips
    SEEN.clear()
    vote().search_weights(X, y, cv=OfficialKFold(2), groups=groups, n_bootstrap=2, step=0.5)
    out_of_fold_log_proba([pipe()], X, y, cv=2, groups=groups)
    assert len(SEEN) == 3 * 2 + 2 * 2
    assert all(list(seen) == groups[rows].tolist() for rows, seen in SEEN)


@pytest.mark.parametrize("name", ["vote", "stack", "calibrator", "search", "cross_validate", "cross_val_predict"])
def test_scikit_learns_own_hand_them_down_by_metadata_routing(name, clips):
    X, y, groups = clips
    groups = np.where(groups == None, "nobody", groups).astype(str)  # noqa: E711
    SEEN.clear()
    with sklearn.config_context(enable_metadata_routing=True):
        spy = Spy().set_fit_request(groups=True)
        system = SystemPipeline([("classifier", KNNPriorBlender(HierarchicalVotingClassifier([("spy", spy)])))])
        if name == "vote":
            VotingClassifier([("a", system), ("b", GaussianNB())], voting="soft").fit(X, y, groups=groups)
        elif name == "stack":
            StackingClassifier([("a", system)], Last(), cv=2).fit(X, y, groups=groups)
        elif name == "calibrator":
            CalibratedClassifierCV(system, cv=2).fit(X, y, groups=groups)
        elif name == "search":
            GridSearchCV(system, {"classifier__alpha": [0.1, 0.2]}, cv=GroupKFold(2)).fit(X, y, groups=groups)
        else:
            run = cross_validate if name == "cross_validate" else cross_val_predict
            run(system, X, y, cv=GroupKFold(2), params={"groups": groups})
    assert len(SEEN) >= 1
    assert all(list(seen) == groups[rows].tolist() for rows, seen in SEEN)


def test_who_gets_none_is_named(clips):
    X, y, groups = clips
    mixed = VotingClassifier([("net", Spy()), ("linear", GaussianNB())], voting="soft")
    for model in (KNNPriorBlender(mixed), HierarchicalDecoder(mixed), FoldEnsembleClassifier(mixed, cv=2)):
        with pytest.warns(UserWarning, match="groups do not reach Spy inside VotingClassifier"):
            model.fit(X, y, groups=groups)


def test_uploaders_teach_a_system_their_templates():
    """Text cleaning inside a featurizer inside a system knows who wrote what."""
    table = pd.DataFrame({"title": [f"sound {c}" for c in "abcdefgh" * 5], "description": "Made in my old shed."})
    y = ["fx-a", "m-sp"] * 20
    text = ClipFeaturizer([("text", TextLSAFeaturizer(4, random_state=0))])
    system = SystemPipeline([("features", text), ("classifier", KNNPriorBlender(Spy()))])

    def templates(groups):
        system.fit(table, y, groups=groups)
        return system[0].named_featurizers_["text"].cleaner_.templates_["uploader"].tolist()

    assert templates(["ann"] * 20 + [pd.NA] * 20) == ["ann"]
    assert templates([""] * 40) == []


@pytest.mark.parametrize("make", [system_1, system_2])
def test_systems_take_groups(make):
    system = make(embeddings="builtin", size="small")
    assert isinstance(system, sklearn.pipeline.Pipeline)
    assert hasattr(system, "predict_top")
    assert hasattr(system, "predict_top_proba")
    assert pickle.loads(pickle.dumps(system)).get_params(deep=False).keys() == system.get_params(deep=False).keys()


@pytest.mark.parametrize(
    ("make", "n_networks"), [(baseline, 1), (system_1, 1), (system_2, 2), (system_3, 4), (system_4, 6)]
)
def test_every_network_of_a_system_gets_the_groups_of_its_rows(make, n_networks, monkeypatch):
    groups, y = np.arange(48) // 2, np.array(["fx-a", "m-sp", "ss-n"])[np.arange(48) // 2 % 3]
    words = pd.DataFrame({"title": [f"{code} {row}" for row, code in enumerate(y)], "tags": "", "description": ""})
    seen, fit = [], BranchClassifier.fit

    @wraps(fit)
    def watched(self, X, y, *args, **params):
        seen.append((len(y), params["groups"]))
        return fit(self, X, y, *args, **params)

    monkeypatch.setattr(BranchClassifier, "fit", watched)
    folds = {"cv": GroupKFold(2)} if make in (system_3, system_4) else {}
    system = make(embeddings="builtin", modalities="text", size="small", random_state=0, **folds)
    names = [name for name in system.get_params() if name.endswith("max_epochs")]
    system.set_params(**dict.fromkeys(names, 1)).fit(words, y, groups=groups)
    assert len(seen) == n_networks
    for n_rows, known in seen:
        assert n_rows == len(known)
        assert set(np.bincount(known)) <= {0, 2}  # both clips of an uploader, or none
    assert system.predict_top(words).shape == (48,)


@pytest.mark.parametrize("gap", [np.nan, pd.NA, ""], ids=repr)
def test_a_network_in_a_system_learns_the_same_with_every_nothing(gap, clips):
    X, y, groups = clips
    net = BranchClassifier(size="small", max_epochs=2, random_state=0)
    system = SystemPipeline([("scale", StandardScaler()), ("classifier", KNNPriorBlender(net, exclude_own_group=True))])
    with_gap = [gap if name is None else name for name in groups]
    answers = [system.fit(X, y, groups=g).predict_proba(X, groups=g) for g in (groups, with_gap)]
    np.testing.assert_array_equal(*answers)
    tops = system.predict_top(X, groups=groups)
    assert tops.tolist() == [code.split("-")[0] for code in system.predict(X, groups=groups)]
    np.testing.assert_allclose(system.predict_top_proba(X, groups=groups).sum(axis=1), 1)
