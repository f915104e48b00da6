"""What all samplers share: reading rows, uploaders and masks, and the resampling protocol."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skbst._groups import own_group_codes, read_groups
from skbst._sklearn import _num_samples, _safe_indexing, check_class_labels, validate_data
from skbst._versioned import VersionedMixin
from skbst.exceptions import DataFormatError

__all__ = ["RowSampler", "best_first_rank", "keep_class_floor", "read_candidates", "read_scores", "read_uploaders"]


class RowSampler(VersionedMixin, BaseEstimator):
    """Base of the samplers: `fit` chooses rows, `fit_resample` returns them, nothing is made up or changed."""

    def _check_rows(self, X, y):
        """Labels as an array; rows other than numeric arrays are only counted."""
        if isinstance(X, pd.DataFrame) or not _is_numeric_array(X):
            check_consistent_length(X, y)
            validate_data(self, X, reset=True, skip_check_array=True)
            y = column_or_1d(y)
            check_class_labels(y)
            if not len(y):
                raise DataFormatError(f"{type(self).__name__} got no rows.")
            return X, np.asarray(y)
        finite = "allow-nan" if self.__sklearn_tags__().input_tags.allow_nan else True
        X, y = validate_data(self, X, y, dtype=None, ensure_all_finite=finite)
        check_class_labels(y)
        return X, y

    def _resample(self, X, y):
        return _safe_indexing(X, self.sample_indices_), _safe_indexing(y, self.sample_indices_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = True
        return tags


def _is_numeric_array(X):
    if isinstance(X, (pd.Series, str)):
        return False
    if hasattr(X, "block_shape"):
        return False
    if isinstance(X, (list, tuple)):
        return not any(isinstance(row, str) for row in X[:1])
    return not (isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype.kind in "OUT")


def read_uploaders(X, groups, n_rows):
    """Uploader of each row, None where it is nobody's.

    Parameters
    ----------
    X : DataFrame or other rows
        Its column "uploader" is taken where `groups` is None.

    groups : array-like of shape (n_rows,) or None
        Who uploaded each row.

    n_rows : int
        Number of rows.

    Returns
    -------
    uploaders : ndarray of shape (n_rows,), object
        One and the same name for all rows where there are neither groups nor a column.

    Raises
    ------
    DataFormatError
        If there is not one entry per row.
    """
    if groups is None and isinstance(X, pd.DataFrame) and "uploader" in X.columns:
        groups = X["uploader"]
    return np.full(n_rows, "", dtype=object) if groups is None else read_groups(groups, n_rows)


def own_codes(uploaders):
    """Number the uploaders that `read_uploaders` gives; each row of nobody has a number of its own."""
    return np.zeros(len(uploaders), dtype=np.int64) if (uploaders == "").all() else own_group_codes(uploaders)


def read_candidates(candidates, n_rows):
    """Mask of the rows that may go, shape (n_rows,); None is all of them."""
    if candidates is None:
        return np.ones(n_rows, dtype=bool)
    mask = column_or_1d(np.asarray(candidates))
    if mask.dtype != bool or len(mask) != n_rows:
        raise DataFormatError(
            f"candidates must be a mask of True and False with {n_rows} entries; got {len(mask)} of type {mask.dtype}."
        )
    return mask


def read_scores(score, n_rows):
    """Scores of shape (n_rows,), the higher the better; None is zero for all, NaN counts as worst."""
    if score is None:
        return np.zeros(n_rows)
    score = np.asarray(score, dtype=float).ravel()
    if len(score) != n_rows:
        raise DataFormatError(f"score needs one number per row: {n_rows} rows, {_num_samples(score)} numbers.")
    return np.where(np.isnan(score), -np.inf, score)


def best_first_rank(groups, score):
    """Rank of each row within its group: 0 is the highest score; ties go to the earlier row.

    Parameters
    ----------
    groups : ndarray of shape (n_rows,), int
        Group of each row.

    score : ndarray of shape (n_rows,)
        The higher the better.

    Returns
    -------
    rank : ndarray of shape (n_rows,), int

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.sampling._row_sampler import best_first_rank
    >>> best_first_rank(np.array([0, 0, 1, 0]), np.array([0.1, 0.9, 0.5, 0.9]))
    array([2, 0, 0, 1])
    """
    order = np.lexsort((-score, groups))
    sorted_groups = groups[order]
    starts = np.flatnonzero(np.r_[True, sorted_groups[1:] != sorted_groups[:-1]])
    sizes = np.diff(np.r_[starts, len(groups)])
    rank = np.empty(len(groups), dtype=np.intp)
    rank[order] = np.arange(len(groups)) - np.repeat(starts, sizes)
    return rank


def keep_class_floor(kept, labels, score, min_per_class):
    """Mask of rows that come back so that each class keeps its best `min_per_class` rows, or all it has.

    Parameters
    ----------
    kept : ndarray of shape (n_rows,), bool
        What a rule kept.

    labels : ndarray of shape (n_rows,)
        Class of each row.

    score : ndarray of shape (n_rows,)
        The higher the better.

    min_per_class : int
        Rows wanted of each class.

    Returns
    -------
    rescued : ndarray of shape (n_rows,), bool
        Rows that were not kept and come back.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.sampling._row_sampler import keep_class_floor
    >>> kept = np.array([True, False, False, False])
    >>> keep_class_floor(kept, np.array(["a", "a", "a", "b"]), np.array([0.9, 0.1, 0.2, 0.0]), 2)
    array([False, False,  True,  True])
    """
    _, codes = np.unique(labels, return_inverse=True)
    missing = np.maximum(0, min_per_class - np.bincount(codes[kept], minlength=codes.max(initial=0) + 1))
    rescued = np.zeros(len(kept), dtype=bool)
    out = np.flatnonzero(~kept)
    if len(out):
        rescued[out] = best_first_rank(codes[out], score[out]) < missing[codes[out]]
    return rescued
