"""Say clearly when labels or groups cannot be split as asked."""

import warnings

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skbst._groups import own_group_codes
from skbst.exceptions import DataFormatError

__all__ = ["as_groups", "as_labels", "check_enough_groups", "check_enough_rows"]


def as_labels(y):
    """Check labels and return them as a 1-D array."""
    if y is None:
        raise DataFormatError("Folds are stratified by class; pass the labels y.")
    labels = column_or_1d(np.asarray(y))
    if pd.isna(labels).any():
        raise DataFormatError(f"{int(pd.isna(labels).sum())} of {len(labels)} labels are missing (NaN or None).")
    if type_of_target(labels) not in ("binary", "multiclass"):
        raise DataFormatError(f"Labels must be classes, such as 'fx-a'; got {type_of_target(labels)} values.")
    return labels


def as_groups(groups, labels):
    """Check groups and return a number per row; a row of nobody (None, NaN, pd.NA, "") is a group of its own."""
    check_consistent_length(labels, groups)
    # numbered as they appear: the folds by uploader depend on it
    return pd.factorize(own_group_codes(groups))[0]


def check_enough_rows(labels, n_splits):
    """Refuse classes with fewer rows than folds."""
    codes, counts = np.unique(labels, return_counts=True)
    few = counts < n_splits
    if few.any():
        found = {str(code): int(count) for code, count in zip(codes[few], counts[few])}
        raise DataFormatError(
            f"{int(few.sum())} class(es) have fewer than n_splits={n_splits} rows: {found}. Take fewer folds, leave "
            "these classes out, or let their rows only join the training part (BSDGrandKFold)."
        )


def check_enough_groups(labels, groups, n_splits, stacklevel):
    """Refuse fewer groups than folds; warn about classes of a single group."""
    n_groups = len(np.unique(groups))
    if n_groups < n_splits:
        raise DataFormatError(f"{n_groups} group(s) cannot fill n_splits={n_splits} folds. Take fewer folds.")
    groups_per_class = pd.Series(groups).groupby(pd.Series(labels)).nunique()
    single = groups_per_class.index[groups_per_class == 1].astype(str).tolist()
    if single:
        warnings.warn(
            f"All rows of {len(single)} class(es) belong to one group each ({single}): in the fold that tests them, "
            "nothing of them is trained.",
            UserWarning,
            stacklevel=stacklevel,
        )
