"""The challenge's folds as a scikit-learn splitter."""

import warnings
from numbers import Integral, Real

from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from skbst._sklearn import Interval, _num_samples, validate_params
from skbst.exceptions import DataFormatError
from skbst.model_selection._check_classes import as_groups, as_labels, check_enough_groups, check_enough_rows
from skbst.model_selection._folds import Fold, Folds
from skbst.model_selection._group_aware_splitter import GroupAwareSplitter
from skbst.model_selection._inner_split import inner_split

__all__ = ["OfficialKFold", "official_folds"]

_CONSTRAINTS = {
    "n_splits": [Interval(Integral, 2, None, closed="left")],
    "random_state": [Interval(Integral, 0, 2**32 - 1, closed="both")],
    "validation_size": [None, Interval(Real, 0, 1, closed="neither")],
}


class OfficialKFold(GroupAwareSplitter):
    """The folds of DCASE 2026 Task 1, or the same with uploaders kept together.

    Without groups: ``StratifiedKFold(5, shuffle=True, random_state=1821)`` over the rows in file order. With
    ``groups`` (uploaders): ``StratifiedGroupKFold`` with the same seed, so that no uploader is on both sides.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds.

    random_state : int, default=1821
        The seed, of the outer and of the inner split.

    validation_size : float in (0, 1), default=0.2
        Share of a training part that `folds` sets aside for validation: a ``StratifiedShuffleSplit`` with the same
        seed; with groups, one part of a ``StratifiedGroupKFold``. None sets nothing aside.

    See Also
    --------
    official_folds : The folds of given labels, with their validation parts.
    BSDGrandKFold : The same, with extra rows that only join the training part.

    Notes
    -----
    The published folds follow only when the rows are in the order of the metadata file.

    References
    ----------
    Report, section 3.1; the official baseline of DCASE 2026 Task 1.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> from skbst.model_selection import OfficialKFold
    >>> X, y = load_iris(return_X_y=True)
    >>> scores = cross_val_score(LogisticRegression(max_iter=500), X, y, cv=OfficialKFold())
    >>> float(scores.mean().round(2))
    0.96
    """

    def __init__(self, n_splits=5, *, random_state=1821, validation_size=0.2):
        self.n_splits = n_splits
        self.random_state = random_state
        self.validation_size = validation_size

    def split(self, X, y=None, groups=None):
        """Yield (training rows, test rows); the training part holds the validation rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Only its length is used.

        y : array-like of shape (n_samples,)
            Class codes.

        groups : array-like of shape (n_samples,), default=None
            Uploaders; None makes the official folds. A row of
            nobody (None, NaN, pd.NA, "") is a group of its own.

        Yields
        ------
        train, test : ndarray of int
            Sorted positions.

        Raises
        ------
        DataFormatError
            If a class has fewer rows than there are folds, or there are fewer groups than folds.
        """
        labels, groups = _checked(X, y, groups)
        yield from self._outer(labels, groups, stacklevel=4)

    def folds(self, y, groups=None):
        """Make all folds with their validation parts.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Class codes.

        groups : array-like of shape (n_samples,), default=None
            Uploaders; None makes the official folds. A row of
            nobody (None, NaN, pd.NA, "") is a group of its own.

        Returns
        -------
        folds : Folds
            A sequence of ``(train, validation, test)`` that also is a ``cv=``.
        """
        return self._folds(y, groups, stacklevel=5)

    def _folds(self, y, groups, stacklevel):
        labels, groups = _checked(y, y, groups)
        folds = []
        for train, test in self._outer(labels, groups, stacklevel):
            inner = inner_split(
                train, labels, groups, validation_size=self.validation_size, random_state=self.random_state
            )
            folds.append(Fold(*inner, test))
        return Folds(tuple(folds), len(labels))

    def _outer(self, labels, groups, stacklevel):
        _check_parameters(self.n_splits, self.random_state, self.validation_size)
        check_enough_rows(labels, self.n_splits)
        if groups is None:
            splitter = StratifiedKFold(self.n_splits, shuffle=True, random_state=self.random_state)
            yield from splitter.split(labels, labels)
            return
        check_enough_groups(labels, groups, self.n_splits, stacklevel)
        splitter = StratifiedGroupKFold(self.n_splits, shuffle=True, random_state=self.random_state)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
            splits = list(splitter.split(labels, labels, groups))
        yield from splits


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def _check_parameters(n_splits, random_state, validation_size):
    pass


def _checked(X, y, groups):
    labels = as_labels(y)
    if _num_samples(X) != len(labels):
        raise DataFormatError(f"X has {_num_samples(X)} rows but y has {len(labels)}.")
    return labels, None if groups is None else as_groups(groups, labels)


def official_folds(y, *, groups=None, n_splits=5, random_state=1821, validation_size=0.2):
    """Make the challenge's folds, each with its training, validation and test rows.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class codes, in the order of the metadata file, on which the published folds depend.

    groups : array-like of shape (n_samples,), default=None
        Uploaders. None makes the official folds; with groups, no uploader is on two sides of a split. A row of
        nobody (None, NaN, pd.NA, "") is a group of its own.

    n_splits : int, default=5
        Number of folds.

    random_state : int, default=1821
        The seed.

    validation_size : float in (0, 1), default=0.2
        Share of each training part that is set aside for validation; None sets nothing aside.

    Returns
    -------
    folds : Folds
        A sequence of ``(train, validation, test)``, positions of rows, that also is a ``cv=`` of scikit-learn.

    Raises
    ------
    DataFormatError
        If a class has fewer rows than there are folds, or there are fewer groups than folds.

    See Also
    --------
    OfficialKFold : The splitter, for use on labels that are not known yet.

    References
    ----------
    Report, section 3.1; the official baseline of DCASE 2026 Task 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.model_selection import official_folds
    >>> y = np.repeat(["fx-a", "m-sp"], 25)
    >>> for train, validation, test in official_folds(y):
    ...     print(len(train), len(validation), len(test))
    32 8 10
    32 8 10
    32 8 10
    32 8 10
    32 8 10
    """
    kfold = OfficialKFold(n_splits, random_state=random_state, validation_size=validation_size)
    return kfold._folds(y, groups, stacklevel=5)
