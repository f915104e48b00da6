"""Folds that are fixed for a set of rows."""

from typing import NamedTuple

import numpy as np

from skbst._sklearn import _num_samples
from skbst.exceptions import DataFormatError
from skbst.model_selection._group_aware_splitter import GroupAwareSplitter

__all__ = ["Fold", "Folds"]


class Fold(NamedTuple):
    """Positions of the rows of one fold; sorted, without overlap.

    Parameters
    ----------
    train : ndarray of int
        Rows that weights are learnt on.

    validation : ndarray of int
        Rows for early stopping; empty without an inner split.

    test : ndarray of int
        Rows that are scored.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


class Folds(GroupAwareSplitter):
    """A sequence of folds that also is a ``cv=`` of scikit-learn.

    Iterating gives ``(train, validation, test)``; as a splitter it gives ``(train + validation, test)``, because
    estimators take their validation rows from what they are fitted on.

    Parameters
    ----------
    folds : sequence of Fold
        The folds.

    n_samples : int
        Number of rows that they were made for.

    Attributes
    ----------
    fold_of_row : ndarray of shape (n_samples,), int
        In which fold a row is tested; -1 for rows that never are.

    Examples
    --------
    >>> from skbst.model_selection import official_folds
    >>> folds = official_folds(["fx-a"] * 10 + ["ss-n"] * 10)
    >>> folds
    Folds(5 folds of 20 rows; test 4-4, train 12-12, validation 4-4)
    >>> train, validation, test = folds[0]
    >>> test.tolist()
    [2, 8, 10, 14]
    """

    def __init__(self, folds, n_samples):
        self.folds = folds
        self.n_samples = n_samples

    @property
    def n_splits(self):
        """Number of folds."""
        return len(self.folds)

    @property
    def fold_of_row(self):
        """Fold in which each row is tested, -1 where in none."""
        fold_of_row = np.full(self.n_samples, -1)
        for i, fold in enumerate(self.folds):
            fold_of_row[fold.test] = i
        return fold_of_row

    def split(self, X, y=None, groups=None):
        """Yield (train and validation rows, test rows).

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Only its length is used: it must be that of the labels the folds were made for.

        y, groups : object, default=None
            Not used: the folds are fixed.

        Yields
        ------
        train, test : ndarray of int
            Sorted positions.
        """
        if _num_samples(X) != self.n_samples:
            raise DataFormatError(
                f"These folds were made for {self.n_samples} rows, but there are {_num_samples(X)}. Make the folds for "
                "the rows in use, or pass OfficialKFold(), which makes them anew."
            )
        for fold in self.folds:
            yield np.sort(np.concatenate([fold.train, fold.validation])), fold.test

    def __len__(self):
        return len(self.folds)

    def __getitem__(self, i):
        return self.folds[i]

    def __iter__(self):
        return iter(self.folds)

    def __repr__(self):
        parts = []
        for name in ("test", "train", "validation"):
            sizes = [len(getattr(fold, name)) for fold in self.folds]
            parts.append(f"{name} {min(sizes)}-{max(sizes)}")
        return f"Folds({len(self)} folds of {self.n_samples} rows; {', '.join(parts)})"
