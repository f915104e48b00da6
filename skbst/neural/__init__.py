"""Estimators that train a torch network inside `fit`."""

from skbst.neural._branch_classifier import BranchClassifier
from skbst.neural._knn_distillation_classifier import KNNDistillationClassifier
from skbst.neural._recipe import Recipe

__all__ = ["BranchClassifier", "KNNDistillationClassifier", "Recipe"]
