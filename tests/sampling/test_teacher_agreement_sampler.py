"""Agreement of out-of-fold teachers."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold

from skbst.datasets import make_bst_table
from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle
from skbst.sampling import TeacherAgreementSampler


class Oracle(ClassifierMixin, BaseEstimator):
    """Reads the first column as a position in its classes; remembers by how many rows it was trained."""

    trained: ClassVar[list] = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        Oracle.trained.append(np.asarray(X)[:, 1].copy())
        return self

    def predict_proba(self, X):
        proba = np.full((len(X), len(self.classes_)), 0.1)
        proba[np.arange(len(X)), np.asarray(X)[:, 0].astype(int)] = 0.8
        return proba


@pytest.fixture(scope="module")
def sets():
    base = make_bst_table(500, class_weights="tempered", random_state=0)
    more, truth = make_bst_table(
        500, class_weights="tempered", random_state=1, label_noise=0.4, min_per_class=9, return_truth=True
    )
    X = pd.concat([base, more], ignore_index=True)
    X.index = [f"id{k}" for k in range(1000)]
    return X, X["class"].to_numpy(), np.arange(1000) >= 500, truth.to_numpy()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("teachers")


@pytest.fixture(scope="module")
def fitted(sets, store):
    X, y, candidates, _ = sets
    return TeacherAgreementSampler(min_per_class=0, cv=2, store=store).fit(X, y, candidates=candidates)


def test_trusted_rows_stay_and_wrong_labels_mostly_go(sets, fitted):
    _, y, _, truth = sets
    kept = fitted.sample_indices_
    assert set(range(500)) <= set(kept)
    right = y[500:] == truth
    stayed = fitted.scores_["kept"].to_numpy()
    assert right[stayed].mean() > 0.9 > right.mean()
    assert stayed[right].mean() > 2.5 * stayed[~right].mean()
    assert np.array_equal(kept[kept >= 500], fitted.scores_["position"].to_numpy()[stayed])


def test_scores_say_why(sets, fitted):
    scores, views = fitted.scores_, fitted.views_
    assert views == ("title", "title+tags", "title+tags+description")
    assert scores.index.tolist() == [f"id{k}" for k in range(500, 1000)]
    agree = sum((scores[f"predicted[{view}]"] == scores["label"]).to_numpy().astype(int) for view in views)
    np.testing.assert_array_equal(scores["votes"], agree)
    np.testing.assert_array_equal(scores["kept"], agree == 3)
    np.testing.assert_allclose(scores["score"], scores[[f"proba[{view}]" for view in views]].mean(axis=1), rtol=1e-5)
    assert set(scores["reason"][scores["kept"]]) == {""}
    assert "teachers disagree (2 of 3 votes)" in set(scores["reason"])


def test_agreement_rules_and_margin_are_nested(sets, fitted, store):
    X, y, candidates, _ = sets
    kept = {}
    for name, parameters in {
        "one": {"agreement": 1},
        "majority": {"agreement": "majority"},
        "margin": {"min_margin": 0.3},
    }.items():
        sampler = TeacherAgreementSampler(min_per_class=0, cv=2, store=store, **parameters)
        kept[name] = set(sampler.fit(X, y, candidates=candidates).sample_indices_)
    everyone = set(fitted.sample_indices_)
    assert kept["margin"] < everyone < kept["majority"] < kept["one"]


def test_no_class_vanishes(sets, fitted, store):
    X, y, candidates, _ = sets
    without = pd.Series(y[fitted.sample_indices_][500:]).value_counts().reindex(np.unique(y), fill_value=0)
    sampler = TeacherAgreementSampler(min_per_class=6, cv=2, store=store).fit(X, y, candidates=candidates)
    counts = pd.Series(y[sampler.sample_indices_][500:]).value_counts().reindex(np.unique(y), fill_value=0)
    assert without.min() < 6
    assert counts.min() >= 6
    assert ((counts == without) | (counts == 6)).all()


def test_teachers_never_see_what_they_judge():
    X = np.column_stack([np.tile([0, 1], 20), np.arange(40)]).astype(float)
    y = np.tile(["a", "b"], 20)
    Oracle.trained.clear()
    TeacherAgreementSampler(Oracle(), cv=4, min_per_class=0).fit(X, y)
    assert [len(rows) for rows in Oracle.trained] == [30] * 4
    folds = StratifiedKFold(4, shuffle=True, random_state=1821).split(X, y)
    for rows, (train, _) in zip(Oracle.trained, folds):
        np.testing.assert_array_equal(rows, train)
    Oracle.trained.clear()
    TeacherAgreementSampler(Oracle(), cv=4, fold=2).fit(X, y, candidates=np.arange(40) >= 20)
    _, test = list(StratifiedKFold(4, shuffle=True, random_state=1821).split(X[:20], y[:20]))[2]
    (rows,) = Oracle.trained
    assert not set(rows) & (set(test) | set(range(20, 40)))


def test_votes_by_hand():
    X = np.column_stack([[0] * 8 + [1] * 8 + [0, 1, 1], np.arange(19)]).astype(float)
    y = np.array(["a"] * 8 + ["b"] * 8 + ["a", "a", "zz"])
    sampler = TeacherAgreementSampler(Oracle(), cv=2, min_per_class=0)
    X_kept, y_kept = sampler.fit_resample(X, y, candidates=np.arange(19) >= 16)
    assert sampler.sample_indices_.tolist() == [*range(17)]
    assert len(X_kept) == len(y_kept) == 17
    np.testing.assert_allclose(sampler.scores_["score"], [0.8, 0.1, 0.0], rtol=1e-6)
    np.testing.assert_allclose(sampler.scores_["margin"], [0.7, -0.7, -0.8], rtol=1e-6)
    assert sampler.classes_.tolist() == ["a", "b"]


def test_groups_reach_the_splitter():
    X = np.column_stack([np.tile([0, 1], 12), np.arange(24)]).astype(float)
    groups = np.repeat(np.arange(4), 6)
    Oracle.trained.clear()
    TeacherAgreementSampler(Oracle(), cv=GroupKFold(4)).fit(X, np.tile(["a", "b"], 12), groups=groups)
    for rows in Oracle.trained:
        assert len(set(groups[rows.astype(int)])) == 3


def test_views_can_be_functions_and_rows_a_bundle(sets):
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b"], 60)
    audio = rng.normal(size=(60, 4)) + 3 * (y == "a")[:, None]
    bundle = FeatureBundle({"audio": audio.astype(np.float32)})
    views = [lambda rows: rows["audio"], lambda rows: rows["audio"][:, :2]]
    y_wrong = y.copy()
    y_wrong[:6] = np.where(y[:6] == "a", "b", "a")
    sampler = TeacherAgreementSampler(views=views, min_per_class=0).fit(bundle, y_wrong)
    assert list(sampler.scores_.filter(like="proba")) == ["proba[view 0]", "proba[view 1]"]
    assert not sampler.scores_["kept"].to_numpy()[:6].any()
    assert sampler.scores_["kept"].to_numpy()[6:].mean() > 0.9


def test_cache_is_used_and_knows_what_it_depends_on(sets, tmp_path, monkeypatch):
    X, y, candidates, _ = sets
    parameters = {"views": ["title"], "cv": 2, "min_per_class": 0, "store": tmp_path}
    first = TeacherAgreementSampler(**parameters).fit(X, y, candidates=candidates)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 2
    assert not any(name.endswith("partial") for name in names)
    (tmp_path / names[0]).unlink()
    calls = []
    original = LogisticRegression.fit
    monkeypatch.setattr(LogisticRegression, "fit", lambda *args, **kw: calls.append(1) or original(*args, **kw))
    again = TeacherAgreementSampler(**parameters).fit(X, y, candidates=candidates)
    assert len(calls) == len(np.unique(y))
    pd.testing.assert_frame_equal(first.scores_, again.scores_)
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    changed = X.copy()
    changed.loc["id700", "title"] = "something else"
    TeacherAgreementSampler(**parameters).fit(changed, y, candidates=candidates)
    TeacherAgreementSampler(**parameters, random_state=5).fit(X, y, candidates=candidates)
    assert len(list(tmp_path.iterdir())) == 6


def test_same_result_whatever_the_jobs(sets, fitted):
    X, y, candidates, _ = sets
    parallel = TeacherAgreementSampler(views=["title"], cv=2, n_jobs=2).fit(X, y, candidates=candidates)
    for column in ("predicted[title]", "proba[title]"):
        pd.testing.assert_series_equal(parallel.scores_[column], fitted.scores_[column])


def test_wrong_arguments_are_named(sets):
    X, y, candidates, _ = sets
    with pytest.raises(DataFormatError, match="no view 'tags'"):
        TeacherAgreementSampler(views=["tags"]).fit(X, y)
    with pytest.raises(DataFormatError, match="needs a DataFrame"):
        TeacherAgreementSampler(views=["title"]).fit(np.zeros((4, 1)), list("abab"))
    with pytest.raises(DataFormatError, match="views is empty"):
        TeacherAgreementSampler(views=[]).fit(X, y)
    with pytest.raises(DataFormatError, match="fold=0 needs candidates"):
        TeacherAgreementSampler(fold=0).fit(X, y)
    with pytest.raises(DataFormatError, match="fold=7"):
        TeacherAgreementSampler(fold=7).fit(X, y, candidates=candidates)
    with pytest.raises(DataFormatError, match="2 or more classes"):
        TeacherAgreementSampler().fit(X, np.array(["a"] * 500 + ["b"] * 500), candidates=candidates)


def test_a_table_of_numbers_is_judged_as_numbers():
    X = pd.DataFrame(np.repeat([[0.0], [10.0]], 12, axis=0) + np.linspace(0, 1, 24)[:, None], columns=["level"])
    y = np.repeat(["fx-a", "m-sp"], 12)
    y[3] = "m-sp"
    sampler = TeacherAgreementSampler(cv=3, min_per_class=0).fit(X, y)
    assert np.setdiff1d(np.arange(24), sampler.sample_indices_).tolist() == [3]


@pytest.mark.parametrize("damage", [b"", b"not numpy", "cut", "shape", "nan"])
def test_a_damaged_file_is_made_again_and_named(sets, tmp_path, damage):
    X, y, candidates, _ = sets
    sampler = TeacherAgreementSampler(views=["title"], cv=2, min_per_class=0, store=tmp_path)
    sound = sampler.fit(X, y, candidates=candidates).scores_
    path = sorted(tmp_path.iterdir())[0]
    whole, values = path.read_bytes(), np.load(path)
    if isinstance(damage, bytes):
        path.write_bytes(damage)
    elif damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    else:
        np.save(path, values[1:] if damage == "shape" else np.full_like(values, np.nan))
    with pytest.warns(UserWarning, match=f"{path.name} is damaged and is made again"):
        again = sampler.fit(X, y, candidates=candidates).scores_
    pd.testing.assert_frame_equal(again, sound)
    assert path.read_bytes() == whole


def test_a_store_that_cannot_be_written_stops_nothing(sets, tmp_path):
    X, y, candidates, _ = sets
    (tmp_path / "file").write_text("no folder")
    sampler = TeacherAgreementSampler(views=["title"], cv=2, min_per_class=0)
    expected = sampler.fit(X, y, candidates=candidates).scores_
    with pytest.warns(UserWarning, match="cannot be kept"):
        found = sampler.set_params(store=tmp_path / "file").fit(X, y, candidates=candidates).scores_
    pd.testing.assert_frame_equal(found, expected)
