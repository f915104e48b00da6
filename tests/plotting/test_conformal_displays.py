import numpy as np
import pytest
from scipy.stats import binom
from sklearn.naive_bayes import GaussianNB

from skbst.conformal import HierarchicalConformalClassifier, class_coverage_scores
from skbst.metrics import expected_calibration_error
from skbst.plotting import AnswerCurveDisplay, ClassCoverageDisplay, ReliabilityDisplay

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
