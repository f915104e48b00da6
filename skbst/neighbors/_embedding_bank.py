"""The bank of a blender: embeddings of the training clips, and what their neighbours say."""

from dataclasses import dataclass

import numpy as np

from skbst.neighbors._leave_one_out import leave_one_out_prior
from skbst.neighbors._prior import neighbour_prior
from skbst.neighbors._search import top_k_cosine

__all__ = ["EmbeddingBank", "whole_tree"]


@dataclass(frozen=True)
class EmbeddingBank:
    """Rows to be looked up, and how their labels are counted.

    Parameters
    ----------
    rows : ndarray of shape (n_bank, n_features), float32
        Embeddings of norm 1, or 0.

    labels : ndarray of shape (n_bank,), int
        Their classes.

    n_classes : int
        Number of classes.

    k : int
        Neighbours that count.

    temperature : float
        Of their weights.

    groups : ndarray of shape (n_bank,), default=None
        Uploaders; with them, no row is a neighbour of another one of its uploader's.
    """

    rows: np.ndarray
    labels: np.ndarray
    n_classes: int
    k: int
    temperature: float
    groups: np.ndarray | None = None

    def nearest(self, queries, n_neighbors=None, *, groups=None):
        """Similarities and positions of the nearest rows; None takes `k`, or as many as there are.

        Parameters
        ----------
        queries : ndarray of shape (n_samples, n_features), float32
            Embeddings of norm 1.

        n_neighbors : int, default=None
            How many.

        groups : array-like of shape (n_samples,), default=None
            Uploaders of the queries, where the bank has groups.

        Returns
        -------
        similarities : ndarray of shape (n_samples, n_neighbors), float32
            Cosines, falling; -inf where the bank is exhausted.

        indices : ndarray of shape (n_samples, n_neighbors), int64
            Positions; -1 where it is exhausted.
        """
        return top_k_cosine(
            queries,
            self.rows,
            max(1, min(self.k, len(self.rows))) if n_neighbors is None else n_neighbors,
            query_groups=None if self.groups is None else groups,
            bank_groups=self.groups,
            normalize=False,
        )

    def prior(self, similarities, indices):
        """Class distribution of neighbours, ndarray of shape (n_samples, n_classes); zeros without any."""
        return neighbour_prior(similarities, self.labels[indices], self.n_classes, self.temperature)

    def leave_one_out(self):
        """Class distribution of the neighbours of each row of the bank among the others."""
        return leave_one_out_prior(
            self.rows, self.labels, self.n_classes, k=self.k, temperature=self.temperature, groups=self.groups
        )


def whole_tree(classifier):
    """The tree that a classifier, or the one inside it, was given; None where it was given none."""
    while classifier is not None:
        if getattr(classifier, "taxonomy", None) is not None:
            return classifier.taxonomy
        steps = getattr(classifier, "steps", None)
        classifier = steps[-1][1] if steps else getattr(classifier, "estimator", None)
    return None
