import numpy as np
import pytest
from scipy.stats import binom
from sklearn.naive_bayes import GaussianNB

from skbst.conformal import HierarchicalConformalClassifier, class_coverage_scores
from skbst.metrics import expected_calibration_error
from skbst.plotting import AnswerCurveDisplay, ClassCoverageDisplay, ReliabilityDisplay, SizeCoverageDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")

CLASSES = np.array(["fx-a", "fx-h", "ss-n"])


@pytest.fixture(scope="module")
def fitted():
    label = np.arange(300) % 3
    X = np.random.default_rng(0).normal(size=(300, 2)) + np.array([[0, 0], [1.5, 0], [0, 3]])[label]
    return (
        HierarchicalConformalClassifier(GaussianNB()).fit(X[:150], CLASSES[label[:150]]),
        X[150:],
        CLASSES[label[150:]],
    )


def test_class_coverage(fitted):
    model, X, y = fitted
    display = ClassCoverageDisplay.from_estimator(model, X, y)
    np.testing.assert_array_equal(display.coverage, class_coverage_scores(y, model.predict_set(X)))
    assert display.support.tolist() == [50, 50, 50]
    low, high = display.band_[0]
    inside = binom.cdf(round(high * 50), 50, 0.9) - binom.cdf(round(low * 50) - 1, 50, 0.9)
    assert 0.95 <= inside < 0.99
    assert [tick.get_text() for tick in display.ax_.get_yticklabels()] == [f"{code}  (50)" for code in CLASSES]
    display.figure_.canvas.draw()


def test_a_class_below_its_band_is_red():
    sets = np.zeros((40, 2), dtype=bool)
    sets[:20, 0] = True
    display = ClassCoverageDisplay.from_sets(
        ["fx-a"] * 20 + ["fx-h"] * 20, sets, classes=["fx-a", "fx-h"], confidence_level=0.9
    )
    red = next(line for line in display.ax_.lines if line.get_color() == "tab:red")
    assert (red.get_xdata().tolist(), red.get_ydata().tolist()) == ([0.0], [1])


def test_answer_curve(fitted):
    model, X, y = fitted
    display = AnswerCurveDisplay.from_estimator(model, X, y)
    assert display.leaf_accuracy[-1] == np.mean(model.predict(X) == y)
    assert display.top_accuracy[-1] == np.mean(model.predict_top(X) == model.taxonomy_.top_of(y))
    order = np.argsort(-model.predict_proba(X).max(axis=1), kind="stable")
    assert display.leaf_accuracy[49] == np.mean((model.predict(X) == y)[order[:50]])
    assert len(display.ax_.lines) == 2


def test_reliability(fitted):
    model, X, y = fitted
    display = ReliabilityDisplay.from_estimator(model, X, y, n_bins=5)
    expected = expected_calibration_error(y, model.predict_proba(X), level="top", n_bins=5)
    assert display.errors["top"] == expected
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels[1] == f"top level, error {100 * expected:.1f} %"


def test_size_coverage(fitted):
    model, X, y = fitted
    display = SizeCoverageDisplay.from_estimator(model, X, y, n_points=20)
    sets = model.predict_set(X)
    assert (display.set_coverage, display.set_size) == (
        np.mean(sets[np.arange(150), np.arange(150) % 3]),
        sets.sum() / 150,
    )
    proba = model.predict_proba(X)
    threshold = display.curve.thresholds[10]
    wide = (1 - proba <= threshold) | (proba == proba.max(axis=1, keepdims=True))
    assert display.curve.size[10] == wide.sum() / 150
    np.testing.assert_array_equal(display.ax_.lines[0].get_xydata(), np.c_[display.curve.size, display.curve.coverage])
    np.testing.assert_array_equal(display.ax_.lines[1].get_xdata(), display.curve.nodes)
    assert display.ax_.lines[2].get_xydata().tolist() == [[display.set_size, display.set_coverage]]
    display.figure_.canvas.draw()


def test_size_coverage_without_sets(fitted):
    model, X, y = fitted
    display = SizeCoverageDisplay.from_estimator(model.estimator_, X, y, n_points=5)
    assert display.set_coverage is None
    assert len(display.ax_.lines) == 2
