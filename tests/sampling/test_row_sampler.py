"""Ranks, floors and what samplers accept."""

import numpy as np
import pandas as pd
import pytest

from skbst.exceptions import DataFormatError
from skbst.sampling import UploaderCapSampler
from skbst.sampling._row_sampler import best_first_rank, keep_class_floor, read_uploaders


def slow_rank(groups, score):
    ranks = []
    for row in range(len(groups)):
        better = [
            other
            for other in range(len(groups))
            if groups[other] == groups[row]
            and (score[other] > score[row] or (score[other] == score[row] and other < row))
        ]
        ranks.append(len(better))
    return np.array(ranks)


@pytest.mark.parametrize("seed", range(5))
def test_rank_equals_a_slow_reference(seed):
    rng = np.random.default_rng(seed)
    groups, score = rng.integers(0, 6, 80), rng.integers(0, 4, 80).astype(float)
    np.testing.assert_array_equal(best_first_rank(groups, score), slow_rank(groups, score))


def test_floor_rescues_the_best_and_no_more():
    rng = np.random.default_rng(0)
    labels, score, kept = rng.integers(0, 5, 200), rng.random(200), rng.random(200) < 0.1
    rescued = keep_class_floor(kept, labels, score, 12)
    assert not (rescued & kept).any()
    for label in range(5):
        of_class = labels == label
        assert (kept | rescued)[of_class].sum() == max(12, kept[of_class].sum())
        left = of_class & ~kept & ~rescued
        assert score[rescued & of_class].min() >= score[left].max()
    assert keep_class_floor(np.zeros(3, bool), np.array(["a", "a", "b"]), np.zeros(3), 9).all()


def test_uploaders_come_from_the_argument_or_the_column():
    X = pd.DataFrame({"title": ["a", "b"], "uploader": ["ann", None]})
    assert read_uploaders(X, None, 2).tolist() == ["ann", None]
    assert read_uploaders(X, [7, np.nan], 2).tolist() == [7, None]
    assert read_uploaders(np.zeros((2, 1)), None, 2).tolist() == ["", ""]
    with pytest.raises(DataFormatError, match="one label for each of the 2 rows"):
        read_uploaders(X, ["a", "b", "c"], 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"candidates": [1, 0, 1]}, "mask of True and False"),
        ({"candidates": [True]}, "3 entries"),
        ({"score": [0.5]}, "one number per row"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(DataFormatError, match=message):
        UploaderCapSampler().fit(pd.DataFrame({"title": list("abc")}), list("xyx"), **arguments)
