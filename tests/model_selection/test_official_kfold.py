import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    StratifiedShuffleSplit,
    cross_val_score,
    cross_validate,
)

from skbst.exceptions import DataFormatError
from skbst.model_selection import OfficialKFold, official_folds


def labels_of(n=200, n_classes=4, random_state=0):
    return np.random.default_rng(random_state).choice([f"fx-{i}" for i in range(n_classes)], n, p=[0.4, 0.3, 0.2, 0.1])


def test_splits_are_those_of_the_baseline():
    y = labels_of()
    outer = StratifiedKFold(5, shuffle=True, random_state=1821)
    folds = official_folds(y)
    assert len(folds) == folds.get_n_splits() == 5
    for (train, validation, test), (outer_train, outer_test) in zip(folds, outer.split(y, y), strict=True):
        inner = StratifiedShuffleSplit(1, test_size=0.2, random_state=1821)
        inner_train, inner_validation = next(inner.split(outer_train, y[outer_train]))
        np.testing.assert_array_equal(test, outer_test)
        np.testing.assert_array_equal(train, np.sort(outer_train[inner_train]))
        np.testing.assert_array_equal(validation, np.sort(outer_train[inner_validation]))


@pytest.mark.parametrize("groups", [None, np.random.default_rng(1).integers(0, 40, 200).astype(str)])
def test_parts_cover_everything_once(groups):
    y = labels_of()
    folds = official_folds(y, groups=groups)
    tested = np.concatenate([fold.test for fold in folds])
    np.testing.assert_array_equal(np.sort(tested), np.arange(200))
    np.testing.assert_array_equal(folds.fold_of_row[folds[3].test], 3)
    for fold in folds:
        np.testing.assert_array_equal(np.sort(np.concatenate(fold)), np.arange(200))
        assert set(y[fold.train]) == set(y)
        if groups is not None:
            sides = [set(groups[rows]) for rows in fold]
            assert not sides[0] & sides[1]
            assert not sides[0] & sides[2]
            assert not sides[1] & sides[2]
            assert 0.1 < len(fold.validation) / (200 - len(fold.test)) < 0.3


def test_object_and_splitter_agree_as_cv():
    X, y = make_classification(150, random_state=0)
    model = LogisticRegression()
    bound = cross_val_score(model, X, y, cv=official_folds(y))
    free = cross_val_score(model, X, y, cv=OfficialKFold())
    np.testing.assert_array_equal(bound, free)
    search = GridSearchCV(model, {"C": [0.1, 1]}, cv=OfficialKFold(3)).fit(X, y)
    assert search.n_splits_ == 3


def test_groups_reach_the_splitter():
    X, y = make_classification(120, random_state=0)
    groups = np.arange(120) // 4
    plain = cross_validate(LogisticRegression(), X, y, groups=groups, cv=OfficialKFold(), return_indices=True)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_validate(
            LogisticRegression(), X, y, params={"groups": groups}, cv=OfficialKFold(), return_indices=True
        )
    for result in (plain, routed):
        for train, test in zip(result["indices"]["train"], result["indices"]["test"], strict=True):
            assert not set(groups[train]) & set(groups[test])


def test_folds_of_other_rows_are_refused():
    y = labels_of()
    folds = official_folds(y)
    with pytest.raises(DataFormatError, match="made for 200 rows, but there are 199"):
        list(folds.split(np.zeros((199, 2))))


def test_without_validation():
    folds = official_folds(labels_of(), validation_size=None)
    assert all(len(fold.validation) == 0 for fold in folds)
    assert "validation 0-0" in repr(folds)


def test_small_class():
    y = np.array(["fx-a"] * 20 + ["fx-h"] * 3)
    with pytest.raises(DataFormatError, match=r"1 class\(es\) have fewer than n_splits=5 rows: \{'fx-h': 3\}"):
        official_folds(y)
    assert len(official_folds(y, n_splits=3)) == 3
    with pytest.raises(DataFormatError, match="fewer than n_splits=5"):
        next(OfficialKFold().split(y, y))


