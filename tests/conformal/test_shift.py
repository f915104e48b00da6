"""Shares of classes in a new library, re-estimated."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skbst.conformal import HierarchicalConformalClassifier, bbse_shares, saerens_shares, shift_report

CLASSES = np.array(["fx-a", "fx-h", "ss-n"])
CENTRES = np.array([[0, 0], [2.5, 0], [0, 3]])


def draw(counts, seed, offset=0.0):
    label = np.repeat(range(3), counts)
    return np.random.default_rng(seed).normal(size=(len(label), 2)) + CENTRES[label] + offset, CLASSES[label]


@pytest.fixture(scope="module")
def model():
    X, y = draw([400, 400, 400], 0)
    return HierarchicalConformalClassifier(LogisticRegression(), random_state=0).fit(X, y)


def test_both_methods_find_the_shares(model):
    report = shift_report(model, draw([1400, 200, 400], 1)[0])
    np.testing.assert_allclose(report.classes["saerens"], [0.7, 0.1, 0.2], atol=0.03)
    np.testing.assert_allclose(report.classes["bbse"], [0.7, 0.1, 0.2], atol=0.04)
    np.testing.assert_allclose(report.classes["calibration"], 1 / 3)
    assert report.classes["predicted"].sum() == pytest.approx(1)
    assert report.unlike < 0.04
    assert "promise is not for these clips" not in report.message


def test_expected_coverage_is_that_of_the_shares(model):
    """A class that the sets hold less often makes the promise smaller where it is more frequent."""
    X, y = draw([3000, 3000, 24000], 2)
    sets = model.predict_set(X)
    covered = sets[np.arange(len(y)), np.searchsorted(CLASSES, y)].mean()
    assert shift_report(model, X).expected_coverage == pytest.approx(covered, abs=0.02)


def test_another_kind_of_clips_is_said(model):
    report = shift_report(model, draw([50, 50, 50], 3, offset=40.0)[0])
    assert report.unlike == 1
    assert "promise is not for these clips" in report.message
    assert report.answers["refused"] == 1


def test_one_step_of_saerens_by_hand():
    """With probabilities of 0 and 1 the shares are counts."""
    np.testing.assert_allclose(saerens_shares(np.eye(3)[[0, 0, 1]], [0.2, 0.3, 0.5]), [2 / 3, 1 / 3, 0])
    assert saerens_shares([[0.5, 0.5]], [0.5, 0.5]).tolist() == [0.5, 0.5]


def test_bbse_solves_the_confusion():
    shares = bbse_shares([0] * 10 + [1] * 10, [0] * 8 + [1] * 2 + [0] * 4 + [1] * 6, [0] * 7 + [1] * 3, 2)
    np.testing.assert_allclose(shares, [0.75, 0.25])
