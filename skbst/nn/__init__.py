"""Torch modules: branches, fusion, adapter, trunk, heads, losses and augmentation. Plain torch, no scikit-learn."""

from skbst.nn._clip_net import ClipNet
from skbst.nn._flat_heads import BaselineHead, FlatHead
from skbst.nn._hatr import HATR

__all__ = ["HATR", "BaselineHead", "ClipNet", "FlatHead"]
