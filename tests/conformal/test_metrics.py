"""Metrics of sets and nodes, by hand."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skbst.conformal import (
    HierarchicalConformalClassifier,
    class_coverage_scores,
    coverage_score,
    coverage_scorer,
    hierarchical_size_coverage_curve,
    mean_set_size,
    negative_set_size_scorer,
    node_answer_report,
    right_leaf_scorer,
)
from skbst.exceptions import DataFormatError

SETS = np.array([[1, 1, 0], [0, 1, 0], [0, 1, 1], [1, 0, 0]], dtype=bool)
Y = ["fx-a", "fx-a", "ss-n", "fx-h"]
CLASSES = ["fx-a", "fx-h", "ss-n"]


def test_coverage_by_hand():
    assert coverage_score(Y, SETS) == 0.5
    assert coverage_score(Y, SETS, sample_weight=[3, 1, 1, 1]) == pytest.approx(4 / 6)
    np.testing.assert_array_equal(class_coverage_scores(Y, SETS), [0.5, 0, 1])
    np.testing.assert_array_equal(class_coverage_scores(Y[:3], SETS[:3], classes=CLASSES), [0.5, np.nan, 1])
    # the order of the columns is that of the classes
    np.testing.assert_array_equal(
        class_coverage_scores(Y, SETS[:, [2, 0, 1]], classes=["ss-n", "fx-a", "fx-h"]), [1, 0.5, 0]
    )
    assert mean_set_size(SETS) == 1.5
    assert mean_set_size(SETS, sample_weight=[1, 0, 0, 1]) == 1.5


def test_what_does_not_fit_is_said():
    with pytest.raises(DataFormatError, match=r"3 columns, but there are 2 classes"):
        coverage_score(Y, SETS, classes=["fx-a", "fx-h"])
    with pytest.raises(DataFormatError, match=r"1 of 4 labels .*'m-sp'"):
        coverage_score(["fx-a", "fx-a", "m-sp", "fx-h"], SETS, classes=CLASSES)
    with pytest.raises(DataFormatError, match="bool matrix"):
        coverage_score(Y, SETS * 0.5)
    with pytest.raises(DataFormatError, match=r"1 of 1 answers are no node .*'zz'"):
        node_answer_report(["fx-a"], ["zz"])


def test_node_report_by_hand():
    y = ["fx-a", "fx-a", "fx-h", "ss-n", "ss-n", "m-sp"]
    report = node_answer_report(y, ["fx-a", "fx-h", "fx", "ss-n", "fx", "?"])
    assert report["leaf"] == {"share": 0.5, "accuracy": pytest.approx(2 / 3)}
    assert report["top"] == {"share": pytest.approx(1 / 3), "accuracy": 0.5}
    assert report["refused"]["share"] == pytest.approx(1 / 6)
    assert report["wrong"] == pytest.approx(2 / 6)
    assert report["wrong_of_answered"] == pytest.approx(2 / 5)
    assert np.isnan(node_answer_report(["fx-a"], ["?"])["leaf"]["accuracy"])


def test_curve_rises_and_nodes_cover_no_less():
    rng = np.random.default_rng(0)
    y = np.repeat(CLASSES, 30)
    proba = rng.dirichlet(np.ones(3), 90) + 0.5 * np.eye(3)[np.repeat(range(3), 30)]
    curve = hierarchical_size_coverage_curve(y, proba / proba.sum(axis=1, keepdims=True), max_nodes=1, n_points=12)
    for values in (curve.thresholds, curve.coverage, curve.size, curve.leaves):
        assert (np.diff(values) >= 0).all()
    assert curve.coverage[-1] == 1
    assert (curve.node_coverage >= curve.coverage).all()
    assert (curve.nodes == 1).all()


def test_scorers_in_a_search():
    label = np.arange(240) % 3
    X = np.random.default_rng(0).normal(size=(240, 2)) + np.array([[0, 0], [2, 0], [0, 4]])[label]
    y = np.array(CLASSES)[label]
    scoring = {"coverage": coverage_scorer, "size": negative_set_size_scorer, "leaf": right_leaf_scorer}
    model = HierarchicalConformalClassifier(LogisticRegression(), cv=3)
    grid = {"confidence_level": [0.7, 0.95], "estimator__C": [1.0]}
    search = GridSearchCV(model, grid, scoring=scoring, refit="leaf", cv=3).fit(X, y)
    low, high = search.cv_results_["mean_test_coverage"]
    assert high > low
    low, high = search.cv_results_["mean_test_size"]
    assert high < low < 0
    assert search.best_params_["confidence_level"] == 0.7