def test_training_part_too_small_for_validation():
    y = np.array(["fx-a"] * 20 + ["fx-h"] * 2)
    with pytest.raises(DataFormatError, match=r"\['fx-h'\] have one row in a training part.*validation_size=None"):
        official_folds(y, n_splits=2)
    few = np.repeat(["a", "b", "c", "d"], 5)
    with pytest.raises(DataFormatError, match=r"16 training rows of 4 classes.*validation_size=0\.1"):
        official_folds(few, validation_size=0.1)


def test_class_of_a_single_uploader():
    y = np.array(["fx-a"] * 30 + ["fx-h"] * 10)
    groups = np.r_[np.arange(30) // 3, [99] * 10]
    with pytest.warns(UserWarning, match=r"1 class\(es\) belong to one group each \(\['fx-h'\]\)") as record:
        folds = official_folds(y, groups=groups)
    assert record[0].filename == __file__
    assert sum("fx-h" not in y[np.concatenate(fold[:2])] for fold in folds) == 1
    with pytest.warns(UserWarning, match="one group each") as record:
        list(OfficialKFold().split(y, y, groups))
    assert record[0].filename == __file__


def test_validation_keeps_classes_in_training():
    y = np.array(["fx-a"] * 60 + ["fx-h"] * 20)
    groups = np.r_[np.arange(60) // 3, np.repeat([100, 101], 10)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for fold in official_folds(y, groups=groups):
            assert "fx-h" in y[fold.train]


def test_too_few_groups():
    with pytest.raises(DataFormatError, match=r"4 group\(s\) cannot fill n_splits=5"):
        official_folds(labels_of(40), groups=np.arange(40) % 4)
    with pytest.raises(DataFormatError, match=r"A training part has 4 group\(s\), too few"):
        official_folds(labels_of(100), groups=np.arange(100) % 5)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "pass the labels"),
        (np.linspace(0, 1, 50), "Labels must be classes"),
        (pd.Series(["a", None] * 20), "20 of 40 labels are missing"),
    ],
)
def test_bad_labels(y, message):
    with pytest.raises(DataFormatError, match=message):
        list(OfficialKFold().split(np.zeros(40), y))


def test_lengths_are_compared():
    with pytest.raises(DataFormatError, match="X has 3 rows but y has 200"):
        next(OfficialKFold().split(np.zeros(3), labels_of()))
    with pytest.raises(ValueError, match="inconsistent"):
        official_folds(labels_of(), groups=[1, 2])


@pytest.mark.parametrize("parameters", [{"n_splits": 1}, {"random_state": None}, {"validation_size": 1.0}])
def test_bad_parameters(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        official_folds(labels_of(), **parameters)


def test_series_integers_and_pickles():
    y = labels_of()
    series = pd.Series(y, index=np.arange(200)[::-1])
    folds = official_folds(y)
    for labels in (series, np.unique(y, return_inverse=True)[1]):
        for ours, theirs in zip(folds, official_folds(labels), strict=True):
            np.testing.assert_array_equal(ours.test, theirs.test)
    again = pickle.loads(pickle.dumps(folds))
    np.testing.assert_array_equal(again.fold_of_row, folds.fold_of_row)
    assert repr(OfficialKFold(3)) == "OfficialKFold(n_splits=3, random_state=1821, validation_size=0.2)"
    assert repr(clone(OfficialKFold(3), safe=False)) == repr(OfficialKFold(3))


@pytest.mark.data
def test_published_folds(data_root):
    table = pd.read_csv(data_root / "bsd10k-v1.2-public-runs/folds.csv")
    folds = official_folds(table["ground_truth"])
    np.testing.assert_array_equal(folds.fold_of_row, table["fold"])
    by_id = table.sort_values("sound_id")
    assert (official_folds(by_id["ground_truth"]).fold_of_row != by_id["fold"]).mean() > 0.5


@pytest.mark.data
def test_grouped_folds_of_real_recordings(data_root):
    table = pd.read_csv(data_root / "bst-real/metadata/BSD10k_metadata.csv", dtype=str)
    folds = official_folds(table["class"], groups=table["uploader"])
    for train, validation, test in folds:
        assert not set(table["uploader"].iloc[train]) & set(table["uploader"].iloc[np.r_[validation, test]])
        assert table["class"].iloc[train].nunique() == 23
