"""Corrections count in the bank at once, in a new model."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from skbst.exceptions import DataFormatError
from skbst.neighbors import KNNPriorBlender
from skbst.systems import SystemPipeline

CODES = np.array(["fx-a", "m-sp", "ss-n"])


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    y = CODES[np.arange(60) % 3]
    return rng.standard_normal((60, 5)) + np.eye(3, 5)[np.arange(60) % 3], y


def test_the_same_as_a_fit_on_right_labels_around_the_same_classifier(clips):
    X, y = clips
    blender = KNNPriorBlender(LogisticRegression(), alpha=0.6, k=4).fit(X, y)
    rows = np.array([7, 3, 50])
    right = y.copy()
    right[rows] = ["ss-n", "m-sp", "fx-a"]
    corrected = blender.correct(rows, right[rows])
    again = KNNPriorBlender(FrozenEstimator(blender.estimator_), alpha=0.6, k=4).fit(X, right)
    assert (corrected.predict_proba(X) != blender.predict_proba(X)).any()
    np.testing.assert_array_equal(corrected.predict_proba(X), again.predict_proba(X))
    np.testing.assert_array_equal(corrected.leave_one_out_proba(), again.leave_one_out_proba())
    assert corrected.explain(X[:5]).equals(again.explain(X[:5]))
    assert set(corrected.explain(X[7:8]).query("neighbour == 7")["label"]) == {"ss-n"}


def test_the_old_model_stays_and_corrections_add_up(clips):
    X, y = clips
    blender = KNNPriorBlender(LogisticRegression(), alpha=0.6, k=4).fit(X, y)
    before = pickle.dumps(blender)
    one = blender.correct([1], ["fx-a"])
    two = one.correct(np.array([2], dtype=np.uint8), pd.Series(["m-sp"], dtype="string"))
    assert pickle.dumps(blender) == before
    assert two.classes_[two.bank_labels_[[1, 2]]].tolist() == ["fx-a", "m-sp"]
    assert one.classes_[one.bank_labels_[2]] == y[2]
    assert two.bank_ is blender.bank_
    assert blender.correct([], []).bank_labels_.tolist() == blender.bank_labels_.tolist()
    pickle.loads(pickle.dumps(two)).predict(X)


def test_rows_are_those_of_fit_even_where_some_have_no_weight(clips):
    X, y = clips
    weight = (np.arange(60) % 4 > 0).astype(float)
    blender = KNNPriorBlender(LogisticRegression()).fit(X, y, sample_weight=weight)
    corrected = blender.correct([5], ["fx-a"])
    assert corrected.bank_rows_[corrected.bank_labels_ != blender.bank_labels_].tolist() == [5]
    with pytest.raises(DataFormatError, match=r"1 of 2 rows are not in the bank \(first: 4\)"):
        blender.correct([5, 4], ["fx-a", "fx-a"])


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        ([60], ["fx-a"], "not in the bank"),
        ([-1], ["fx-a"], "not in the bank"),
        ([0], ["fx-zz"], r"no class of the model \(first: 'fx-zz'\)"),
        ([0], [None], "no class of the model"),
        ([0], [np.nan], "no class of the model"),
        ([0, 1], ["fx-a"], "one label for each"),
        ([True, False], ["fx-a", "m-sp"], "type bool"),
        ([0.0], ["fx-a"], "type float64"),
        (["0"], ["fx-a"], "whole numbers"),
        ([3, 3], ["fx-a", "m-sp"], "Row 3 is corrected twice"),
    ],
)
def test_what_cannot_be_taken_over(clips, rows, labels, message):
    X, y = clips
    blender = KNNPriorBlender(LogisticRegression()).fit(X, y)
    with pytest.raises(DataFormatError, match=message):
        blender.correct(rows, labels)


def test_one_correction_given_twice_and_labels_that_are_numbers(clips):
    X, y = clips
    numbers = np.searchsorted(CODES, y) * 10
    blender = KNNPriorBlender(LogisticRegression(), alpha=1.0, k=1).fit(X, numbers)
    assert blender.correct([3, 3], [20, 20]).predict(X[3:4]).tolist() == [20]


def test_a_system_is_corrected_too(clips):
    X, y = clips
    steps = [("scale", StandardScaler()), ("classifier", KNNPriorBlender(LogisticRegression(), alpha=1.0, k=1))]
    system = SystemPipeline(steps).fit(X, y)
    corrected = system.correct([0], ["ss-n"])
    assert corrected.predict(X[:1]).tolist() == ["ss-n"]
    assert system.predict(X[:1]).tolist() == ["fx-a"]
    assert not hasattr(SystemPipeline([("linear", LogisticRegression())]), "correct")
