"""Estimators that train a torch network inside `fit`."""

from skbst.neural._branch_classifier import BranchClassifier

__all__ = ["BranchClassifier"]
