"""Torch modules: branches, fusion, adapter, trunk, heads, losses and augmentation. Plain torch, no scikit-learn."""

from skbst.nn._augmentation._crop_and_patch import CropAndPatch
from skbst.nn._augmentation._embedding_masking import EmbeddingMasking
from skbst.nn._augmentation._embedding_noise import EmbeddingNoise
from skbst.nn._augmentation._random_time_crop import RandomTimeCrop
from skbst.nn._augmentation._time_masking import TimeMasking
from skbst.nn._branches._clip_strip import ClipStrip
from skbst.nn._branches._frame_packing import FramePacking
from skbst.nn._branches._frame_standardizer import FrameStandardizer
from skbst.nn._branches._frequency_dynamic_conv import MDFD_DILATIONS, FrequencyDynamicConv2d
from skbst.nn._branches._log_mel_mdfd import LogMelMDFD
from skbst.nn._branches._log_stft_transformer import LogSTFTTransformer, sinusoidal_positions
from skbst.nn._branches._masked_batch_norm import MaskedBatchNorm2d
from skbst.nn._branches._mfcc_residual_tdnn import MFCCResidualTDNN
from skbst.nn._clip_net import ClipNet
from skbst.nn._dropout import Dropout
from skbst.nn._frame_prior import FramePrior
from skbst.nn._fusion._class_prior_embedding import ClassPriorEmbedding
from skbst.nn._fusion._gated_residual_fusion import GatedResidualFusion
from skbst.nn._fusion._highway_gate_adapter import HighwayGateAdapter
from skbst.nn._hatr import HATR
from skbst.nn._heads._branch_head import BranchHead
from skbst.nn._heads._flat_heads import BaselineHead, FlatHead
from skbst.nn._heads._global_head import GlobalHead
from skbst.nn._heads._hierarchy import log_aggregate_to_top, log_condition_on_top
from skbst.nn._heads._local_per_level_head import LocalPerLevelHead
from skbst.nn._length_scale import LengthScale
from skbst.nn._linear_prior import LinearPrior
from skbst.nn._losses._cross_entropy import LabelSmoothingCrossEntropy, cross_entropy_rows
from skbst.nn._losses._distillation_loss import DistillationLoss, kl_divergence_rows
from skbst.nn._losses._hierarchical_cross_entropy import HierarchicalCrossEntropy
from skbst.nn._masking import length_mask, masked_max, masked_mean, padding_mask, trim_padding, zero_padding
from skbst.nn._pooling._attention_pooling import AttentionPooling
from skbst.nn._pooling._mean_max_pooling import MeanMaxPooling

__all__ = [
    "AttentionPooling",
    "BaselineHead",
    "BranchHead",
    "ClassPriorEmbedding",
    "ClipNet",
    "ClipStrip",
    "CropAndPatch",
    "DistillationLoss",
    "Dropout",
    "EmbeddingMasking",
    "EmbeddingNoise",
    "FlatHead",
    "FramePacking",
    "FramePrior",
    "FrameStandardizer",
    "FrequencyDynamicConv2d",
    "GatedResidualFusion",
    "GlobalHead",
    "HATR",
    "HierarchicalCrossEntropy",
    "HighwayGateAdapter",
    "LabelSmoothingCrossEntropy",
    "LengthScale",
    "LinearPrior",
    "LocalPerLevelHead",
    "LogMelMDFD",
    "LogSTFTTransformer",
    "MDFD_DILATIONS",
    "MFCCResidualTDNN",
    "MaskedBatchNorm2d",
    "MeanMaxPooling",
    "RandomTimeCrop",
    "TimeMasking",
    "cross_entropy_rows",
    "kl_divergence_rows",
    "length_mask",
    "log_aggregate_to_top",
    "log_condition_on_top",
    "masked_max",
    "masked_mean",
    "padding_mask",
    "sinusoidal_positions",
    "trim_padding",
    "zero_padding",
]
