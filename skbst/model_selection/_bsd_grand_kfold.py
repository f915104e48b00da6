"""Folds for a training set that was extended by other data."""

import numpy as np
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skbst.exceptions import DataFormatError
from skbst.model_selection._check_classes import as_groups, as_labels
from skbst.model_selection._folds import Fold, Folds
from skbst.model_selection._group_aware_splitter import GroupAwareSplitter
from skbst.model_selection._official_kfold import OfficialKFold

__all__ = ["BSDGrandKFold"]


class BSDGrandKFold(GroupAwareSplitter):
    """The official folds of the base rows; extra rows only ever join the training part.

    This is the protocol of BSD-Grand (report, section 2.4): validation and test rows are those of BSD10k alone, and
    are the same with and without the extra rows.

    Parameters
    ----------
    train_only : array-like of shape (n_samples,), bool
        Which rows are extra. The others make the folds, in the order in which they stand.

    n_splits : int, default=5
        Number of folds.

    random_state : int, default=1821
        The seed.

    validation_size : float in (0, 1), default=0.2
        Share of the base rows of a training part that `folds` sets aside for validation; None sets nothing aside.

    See Also
    --------
    OfficialKFold : Folds without extra rows.

    Notes
    -----
    With ``groups``, the folds keep uploaders together, and an extra row whose uploader is in the test part (for
    `folds`: or in the validation part) is left out of that fold.

    An estimator that sets rows aside for early stopping does not know which are extra unless it is told: give it the
    same mask, as in ``cross_validate(..., params={"train_only": train_only})``.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.model_selection import BSDGrandKFold
    >>> y = np.repeat(["fx-a", "m-sp", "fx-a"], [10, 10, 5])
    >>> extra = np.arange(25) >= 20
    >>> for train, test in BSDGrandKFold(extra).split(y, y):
    ...     print(len(train), extra[train].sum(), extra[test].sum())
    21 5 0
    21 5 0
    21 5 0
    21 5 0
    21 5 0
    """

    def __init__(self, train_only, *, n_splits=5, random_state=1821, validation_size=0.2):
        self.train_only = train_only
        self.n_splits = n_splits
        self.random_state = random_state
        self.validation_size = validation_size

    def split(self, X, y=None, groups=None):
        """Yield (training rows, test rows); the training part holds the validation and the extra rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Only its length is used.

        y : array-like of shape (n_samples,)
            Class codes of all rows.

        groups : array-like of shape (n_samples,), default=None
            Uploaders of all rows.

        Yields
        ------
        train, test : ndarray of int
            Sorted positions.
        """
        check_consistent_length(X, y)
        labels, groups, base, extra = self._parts(y, groups)
        base_groups = None if groups is None else groups[base]
        for train, test in self._kfold().split(base, labels[base], base_groups):
            joining = _without(extra, groups, base[test])
            yield np.sort(np.concatenate([base[train], joining])), base[test]

    def folds(self, y, groups=None):
        """Make all folds with their validation parts.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Class codes of all rows.

        groups : array-like of shape (n_samples,), default=None
            Uploaders of all rows.

        Returns
        -------
        folds : Folds
            A sequence of ``(train, validation, test)`` that also is a ``cv=``.
        """
        labels, groups, base, extra = self._parts(y, groups)
        folds = []
        for fold in self._kfold().folds(labels[base], None if groups is None else groups[base]):
            train, validation, test = (base[rows] for rows in fold)
            joining = _without(extra, groups, np.concatenate([validation, test]))
            folds.append(Fold(np.sort(np.concatenate([train, joining])), validation, test))
        return Folds(tuple(folds), len(labels))

    def _kfold(self):
        return OfficialKFold(self.n_splits, random_state=self.random_state, validation_size=self.validation_size)

    def _parts(self, y, groups):
        labels = as_labels(y)
        train_only = column_or_1d(np.asarray(self.train_only))
        if train_only.dtype != bool:
            raise DataFormatError(f"train_only must be a mask of True and False; got type {train_only.dtype}.")
        if len(train_only) != len(labels):
            raise DataFormatError(f"train_only has {len(train_only)} rows but y has {len(labels)}.")
        if train_only.all():
            raise DataFormatError("All rows are train_only; nothing is left to make folds of.")
        groups = None if groups is None else as_groups(groups, labels)
        return labels, groups, np.flatnonzero(~train_only), np.flatnonzero(train_only)


def _without(extra, groups, held_out):
    """Extra rows whose group is not among those of the held-out rows."""
    if groups is None:
        return extra
    return extra[~np.isin(groups[extra], groups[held_out])]
