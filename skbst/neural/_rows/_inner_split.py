"""The inner validation part, on which training stops."""

import numpy as np

from skbst.exceptions import DataFormatError

__all__ = ["held_out_rows", "inner_split"]


def inner_split(target, fraction, rng, *, weight=None, groups=None, train_only=None, class_names=None):
    """Choose validation rows, stratified by class or by whole groups.

    Every class keeps at least one training row, and, unless `groups` are given, each class with two or more
    rows that may be chosen has at least one validation row.

    Parameters
    ----------
    target : ndarray of shape (n_samples,), int
        Class index.

    fraction : float in (0, 1)
        Share of the rows that may be chosen.

    rng : RandomState
        Source of randomness.

    weight : ndarray of shape (n_samples,), float, default=None
        How often each row counts; a class of one row that counts twice stays in training.

    groups : ndarray of shape (n_samples,), int, default=None
        Rows of one group stay on one side; a group with a `train_only` row stays in training.

    train_only : ndarray of shape (n_samples,), bool, default=None
        Rows that are never chosen.

    class_names : sequence, default=None
        Names for the message.

    Returns
    -------
    valid : ndarray of shape (n_samples,), bool
        Which rows are for validation.

    Raises
    ------
    DataFormatError
        If a class has a single row, or no row can be chosen.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.neural._rows._inner_split import inner_split
    >>> target = np.repeat([0, 1], 10)
    >>> valid = inner_split(target, 0.2, np.random.RandomState(0))
    >>> np.bincount(target[valid])
    array([2, 2])
    """
    eligible = np.ones(len(target), dtype=bool) if train_only is None else ~train_only
    if groups is not None:
        eligible &= ~np.isin(groups, groups[~eligible])
    _refuse_single_samples(target, weight, class_names)
    if groups is None:
        valid = _stratified(target, fraction, rng, eligible)
    else:
        valid = _grouped(target, fraction, rng, groups, eligible)
    if not valid.any():
        raise DataFormatError(
            f"No row is left for validation: {int(eligible.sum())} of {len(target)} rows may be chosen"
            + (f", in {len(np.unique(groups[eligible]))} group(s)" if groups is not None else "")
            + ". Give more rows or groups, or fit with validation_fraction=None."
        )
    return valid


def _refuse_single_samples(target, weight, class_names):
    n_rows = np.bincount(target)
    single = np.flatnonzero((n_rows == 1) & (np.bincount(target, weights=weight) < 2))
    if len(single):
        names = [str(class_names[c] if class_names is not None else c) for c in single]
        raise DataFormatError(
            f"{len(single)} class(es) have a single sample ({', '.join(names[:5])}), which cannot be in both the "
            "training and the validation part. Add clips of the class, drop it, or fit with validation_fraction=None."
        )


def _stratified(target, fraction, rng, eligible):
    valid = np.zeros(len(target), dtype=bool)
    n_rows = np.bincount(target)
    for label in np.unique(target[eligible]):
        rows = np.flatnonzero(eligible & (target == label))
        n_valid = min(max(1, round(fraction * len(rows))), n_rows[label] - 1, max(len(rows) - 1, 0))
        valid[rng.permutation(rows)[:n_valid]] = True
    return valid


def _grouped(target, fraction, rng, groups, eligible):
    """Take groups in random order while they bring the class counts nearer to their goal."""
    n_classes = target.max() + 1
    members = np.unique(groups[eligible], return_inverse=True)[1]
    counts = np.zeros((members.max() + 1 if len(members) else 0, n_classes))
    np.add.at(counts, (members, target[eligible]), 1)
    goal = fraction * counts.sum(axis=0)
    left = np.bincount(target, minlength=n_classes).astype(float)
    weight = 1 / np.maximum(goal, 1)
    chosen, missing = [], goal.copy()
    for group in rng.permutation(len(counts)):
        add = counts[group]
        nearer = (weight * (missing - add) ** 2).sum() < (weight * missing**2).sum()
        if nearer and (left - add)[add > 0].min() >= 1:
            chosen.append(group)
            missing, left = missing - add, left - add
    valid = np.zeros(len(target), dtype=bool)
    valid[np.flatnonzero(eligible)[np.isin(members, chosen)]] = True
    return valid


def held_out_rows(rows, fraction, rng, classes):
    """Mask of the `TrainingRows` held out for validation; all False where `fraction` is None."""
    if fraction is None:
        return np.zeros(len(rows.target), dtype=bool)
    return inner_split(
        rows.target,
        fraction,
        rng,
        weight=rows.weight,
        groups=rows.groups,
        train_only=rows.train_only,
        class_names=classes,
    )
