"""Displays: pictures of results, drawn with matplotlib."""

from skbst.plotting._confusion_matrix import HierarchicalConfusionMatrixDisplay
from skbst.plotting._learning_curves import LearningCurvesDisplay

__all__ = ["HierarchicalConfusionMatrixDisplay", "LearningCurvesDisplay"]
