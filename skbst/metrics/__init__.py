"""Hierarchical metrics of a two-level taxonomy: scores, a report and scorers."""

from skbst.metrics._accuracy import hierarchical_accuracy_score, top_level_accuracy_score
from skbst.metrics._calibration_error import expected_calibration_error, reliability_curve
from skbst.metrics._confusion import hierarchical_scores_from_confusion, pair_confusion
from skbst.metrics._precision_recall import (
    hierarchical_f1_score,
    hierarchical_precision_recall_fscore_support,
    hierarchical_precision_score,
    hierarchical_recall_score,
)
from skbst.metrics._report import hierarchical_classification_report
from skbst.metrics._scorers import (
    hierarchical_accuracy_scorer,
    hierarchical_f1_scorer,
    top_level_accuracy_scorer,
)

__all__ = [
    "expected_calibration_error",
    "hierarchical_accuracy_score",
    "hierarchical_accuracy_scorer",
    "hierarchical_classification_report",
    "hierarchical_f1_score",
    "hierarchical_f1_scorer",
    "hierarchical_precision_recall_fscore_support",
    "hierarchical_precision_score",
    "hierarchical_recall_score",
    "hierarchical_scores_from_confusion",
    "pair_confusion",
    "reliability_curve",
    "top_level_accuracy_score",
    "top_level_accuracy_scorer",
]
