"""Featurizers: scikit-learn transformers from clips to rows of features."""

from skbst.features._bundle import FeatureBundle

__all__ = ["FeatureBundle"]
