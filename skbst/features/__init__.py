"""Featurizers: scikit-learn transformers from clips to rows of features."""

from skbst.features._block_selector import BlockSelector
from skbst.features._bundle import FeatureBundle
from skbst.features._clip_featurizer import ClipFeaturizer
from skbst.features._log_mel_featurizer import LogMelFeaturizer
from skbst.features._log_stft_featurizer import LogSTFTFeaturizer
from skbst.features._mfcc_featurizer import MFCCFeaturizer
from skbst.features._precomputed_featurizer import PrecomputedFeaturizer

__all__ = [
    "BlockSelector",
    "ClipFeaturizer",
    "FeatureBundle",
    "LogMelFeaturizer",
    "LogSTFTFeaturizer",
    "MFCCFeaturizer",
    "PrecomputedFeaturizer",
]
