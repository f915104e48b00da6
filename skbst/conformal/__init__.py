"""Answers that know what they do not know: sets of classes with a promise, and backed-off answers on the tree."""

from skbst.conformal._hierarchical_conformal_classifier import HierarchicalConformalClassifier
from skbst.conformal._nodes import node_answers, node_confidences, node_cover, node_threshold
from skbst.conformal._quantile import conformal_p_values, conformal_quantile
from skbst.conformal._sets import class_p_values, class_thresholds, lac_scores, prediction_sets

__all__ = [
    "HierarchicalConformalClassifier",
    "class_p_values",
    "class_thresholds",
    "conformal_p_values",
    "conformal_quantile",
    "lac_scores",
    "node_answers",
    "node_confidences",
    "node_cover",
    "node_threshold",
    "prediction_sets",
]
