import numpy as np
import pytest

from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle
from skbst.neural._rows._inputs import ClipInputs, read_bundle
from skbst.neural._rows._training_rows import make_training_rows


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


def make(values, target, weight=None, **kwargs):
    weight = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=float)
    return make_training_rows(ClipInputs(values, None), np.asarray(target), weight, **kwargs)


def test_rows_of_weight_zero_are_no_rows(values):
    rows = make(values, [0, 0, 1, 1, 2, 2], [1, 0, 1, 1, 0, 1])
    assert sorted(rows.rows) == [0, 2, 3, 5]


def test_order_depends_on_content_alone(values):
    target = np.array([0, 0, 1, 1, 2, 2])
    rows, shuffled = make(values, target), make(values[::-1], target[::-1])
    np.testing.assert_array_equal(values[rows.rows], values[::-1][shuffled.rows])


def test_equal_rows_are_merged_and_their_weights_added(values):
    doubled = np.vstack([values, values[:2]])
    rows = make(doubled, [0, 0, 1, 1, 2, 2, 0, 0], [1, 2, 1, 1, 1, 1, 3, 4])
    assert len(rows.rows) == 6
    assert dict(zip(rows.rows, rows.weight)) == {0: 4, 1: 6, 2: 1, 3: 1, 4: 1, 5: 1}


@pytest.mark.parametrize("difference", ["target", "groups", "train_only"])
def test_rows_that_differ_in_more_than_features_are_kept_apart(values, difference):
    doubled = np.vstack([values, values])
    other = np.repeat([0, 1], 6)
    arguments = {"target": np.zeros(12, int)}
    arguments[difference] = other.astype(bool) if difference == "train_only" else other
    assert len(make(doubled, arguments.pop("target"), **arguments).rows) == 12


def test_negative_zero_is_zero():
    assert len(make(np.array([[0.0], [-0.0]], dtype=np.float32), [0, 0]).rows) == 1


def test_soft_targets_of_equal_rows_are_averaged_by_weight(values):
    doubled = np.vstack([values[:1], values[:1]])
    rows = make(doubled, [0, 0], [1, 3], soft_targets=np.array([[1.0, 0.0], [0.0, 1.0]]))
    np.testing.assert_allclose(rows.soft_targets, [[0.25, 0.75]])


def test_equal_embeddings_with_other_frames_are_other_rows(values):
    frames = np.random.default_rng(1).normal(size=(6, 5, 2))
    bundle = FeatureBundle({"audio": values[[0] * 6], "mfcc": frames[[0, 0, 1, 2, 3, 3]]}, lengths={"mfcc": [5] * 6})
    inputs = read_bundle(bundle, {"audio": "audio", "text": None, "frames": "mfcc"})
    rows = make_training_rows(inputs, np.zeros(6, int), np.ones(6))
    assert sorted(rows.weight) == [1, 1, 2, 2]


@pytest.mark.parametrize("train_only", [np.zeros(6), np.zeros(5, bool)])
def test_train_only_must_be_a_mask(values, train_only):
    with pytest.raises(DataFormatError, match="boolean mask"):
        make(values, np.zeros(6, int), train_only=train_only)


def test_groups_must_match_rows(values):
    with pytest.raises(DataFormatError, match="one label for each of the 6 rows"):
        make(values, np.zeros(6, int), groups=["a"])


def test_missing_groups_are_groups_of_their_own():
    inputs = ClipInputs(np.arange(6, dtype=np.float32)[:, None], None)
    groups = np.array(["a", None, "a", np.nan, None, "b"], dtype=object)
    rows = make_training_rows(inputs, np.zeros(6, dtype=int), np.ones(6), groups=groups)
    of_row = dict(zip(rows.rows, rows.groups))
    assert of_row[0] == of_row[2]
    assert len(set(of_row.values())) == 5
