"""Several classifiers, one consistent answer at both levels of the tree."""

from skbst.ensemble._class_prior_classifier import ClassPriorClassifier
from skbst.ensemble._decoding import decode_proba
from skbst.ensemble._fold_ensemble_classifier import FoldEnsembleClassifier
from skbst.ensemble._hierarchical_decoder import HierarchicalDecoder
from skbst.ensemble._hierarchical_voting_classifier import HierarchicalVotingClassifier
from skbst.ensemble._out_of_fold import out_of_fold_log_proba
from skbst.ensemble._weight_search import search_weights
from skbst.ensemble._weight_search_result import WeightSearchResult

__all__ = [
    "ClassPriorClassifier",
    "FoldEnsembleClassifier",
    "HierarchicalDecoder",
    "HierarchicalVotingClassifier",
    "WeightSearchResult",
    "decode_proba",
    "out_of_fold_log_proba",
    "search_weights",
]
