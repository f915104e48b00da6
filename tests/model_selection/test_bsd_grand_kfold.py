import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate

from skbst.exceptions import DataFormatError
from skbst.model_selection import BSDGrandKFold, official_folds


@pytest.fixture
def mixed():
    """Labels of 120 base and 60 extra rows, shuffled, and the mask of the extra ones."""
    rng = np.random.default_rng(0)
    y = rng.choice(["fx-a", "fx-h", "ss-n"], 180)
    return y, rng.permutation(np.arange(180) >= 120)


def test_base_folds_do_not_change(mixed):
    y, extra = mixed
    base = np.flatnonzero(~extra)
    alone = official_folds(y[base])
    joined = BSDGrandKFold(extra).folds(y)
    for (train, validation, test), theirs in zip(joined, alone, strict=True):
        np.testing.assert_array_equal(test, base[theirs.test])
        np.testing.assert_array_equal(validation, base[theirs.validation])
        np.testing.assert_array_equal(train[~extra[train]], base[theirs.train])
        assert extra[train].sum() == 60
    np.testing.assert_array_equal(joined.fold_of_row[extra], -1)
    for (train, test), fold in zip(BSDGrandKFold(extra).split(y, y), joined, strict=True):
        np.testing.assert_array_equal(test, fold.test)
        np.testing.assert_array_equal(train, np.sort(np.r_[fold.train, fold.validation]))


def test_as_cv():
    X, y = make_classification(100, random_state=0)
    extra = np.arange(100) < 30
    result = cross_validate(LogisticRegression(), X, y, cv=BSDGrandKFold(extra), return_indices=True)
    for train, test in zip(result["indices"]["train"], result["indices"]["test"], strict=True):
        assert extra[train].sum() == 30
        assert not extra[test].any()


def test_extra_rows_of_a_held_out_uploader_stay_away(mixed):
    y, extra = mixed
    groups = np.random.default_rng(1).integers(0, 30, 180)
    for train, validation, test in BSDGrandKFold(extra).folds(y, groups):
        assert not set(groups[train]) & set(groups[test])
        assert not set(groups[train]) & set(groups[validation])
        joined = set(train[extra[train]])
        away = set(np.flatnonzero(extra)) - joined
        assert joined
        assert away
        assert {groups[i] for i in away} <= set(groups[np.r_[validation, test]])
    for train, test in BSDGrandKFold(extra).split(y, y, groups):
        assert not set(groups[train]) & set(groups[test])


def test_small_class_may_be_extra(mixed):
    y, extra = mixed
    y = np.where(extra, "is-w", y)
    folds = BSDGrandKFold(extra).folds(y)
    assert all("is-w" in y[fold.train] and "is-w" not in y[fold.test] for fold in folds)


def test_nothing_extra_is_the_official_protocol(mixed):
    y, _ = mixed
    folds = BSDGrandKFold(np.zeros(180, dtype=bool)).folds(y)
    np.testing.assert_array_equal(folds.fold_of_row, official_folds(y).fold_of_row)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros(3, dtype=bool), "train_only has 3 rows but y has 180"),
        (np.arange(180), "must be a mask"),
        (np.ones(180, dtype=bool), "nothing is left"),
    ],
)
def test_bad_masks(mixed, mask, message):
    with pytest.raises(DataFormatError, match=message):
        BSDGrandKFold(mask).folds(mixed[0])
