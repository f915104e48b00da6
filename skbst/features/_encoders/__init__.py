"""Pretrained encoders of sound and text behind the featurizers."""
