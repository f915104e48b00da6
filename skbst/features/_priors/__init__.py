"""Distributions over the classes that are known before a sound is heard."""
