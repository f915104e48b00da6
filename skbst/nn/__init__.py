"""Torch modules: branches, fusion, adapter, trunk, heads, losses and augmentation. Plain torch, no scikit-learn."""

from skbst.nn._attention_pooling import AttentionPooling
from skbst.nn._clip_net import ClipNet
from skbst.nn._flat_heads import BaselineHead, FlatHead
from skbst.nn._frame_standardizer import FrameStandardizer
from skbst.nn._gated_residual_fusion import GatedResidualFusion
from skbst.nn._hatr import HATR
from skbst.nn._highway_gate_adapter import HighwayGateAdapter
from skbst.nn._log_stft_transformer import LogSTFTTransformer, sinusoidal_positions
from skbst.nn._masking import length_mask, masked_max, masked_mean, padding_mask, trim_padding, zero_padding
from skbst.nn._mean_max_pooling import MeanMaxPooling
from skbst.nn._mean_pooling import MeanPooling

__all__ = [
    "HATR",
    "AttentionPooling",
    "BaselineHead",
    "ClipNet",
    "FlatHead",
    "FrameStandardizer",
    "GatedResidualFusion",
    "HighwayGateAdapter",
    "LogSTFTTransformer",
    "MeanMaxPooling",
    "MeanPooling",
    "length_mask",
    "masked_max",
    "masked_mean",
    "padding_mask",
    "sinusoidal_positions",
    "trim_padding",
    "zero_padding",
]
