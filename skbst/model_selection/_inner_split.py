"""Split the rows of a training part into training and validation."""

import warnings

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit

from skbst.exceptions import DataFormatError

__all__ = ["inner_split"]


def inner_split(rows, labels, groups, *, validation_size, random_state):
    """Split rows into training and validation, stratified, whole groups on one side.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,), int
        Positions of the training part.

    labels : ndarray of shape (n_samples,)
        Classes of all rows.

    groups : ndarray of shape (n_samples,), int, or None
        Groups of all rows.

    validation_size : float in (0, 1), or None
        Share for validation; None makes no split.

    random_state : int
        The seed.

    Returns
    -------
    train, validation : ndarray of int
        Sorted positions.
    """
    if validation_size is None:
        return np.sort(rows), np.empty(0, dtype=np.intp)
    if groups is None:
        train, validation = _stratified(rows, labels, validation_size, random_state)
    else:
        train, validation = _grouped(rows, labels, groups, validation_size, random_state)
    return np.sort(rows[train]), np.sort(rows[validation])


def _stratified(rows, labels, validation_size, random_state):
    codes, counts = np.unique(labels[rows], return_counts=True)
    if counts.min() < 2:
        raise DataFormatError(
            f"Class(es) {codes[counts < 2].astype(str).tolist()} have one row in a training part, which cannot be "
            "split into training and validation. Pass validation_size=None, or leave the classes out."
        )
    splitter = StratifiedShuffleSplit(1, test_size=validation_size, random_state=random_state)
    try:
        return next(splitter.split(rows, labels[rows]))
    except ValueError as error:
        raise DataFormatError(
            f"{len(rows)} training rows of {len(codes)} classes cannot be split with validation_size="
            f"{validation_size}: {error}"
        ) from error


def _grouped(rows, labels, groups, validation_size, random_state):
    """Of the ways to set one of 1/validation_size parts aside, the one that takes fewest classes from training."""
    n_splits = max(2, round(1 / validation_size))
    labels, groups = labels[rows], groups[rows]
    if len(np.unique(groups)) < n_splits:
        raise DataFormatError(
            f"A training part has {len(np.unique(groups))} group(s), too few to set 1/{n_splits} of them aside for "
            "validation. Pass validation_size=None or a larger one."
        )
    splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=random_state)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        try:
            candidates = list(splitter.split(rows, labels, groups))
        except ValueError as error:
            raise DataFormatError(f"The training part cannot be split by groups: {error}") from error
    n_classes = len(np.unique(labels))

    def cost(candidate):
        train, validation = candidate
        lost = n_classes - len(np.unique(labels[train]))
        return lost, abs(len(validation) / len(rows) - validation_size)

    return min(candidates, key=cost)
