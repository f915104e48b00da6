"""Calibration error at both levels: by hand and against a slow loop."""

import numpy as np
import pytest

from skbst.exceptions import DataFormatError
from skbst.metrics import expected_calibration_error, hierarchical_classification_report, reliability_curve
from skbst.taxonomy import BST


def slow_error(confidence, right, n_bins, weight):
    error = 0.0
    for i in range(n_bins):
        inside = (confidence > i / n_bins) & (confidence <= (i + 1) / n_bins)
        if weight[inside].sum() > 0:
            gap = np.average(right[inside], weights=weight[inside]) - np.average(
                confidence[inside], weights=weight[inside]
            )
            error += weight[inside].sum() / weight.sum() * abs(gap)
    return error


@pytest.mark.parametrize("n_bins", [1, 10, 15])
def test_against_a_loop(n_bins):
    rng = np.random.default_rng(0)
    y, proba, weight = rng.integers(0, 23, 400), rng.dirichlet(np.full(23, 0.2), 400), rng.random(400)
    top, parent = BST.aggregate(proba), BST.parent_of_leaf
    params = {"classes": BST.leaves, "n_bins": n_bins, "sample_weight": weight}
    leaf = slow_error(proba.max(axis=1), proba.argmax(axis=1) == y, n_bins, weight)
    assert expected_calibration_error(BST.leaves[y], proba, **params) == pytest.approx(leaf)
    above = slow_error(top.max(axis=1), top.argmax(axis=1) == parent[y], n_bins, weight)
    assert expected_calibration_error(BST.leaves[y], proba, level="top", **params) == pytest.approx(above)


def test_columns_follow_the_classes():
    y, proba = ["ss-n", "fx-a"], np.array([[0.9, 0.1], [0.9, 0.1]])
    assert expected_calibration_error(y, proba, classes=["ss-n", "fx-a"]) == pytest.approx(0.4)
    curve = reliability_curve(y, proba, classes=["ss-n", "fx-a"], level="top")
    assert (curve.confidence.tolist(), curve.accuracy.tolist(), curve.weight.tolist()) == ([0.9], [0.5], [2.0])
    with pytest.raises(DataFormatError, match=r"shape \(2, 3\)"):
        expected_calibration_error(y, proba, classes=["ss-n", "fx-a", "fx-h"])
    with pytest.raises(DataFormatError, match="1 of 2 rows of probabilities are NaN"):
        expected_calibration_error(y, [[0.9, np.nan], [0.5, 0.5]])


def test_printed_in_the_report():
    y, proba = ["fx-a", "fx-h"], [[0.75, 0.25], [0.75, 0.25]]
    text = hierarchical_classification_report(y, ["fx-a", "fx-a"], proba=proba, digits=1)
    assert "calibration error               25.0  (top level 0.0)" in text
    report = hierarchical_classification_report(y, ["fx-a", "fx-a"], proba=proba, output_dict=True)["overall"]
    assert (report["leaf_calibration_error"], report["top_calibration_error"]) == (0.25, 0)
    assert "calibration error" not in hierarchical_classification_report(y, y)
