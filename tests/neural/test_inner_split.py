import numpy as np
import pytest

from skbst.exceptions import DataFormatError
from skbst.neural._rows._inner_split import inner_split


@pytest.fixture
def rng():
    return np.random.RandomState(0)


def test_stratified_shares(rng):
    target = np.repeat([0, 1, 2], [100, 50, 10])
    valid = inner_split(target, 0.2, rng)
    np.testing.assert_array_equal(np.bincount(target[valid]), [20, 10, 2])


@pytest.mark.parametrize("n_rows", [2, 3, 4])
def test_tiny_classes_stand_on_both_sides(rng, n_rows):
    target = np.repeat([0, 1], n_rows)
    valid = inner_split(target, 0.2, rng)
    assert np.bincount(target[valid]).tolist() == [1, 1]
    assert np.bincount(target[~valid]).tolist() == [n_rows - 1] * 2


def test_train_only_rows_are_never_chosen(rng):
    target = np.repeat([0, 1], 50)
    train_only = np.arange(100) % 50 >= 20
    valid = inner_split(target, 0.2, rng, train_only=train_only)
    assert not (valid & train_only).any()
    # a fifth of the 20 rows that may be chosen in each class
    assert np.bincount(target[valid]).tolist() == [4, 4]


def test_groups_stay_whole_and_shares_are_met(rng):
    target = rng.randint(4, size=600)
    groups = rng.randint(90, size=600)
    valid = inner_split(target, 0.2, rng, groups=groups)
    assert not set(groups[valid]) & set(groups[~valid])
    share = np.bincount(target[valid], minlength=4) / np.bincount(target)
    assert (abs(share - 0.2) < 0.08).all()


def test_a_class_of_one_group_stays_in_training(rng):
    target = np.r_[np.zeros(30, int), np.ones(30, int)]
    groups = np.r_[np.zeros(30, int), 1 + np.arange(30) % 10]
    valid = inner_split(target, 0.2, rng, groups=groups)
    assert valid.any()
    assert (target[valid] == 1).all()


def test_a_group_with_a_train_only_row_stays_in_training(rng):
    target = np.tile([0, 1], 40)
    groups = np.arange(80) // 4
    train_only = groups < 10
    train_only[1:40:4] = False
    valid = inner_split(target, 0.2, rng, groups=groups, train_only=train_only)
    assert (groups[valid] >= 10).all()


def test_single_sample_is_named(rng):
    with pytest.raises(DataFormatError, match=r"single sample \(fx-a\).*validation_fraction=None"):
        inner_split(np.array([0, 1, 1, 1]), 0.2, rng, class_names=["fx-a", "fx-h"])


def test_a_row_that_counts_twice_is_no_single_sample(rng):
    valid = inner_split(np.array([0, 1, 1, 1]), 0.2, rng, weight=np.array([2.0, 1, 1, 1]))
    assert not valid[0]
    assert valid.sum() == 1


@pytest.mark.parametrize(
    "arguments", [{"train_only": np.ones(8, bool)}, {"groups": np.zeros(8, int)}], ids=["train_only", "groups"]
)
def test_nothing_left_to_choose(rng, arguments):
    with pytest.raises(DataFormatError, match="No row is left for validation"):
        inner_split(np.arange(8) % 2, 0.2, rng, **arguments)
