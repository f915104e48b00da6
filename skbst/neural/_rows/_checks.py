"""What `BranchClassifier` accepts."""

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d
from sklearn.utils.validation import assert_all_finite

from skbst._sklearn import _check_sample_weight
from skbst.exceptions import DataFormatError
from skbst.neural._rows._dataset import ClipDataset
from skbst.neural._rows._training_rows import make_training_rows
from skbst.taxonomy import resolve_taxonomy

__all__ = ["check_bundle_labels", "check_rows", "check_same_width", "read_validation"]


def check_bundle_labels(X, y):
    """Labels of the rows of a bundle, ndarray of shape (n_samples,)."""
    if y is None:
        raise ValueError("This BranchClassifier requires y to be passed, but the target y is None.")
    y = column_or_1d(y, warn=True)
    missing = np.flatnonzero(pd.isna(y))
    if len(missing):
        raise DataFormatError(
            f"{len(missing)} of {len(y)} labels are missing (first: row {missing[0]}). Drop these rows."
        )
    if len(y) != len(X):
        raise DataFormatError(f"X has {len(X)} rows and y has {len(y)} labels.")
    assert_all_finite(y, input_name="y")
    return y


def check_rows(inputs, y, taxonomy, soft_targets=None, *, sample_weight, groups, train_only):
    """Check what `fit` gets beside X and y; classes and tree are those of the rows that count.

    Parameters
    ----------
    inputs : ClipInputs
        Features.

    y : ndarray of shape (n_samples,)
        Labels.

    taxonomy : Taxonomy or None
        As in `BranchClassifier`.

    soft_targets, sample_weight, groups, train_only
        As in `fit`.

    Returns
    -------
    rows : TrainingRows

    classes : ndarray of shape (n_classes,)
        Labels, sorted.

    taxonomy : Taxonomy
        Cut down to them, in their order.
    """
    weight = _check_sample_weight(sample_weight, y, dtype=np.float64, ensure_non_negative=True)
    all_classes, target = np.unique(y, return_inverse=True)
    soft_targets = None if soft_targets is None else _check_soft_targets(soft_targets, (len(y), len(all_classes)))
    present = np.unique(target[weight > 0])
    classes = all_classes[present]
    if len(present) < 2:
        raise DataFormatError(
            f"BranchClassifier needs samples of at least 2 classes; got {len(present)} class: "
            f"{classes.tolist()} (rows of weight zero do not count)."
        )
    rows = make_training_rows(
        inputs,
        # classes of weight zero are anything: their rows are dropped
        np.searchsorted(present, target).clip(max=len(present) - 1),
        weight,
        groups=groups,
        train_only=train_only,
        soft_targets=None if soft_targets is None else soft_targets[:, present],
    )
    return rows, classes, resolve_taxonomy(taxonomy, classes).reorder(classes)


def check_same_width(inputs, row_shapes):
    """Raise where rows have another width than in `fit`; numbers of frames may differ."""
    for name, shape in inputs.shapes().items():
        if shape[-1] != row_shapes[name][-1]:
            raise DataFormatError(f"The {name} block has rows of shape {shape}; fitted on {row_shapes[name]}.")


def read_validation(validation, read, classes):
    """Validation rows that stand beside the training rows, such as the part of a fold.

    Parameters
    ----------
    validation : tuple (X, y)
        As in `fit`.

    read : callable
        Makes checked `ClipInputs` of X.

    classes : ndarray of shape (n_classes,)
        Labels of the training rows.

    Returns
    -------
    dataset : ClipDataset
    """
    try:
        X, y = validation
    except (TypeError, ValueError) as error:
        raise DataFormatError(f"validation takes a pair (X, y); got {type(validation).__name__}.") from error
    y, inputs = check_bundle_labels(X, y), read(X)
    unknown = sorted(set(np.unique(y)) - set(classes))
    if unknown:
        raise DataFormatError(
            f"{np.isin(y, unknown).sum()} of {len(y)} validation rows are of classes that no training row has "
            f"(first: {str(unknown[0])!r}). Leave them out."
        )
    return ClipDataset(inputs, np.arange(len(y)), np.searchsorted(classes, y), np.ones(len(y)))


def _check_soft_targets(soft_targets, shape):
    soft_targets = np.asarray(soft_targets, dtype=np.float64)
    if soft_targets.shape != shape:
        raise DataFormatError(
            f"soft_targets must have shape {shape}, one column for each of np.unique(y); got {soft_targets.shape}."
        )
    bad = np.flatnonzero(~(np.isfinite(soft_targets) & (soft_targets >= 0)).all(axis=1))
    if len(bad):
        raise DataFormatError(
            f"soft_targets must be distributions; {len(bad)} of {shape[0]} rows have negative values, NaN or "
            f"infinity (first: row {bad[0]}). A row of zeros switches the term off for a clip."
        )
    return soft_targets
