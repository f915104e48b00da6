"""Displays: pictures of results, drawn with matplotlib."""

from skbst.plotting._answer_curve import AnswerCurveDisplay
from skbst.plotting._blend_map import BlendSearchDisplay
from skbst.plotting._class_coverage import ClassCoverageDisplay
from skbst.plotting._confusion_matrix import HierarchicalConfusionMatrixDisplay
from skbst.plotting._encoder_report import EncoderReportDisplay
from skbst.plotting._label_audit import LabelAuditDisplay
from skbst.plotting._learning_curves import LearningCurvesDisplay
from skbst.plotting._manifest import SelectionDisplay
from skbst.plotting._neighbours import NeighboursDisplay
from skbst.plotting._reliability import ReliabilityDisplay
from skbst.plotting._size_coverage import SizeCoverageDisplay

__all__ = [
    "AnswerCurveDisplay",
    "BlendSearchDisplay",
    "ClassCoverageDisplay",
    "EncoderReportDisplay",
    "HierarchicalConfusionMatrixDisplay",
    "LabelAuditDisplay",
    "LearningCurvesDisplay",
    "NeighboursDisplay",
    "ReliabilityDisplay",
    "SelectionDisplay",
    "SizeCoverageDisplay",
]
