"""Scorers for ``scoring=`` in scikit-learn's searches and cross-validation."""

from sklearn.metrics import make_scorer

from skbst.metrics._accuracy import hierarchical_accuracy_score, top_level_accuracy_score
from skbst.metrics._precision_recall import hierarchical_f1_score

__all__ = ["hierarchical_accuracy_scorer", "hierarchical_f1_scorer", "top_level_accuracy_scorer"]

#: hF with the challenge's conventions; for others use ``make_scorer(hierarchical_f1_score, zero_division=0.0)``.
hierarchical_f1_scorer = make_scorer(hierarchical_f1_score)

#: Hierarchical accuracy with the challenge's conventions.
hierarchical_accuracy_scorer = make_scorer(hierarchical_accuracy_score)

#: Share of rows whose top level is right.
top_level_accuracy_scorer = make_scorer(top_level_accuracy_score)
