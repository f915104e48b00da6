"""Answers that know what they do not know: sets of classes with a promise, and backed-off answers on the tree."""

from skbst._folds import cross_fit, fold_rows
from skbst.conformal._hierarchical_conformal_classifier import HierarchicalConformalClassifier
from skbst.conformal._metrics import (
    class_coverage_scores,
    coverage_score,
    hierarchical_size_coverage_curve,
    mean_set_size,
    node_answer_report,
)
from skbst.conformal._nodes import node_answers, node_confidences, node_cover, node_threshold
from skbst.conformal._quantile import conformal_p_values, conformal_quantile
from skbst.conformal._scorers import coverage_scorer, negative_set_size_scorer, right_leaf_scorer
from skbst.conformal._sets import class_p_values, class_thresholds, lac_scores, prediction_sets
from skbst.conformal._shift import bbse_shares, saerens_shares, shift_report

__all__ = [
    "HierarchicalConformalClassifier",
    "bbse_shares",
    "class_coverage_scores",
    "class_p_values",
    "class_thresholds",
    "conformal_p_values",
    "conformal_quantile",
    "coverage_score",
    "coverage_scorer",
    "cross_fit",
    "fold_rows",
    "hierarchical_size_coverage_curve",
    "lac_scores",
    "mean_set_size",
    "negative_set_size_scorer",
    "node_answer_report",
    "node_answers",
    "node_confidences",
    "node_cover",
    "node_threshold",
    "prediction_sets",
    "right_leaf_scorer",
    "saerens_shares",
    "shift_report",
]
