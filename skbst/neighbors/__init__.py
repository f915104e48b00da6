"""Neighbours in an embedding bank: exact search, the neighbour prior, and a classifier that blends it in."""

from skbst.neighbors._fit_with_bank import fit_with_bank
from skbst.neighbors._flip import flip_points
from skbst.neighbors._knn_prior_blender import KNNPriorBlender
from skbst.neighbors._leave_one_out import leave_one_out_prior
from skbst.neighbors._prior import blend, decision_scores, neighbour_prior, neighbour_weights
from skbst.neighbors._retrieval import retrieval_embedding
from skbst.neighbors._rows import counted_rows
from skbst.neighbors._search import top_k_cosine

__all__ = [
    "KNNPriorBlender",
    "blend",
    "counted_rows",
    "decision_scores",
    "fit_with_bank",
    "flip_points",
    "leave_one_out_prior",
    "neighbour_prior",
    "neighbour_weights",
    "retrieval_embedding",
    "top_k_cosine",
]
