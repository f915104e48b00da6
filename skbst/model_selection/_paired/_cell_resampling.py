"""Resample paired predictions by their counts instead of row by row."""

import numpy as np
from scipy import sparse

from skbst.model_selection._paired._confusion_scores import score_confusions

__all__ = ["CellResampling"]

# 32 MiB of resampled counts at a time; taken as it is
_CHUNK_BYTES = 2**25


class CellResampling:
    """Differences of a score under resampling of rows or groups.

    Rows with the same (fold, truth, prediction of A, prediction of B) are one cell, and every score here follows from
    the weights of the cells. A bootstrap of rows is then a multinomial draw over cells, and a random swap of the two
    predictions of each row a binomial one: what counts is the number of cells, not of rows.

    Parameters
    ----------
    truth, pred_a, pred_b : ndarray of shape (n_samples,), int
        Positions of the classes among the leaves.

    fold : ndarray of shape (n_samples,), int
        The score is the mean over folds, numbered from 0.

    groups : ndarray of shape (n_samples,), int, or None
        Rows that are drawn and swapped together, numbered from 0.

    parent_of_leaf : ndarray of shape (n_leaves,), int
        Index of the top level of each leaf.

    metric, top_weight, zero_division
        As in `score_confusions`.
    """

    def __init__(self, truth, pred_a, pred_b, fold, groups, parent_of_leaf, *, metric, top_weight, zero_division):
        n_leaves, self.n_folds = len(parent_of_leaf), int(fold.max()) + 1
        self._shape = (self.n_folds, n_leaves, n_leaves)
        self._score = {"metric": metric, "top_weight": top_weight, "zero_division": zero_division}
        self._parents = parent_of_leaf
        cells = np.stack([fold, truth, pred_a, pred_b])
        codes = np.ravel_multi_index(cells, (self.n_folds, n_leaves, n_leaves, n_leaves))
        _, first, cell_of_row, self.counts = np.unique(
            codes, return_index=True, return_inverse=True, return_counts=True
        )
        self.cell_fold, truth, pred_a, pred_b = cells[:, first]
        self._to_a = self._one_hot(truth, pred_a)
        self._to_b = self._one_hot(truth, pred_b)
        self._members = None
        if groups is not None:
            ones = np.ones(len(groups))
            self._members = sparse.csr_array((ones, (groups, cell_of_row)), (groups.max() + 1, len(self.counts)))

    def _one_hot(self, truth, pred):
        columns = np.ravel_multi_index((self.cell_fold, truth, pred), self._shape)
        return sparse.csr_array((np.ones(len(columns)), (np.arange(len(columns)), columns)), (len(columns), self._size))

    @property
    def _size(self):
        return int(np.prod(self._shape))

    def observed(self):
        """Scores of A and of B in each fold, two arrays of shape (n_folds,)."""
        weights = self.counts[None, :].astype(float)
        return self._fold_scores(weights @ self._to_a)[0], self._fold_scores(weights @ self._to_b)[0]

    def bootstrap(self, n, rng):
        """Differences A - B of n resamples, shape (n,)."""
        return self._in_chunks(n, lambda size: self._differences(self._resampled(size, rng)))

    def permute(self, n, rng):
        """Differences A - B of n random swaps of the two predictions, shape (n,)."""

        def one_chunk(size):
            swapped = self._swapped(size, rng)
            kept = self.counts - swapped
            a = self._fold_scores(kept @ self._to_a + swapped @ self._to_b)
            b = self._fold_scores(kept @ self._to_b + swapped @ self._to_a)
            return _fold_mean(a - b)

        return self._in_chunks(n, one_chunk)

    def jackknife(self):
        """Differences without one row or group.

        Returns
        -------
        differences : ndarray of shape (n_kinds,)
            For each kind of unit that can be taken away.

        multiplicity : ndarray of shape (n_kinds,), int
            How many such units there are.

        stratum : ndarray of shape (n_kinds,), int
            Which units are resampled among each other: those of one fold, or all groups.
        """
        if self._members is None:
            removed, multiplicity, stratum = (
                sparse.eye_array(len(self.counts), format="csr"),
                self.counts,
                self.cell_fold,
            )
        else:
            removed, multiplicity = self._members, np.ones(self._members.shape[0], dtype=int)
            stratum = np.zeros_like(multiplicity)
        step = self._chunk_size()
        parts = [
            self._differences(self.counts - removed[start : start + step].toarray())
            for start in range(0, removed.shape[0], step)
        ]
        return np.concatenate(parts), multiplicity, stratum

    def _resampled(self, size, rng):
        """Weights of the cells in `size` resamples."""
        if self._members is not None:
            n_groups = self._members.shape[0]
            draws = rng.integers(n_groups, size=(size, n_groups)) + np.arange(size)[:, None] * n_groups
            times = np.bincount(draws.ravel(), minlength=size * n_groups).reshape(size, n_groups)
            return times @ self._members
        weights = np.empty((size, len(self.counts)))
        for fold in range(self.n_folds):
            inside = self.cell_fold == fold
            counts = self.counts[inside]
            weights[:, inside] = rng.multinomial(counts.sum(), counts / counts.sum(), size=size)
        return weights

    def _swapped(self, size, rng):
        if self._members is not None:
            return rng.integers(2, size=(size, self._members.shape[0])) @ self._members
        return rng.binomial(self.counts, 0.5, size=(size, len(self.counts)))

    def _differences(self, weights):
        return _fold_mean(self._fold_scores(weights @ self._to_a) - self._fold_scores(weights @ self._to_b))

    def _fold_scores(self, confusions):
        return score_confusions(confusions.reshape(-1, *self._shape), self._parents, **self._score)

    def _chunk_size(self):
        return max(1, _CHUNK_BYTES // (8 * max(self._size, len(self.counts))))

    def _in_chunks(self, n, one_chunk):
        step = self._chunk_size()
        return np.concatenate([one_chunk(min(step, n - start)) for start in range(0, n, step)])


def _fold_mean(values):
    """Mean over folds; a fold without any row in a resample does not count."""
    kept = ~np.isnan(values)
    return np.where(kept, values, 0).sum(axis=-1) / np.maximum(kept.sum(axis=-1), 1)
