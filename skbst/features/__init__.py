"""Featurizers: scikit-learn transformers from clips to rows of features."""

from skbst.features._audio_statistics_featurizer import AudioStatisticsFeaturizer
from skbst.features._block_selector import BlockSelector
from skbst.features._bundle import FeatureBundle
from skbst.features._clap._clap_audio_featurizer import ClapAudioFeaturizer
from skbst.features._clap._clap_text_featurizer import ClapTextFeaturizer
from skbst.features._clap._clap_zero_shot_classifier import ClapZeroShotClassifier
from skbst.features._clip_featurizer import ClipFeaturizer
from skbst.features._encoders._encoder_report import encoder_report
from skbst.features._encoders._sentence_transformer_featurizer import SentenceTransformerFeaturizer
from skbst.features._encoders._transformers_audio_featurizer import TransformersAudioFeaturizer
from skbst.features._precomputed_featurizer import PrecomputedFeaturizer
from skbst.features._priors._class_prior_featurizer import ClassPriorFeaturizer
from skbst.features._priors._llm_prior_featurizer import LLMPriorFeaturizer
from skbst.features._priors._read import class_prior
from skbst.features._priors._tag_rules import TagRules
from skbst.features._shipped_embedding_featurizer import ShippedEmbeddingFeaturizer
from skbst.features._spectra._log_mel_featurizer import LogMelFeaturizer
from skbst.features._spectra._log_stft_featurizer import LogSTFTFeaturizer
from skbst.features._spectra._mfcc_featurizer import MFCCFeaturizer
from skbst.features._store._access import stores_read_only
from skbst.features._store._embedding_skew import embedding_skew
from skbst.features._store._embedding_store import EmbeddingStore
from skbst.features._text_lsa_featurizer import TextLSAFeaturizer

__all__ = [
    "AudioStatisticsFeaturizer",
    "BlockSelector",
    "ClapAudioFeaturizer",
    "ClapTextFeaturizer",
    "ClapZeroShotClassifier",
    "ClassPriorFeaturizer",
    "ClipFeaturizer",
    "EmbeddingStore",
    "FeatureBundle",
    "LLMPriorFeaturizer",
    "LogMelFeaturizer",
    "LogSTFTFeaturizer",
    "MFCCFeaturizer",
    "PrecomputedFeaturizer",
    "SentenceTransformerFeaturizer",
    "ShippedEmbeddingFeaturizer",
    "TagRules",
    "TextLSAFeaturizer",
    "TransformersAudioFeaturizer",
    "class_prior",
    "embedding_skew",
    "encoder_report",
    "stores_read_only",
]
