"""The protocol: official and grouped folds, leakage checks, and paired comparison of systems."""

from skbst.model_selection._blend._cells import FoldParts
from skbst.model_selection._bsd_grand_kfold import BSDGrandKFold
from skbst.model_selection._compare_paired import compare_paired
from skbst.model_selection._folds import Fold, Folds
from skbst.model_selection._knn_blend_search_cv import KNNBlendSearchCV
from skbst.model_selection._leakage_report import leakage_report
from skbst.model_selection._leakage_result import LeakageReport
from skbst.model_selection._official_kfold import OfficialKFold, official_folds
from skbst.model_selection._paired_comparison import PairedComparison

__all__ = [
    "BSDGrandKFold",
    "Fold",
    "FoldParts",
    "Folds",
    "KNNBlendSearchCV",
    "LeakageReport",
    "OfficialKFold",
    "PairedComparison",
    "compare_paired",
    "leakage_report",
    "official_folds",
]
