"""Resample paired predictions row by row, for any metric function."""

import numpy as np

from skbst.exceptions import DataFormatError
from skbst.model_selection._one_number import as_number

__all__ = ["RowResampling"]


class RowResampling:
    """The same as `CellResampling` for a metric that is only known as a function; slow.

    Parameters
    ----------
    truth, pred_a, pred_b : ndarray of shape (n_samples,)
        Class codes.

    fold : ndarray of shape (n_samples,), int
        The score is the mean over folds, numbered from 0.

    groups : ndarray of shape (n_samples,), int, or None
        Rows that are drawn and swapped together, numbered from 0.

    metric : callable
        ``metric(y_true, y_pred) -> float``.
    """

    def __init__(self, truth, pred_a, pred_b, fold, groups, *, metric):
        self.truth, self.pred_a, self.pred_b = truth, pred_a, pred_b
        self.fold, self.groups, self.metric = fold, groups, metric
        self.n_folds = int(fold.max()) + 1
        unit = np.arange(len(truth)) if groups is None else groups
        self._rows_of_unit = np.split(np.argsort(unit, kind="stable"), np.cumsum(np.bincount(unit))[:-1])

    def observed(self):
        """Scores of A and of B in each fold, two arrays of shape (n_folds,)."""
        rows = np.arange(len(self.truth))
        return self._scores(rows, self.pred_a), self._scores(rows, self.pred_b)

    def bootstrap(self, n, rng):
        """Differences A - B of n resamples, shape (n,)."""
        return np.array([self._difference(self._resampled(rng)) for _ in range(n)])

    def permute(self, n, rng):
        """Differences A - B of n random swaps of the two predictions, shape (n,)."""
        differences = np.empty(n)
        rows = np.arange(len(self.truth))
        for i in range(n):
            swap = rng.integers(2, size=len(self._rows_of_unit), dtype=np.int8).astype(bool)
            swap = swap if self.groups is None else swap[self.groups]
            a = self._scores(rows, np.where(swap, self.pred_b, self.pred_a))
            b = self._scores(rows, np.where(swap, self.pred_a, self.pred_b))
            differences[i] = _mean(a - b)
        return differences

    def jackknife(self):
        """Differences without one row or group; see `CellResampling.jackknife`."""
        everything = np.arange(len(self.truth))
        differences = np.array([self._difference(np.delete(everything, rows)) for rows in self._rows_of_unit])
        stratum = self.fold if self.groups is None else np.zeros(len(differences), dtype=int)
        return differences, np.ones(len(differences), dtype=int), stratum

    def _resampled(self, rng):
        if self.groups is not None:
            drawn = rng.integers(len(self._rows_of_unit), size=len(self._rows_of_unit))
            return np.concatenate([self._rows_of_unit[i] for i in drawn])
        parts = [np.flatnonzero(self.fold == fold) for fold in range(self.n_folds)]
        return np.concatenate([rng.choice(part, len(part)) for part in parts])

    def _difference(self, rows):
        return _mean(self._scores(rows, self.pred_a) - self._scores(rows, self.pred_b))

    def _scores(self, rows, pred):
        scores = np.full(self.n_folds, np.nan)
        for fold in range(self.n_folds):
            inside = rows[self.fold[rows] == fold]
            if len(inside):
                scores[fold] = _number(self.metric(self.truth[inside], pred[inside]))
        return scores


def _mean(differences):
    """Mean over the folds that have any rows, NaN where none has."""
    known = differences[~np.isnan(differences)]
    return known.mean() if len(known) else np.nan


def _number(score):
    number = as_number(score)
    if number is None:
        raise DataFormatError(f"metric must give one number; got {score!r:.80}.")
    return number
