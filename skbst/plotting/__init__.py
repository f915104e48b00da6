"""Displays: pictures of results, drawn with matplotlib."""

from skbst.plotting._blend_map import BlendSearchDisplay
from skbst.plotting._confusion_matrix import HierarchicalConfusionMatrixDisplay
from skbst.plotting._learning_curves import LearningCurvesDisplay
from skbst.plotting._manifest import SelectionDisplay
from skbst.plotting._neighbours import NeighboursDisplay

__all__ = [
    "BlendSearchDisplay",
    "HierarchicalConfusionMatrixDisplay",
    "LearningCurvesDisplay",
    "NeighboursDisplay",
    "SelectionDisplay",
]
