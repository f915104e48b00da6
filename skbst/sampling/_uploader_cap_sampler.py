"""No uploader may own a class."""

from numbers import Integral
from typing import ClassVar

import numpy as np

from skbst._groups import groups_by_any_name
from skbst._sklearn import Interval, _fit_context
from skbst.sampling._row_sampler import (
    RowSampler,
    best_first_rank,
    own_codes,
    read_candidates,
    read_scores,
    read_uploaders,
)

__all__ = ["UploaderCapSampler"]


class UploaderCapSampler(RowSampler):
    """Keep at most `cap` rows of each uploader in each class (report, section 2.4).

    Which rows stay is deterministic: those with the highest score, earlier rows first among equals.

    Parameters
    ----------
    cap : int, default=200
        Largest number of rows per uploader and class; 200 is the report's.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_kept,), int
        Positions of the rows that stay, ascending.

    rank_ : ndarray of shape (n_samples,), int
        Place of each row among the candidates of its uploader and class, from 0; -1 for rows that are no candidates.

    n_features_in_ : int
        Number of columns of `X`, where it has columns.

    feature_names_in_ : ndarray of str
        Their names, where `X` is a DataFrame.

    See Also
    --------
    TeacherAgreementSampler : Makes the scores.
    make_bsd_grand : Uses both.

    Notes
    -----
    A row of nobody (None, NaN, pd.NA or "") shares its uploader with no other and is never over the cap. Where there
    are neither groups nor a column "uploader", all rows count as one uploader's: the cap is one per class.

    References
    ----------
    Technical report "A multi-branch hierarchy-aware framework for heterogeneous audio classification", DCASE 2026
    Task 1, section 2.4.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.sampling import UploaderCapSampler
    >>> X = pd.DataFrame({"title": list("abcd"), "uploader": ["ann", "ann", "ann", "bob"]})
    >>> y = ["fx-a", "fx-a", "fx-a", "fx-a"]
    >>> UploaderCapSampler(cap=2).fit_resample(X, y, score=[0.1, 0.9, 0.5, 0.2])[0]["title"].tolist()
    ['b', 'c', 'd']
    """

    _parameter_constraints: ClassVar[dict] = {"cap": [Interval(Integral, 1, None, closed="left")]}

    def __init__(self, cap=200):
        self.cap = cap

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, *, groups=None, score=None, candidates=None, uploader=None):
        """Choose the rows; same arguments as `fit_resample`.

        Returns
        -------
        self : UploaderCapSampler
        """
        X, y = self._check_rows(X, y)
        n_rows = len(y)
        mask = read_candidates(candidates, n_rows)
        groups = groups_by_any_name(groups, uploader, "UploaderCapSampler")
        who, score = own_codes(read_uploaders(X, groups, n_rows)), read_scores(score, n_rows)
        _, codes = np.unique(y, return_inverse=True)
        self.rank_ = np.full(n_rows, -1, dtype=np.intp)
        self.rank_[mask] = best_first_rank((who * (codes.max() + 1) + codes)[mask], score[mask])
        self.sample_indices_ = np.flatnonzero(self.rank_ < self.cap)
        return self

    def fit_resample(self, X, y, *, groups=None, score=None, candidates=None, uploader=None):
        """Return the rows that stay.

        Parameters
        ----------
        X : DataFrame, array, list or FeatureBundle of n_samples rows
            Any rows.

        y : array-like of shape (n_samples,)
            Class of each row.

        groups : array-like of shape (n_samples,), default=None
            Who uploaded each row; None takes the column "uploader" of `X`.

        score : array-like of shape (n_samples,), default=None
            The higher, the sooner a row stays; None takes rows in their order.

        candidates : array-like of shape (n_samples,), bool, default=None
            Rows that may go; the others stay and are not counted. None: all.

        uploader : array-like of shape (n_samples,), default=None
            The old name of `groups`.

        Returns
        -------
        X_resampled, y_resampled
            The rows that stay, in their order, of the same types.
        """
        groups = groups_by_any_name(groups, uploader, "UploaderCapSampler")
        return self.fit(X, y, groups=groups, score=score, candidates=candidates)._resample(X, y)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
