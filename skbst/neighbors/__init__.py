"""Neighbours in an embedding bank: exact search, the neighbour prior, and a classifier that blends it in."""

from skbst.neighbors._prior import blend, neighbour_prior, neighbour_weights
from skbst.neighbors._retrieval import retrieval_embedding
from skbst.neighbors._search import top_k_cosine

__all__ = ["blend", "neighbour_prior", "neighbour_weights", "retrieval_embedding", "top_k_cosine"]
