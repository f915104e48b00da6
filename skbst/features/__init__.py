"""Featurizers: scikit-learn transformers from clips to rows of features."""

from skbst.features._bundle import FeatureBundle
from skbst.features._log_mel_featurizer import LogMelFeaturizer
from skbst.features._log_stft_featurizer import LogSTFTFeaturizer
from skbst.features._mfcc_featurizer import MFCCFeaturizer

__all__ = ["FeatureBundle", "LogMelFeaturizer", "LogSTFTFeaturizer", "MFCCFeaturizer"]
