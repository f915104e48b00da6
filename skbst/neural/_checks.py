"""What `BranchClassifier` accepts, and what it learns from looking at it."""

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d
from sklearn.utils.validation import assert_all_finite

from skbst._sklearn import _check_sample_weight, check_class_labels, validate_data
from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle
from skbst.neural._inputs import ClipInputs, choose_blocks, read_bundle
from skbst.neural._training_rows import make_training_rows
from skbst.taxonomy import resolve_taxonomy

__all__ = ["check_new_data", "check_rows", "check_training_data"]


def check_training_data(estimator, X, y):
    """Check X and y of `fit`, and learn which blocks there are and how wide.

    Parameters
    ----------
    estimator : BranchClassifier
        Gets ``n_features_in_``, and privately the blocks and the shapes of their rows.

    X : FeatureBundle or array-like of shape (n_samples, n_features)
        Features.

    y : array-like of shape (n_samples,)
        Labels.

    Returns
    -------
    inputs : ClipInputs

    y : ndarray of shape (n_samples,)
    """
    if isinstance(X, FeatureBundle):
        inputs, y = _check_bundle(estimator, X, y)
    elif estimator.branch is not None:
        raise DataFormatError(f"branch={estimator.branch!r} needs a FeatureBundle; got {type(X).__name__}.")
    else:
        X, y = validate_data(estimator, X, y, dtype=np.float32)
        estimator._blocks = None
        inputs = ClipInputs(X, None)
    check_class_labels(y)
    estimator._row_shapes = inputs.shapes()
    return inputs, y


def check_rows(estimator, inputs, y, sample_weight, groups, train_only, soft_targets):
    """Check what `fit` gets beside X and y, and learn classes and tree from the rows that count.

    Parameters
    ----------
    estimator : BranchClassifier
        Gets ``classes_``, ``taxonomy_`` and ``top_classes_``.

    inputs : ClipInputs
        Features.

    y : ndarray of shape (n_samples,)
        Labels.

    sample_weight, groups, train_only, soft_targets
        As in `fit`.

    Returns
    -------
    rows : TrainingRows
    """
    weight = _check_sample_weight(sample_weight, y, dtype=np.float64, ensure_non_negative=True)
    all_classes, target = np.unique(y, return_inverse=True)
    if soft_targets is not None:
        soft_targets = np.asarray(soft_targets, dtype=np.float64)
        if soft_targets.shape != (len(y), len(all_classes)):
            raise DataFormatError(
                f"soft_targets must have shape ({len(y)}, {len(all_classes)}), one column for each of "
                f"np.unique(y); got {soft_targets.shape}."
            )
        bad = np.flatnonzero(~(np.isfinite(soft_targets) & (soft_targets >= 0)).all(axis=1))
        if len(bad):
            raise DataFormatError(
                f"soft_targets must be distributions; {len(bad)} of {len(y)} rows have negative values, NaN or "
                f"infinity (first: row {bad[0]}). A row of zeros switches the term off for a clip."
            )
    present = np.unique(target[weight > 0])
    estimator.classes_ = all_classes[present]
    if len(present) < 2:
        raise DataFormatError(
            f"{type(estimator).__name__} needs samples of at least 2 classes; got {len(present)} class: "
            f"{estimator.classes_.tolist()} (rows of weight zero do not count)."
        )
    estimator.taxonomy_ = resolve_taxonomy(estimator.taxonomy, estimator.classes_).reorder(estimator.classes_)
    estimator.top_classes_ = estimator.taxonomy_.tops
    return make_training_rows(
        inputs,
        # classes of weight zero are anything: their rows are dropped
        np.searchsorted(present, target).clip(max=len(present) - 1),
        weight,
        groups=groups,
        train_only=train_only,
        soft_targets=None if soft_targets is None else soft_targets[:, present],
    )


def check_new_data(estimator, X):
    """Check X of a predict-like method against what was seen in `fit`.

    Returns
    -------
    inputs : ClipInputs
    """
    if estimator._blocks is None:
        if isinstance(X, FeatureBundle):
            raise DataFormatError("Fitted on a 2-D array; got a FeatureBundle. Pass one of its blocks.")
        return ClipInputs(validate_data(estimator, X, dtype=np.float32, reset=False), None)
    inputs = read_bundle(X, estimator._blocks)
    for name, shape in inputs.shapes().items():
        if shape[-1] != estimator._row_shapes[name][-1]:
            raise DataFormatError(
                f"Block {estimator._blocks[name]!r} has rows of shape {shape}; fitted on {estimator._row_shapes[name]}."
            )
    return inputs


def _check_bundle(estimator, X, y):
    if y is None:
        raise ValueError(f"This {type(estimator).__name__} requires y to be passed, but the target y is None.")
    y = column_or_1d(y, warn=True)
    missing = np.flatnonzero(pd.isna(y))
    if len(missing):
        raise DataFormatError(
            f"{len(missing)} of {len(y)} labels are missing (first: row {missing[0]}). Drop these rows."
        )
    if len(y) != len(X):
        raise DataFormatError(f"X has {len(X)} rows and y has {len(y)} labels.")
    assert_all_finite(y, input_name="y")
    estimator._blocks = choose_blocks(
        X,
        audio=estimator.audio_block,
        text=estimator.text_block,
        branch=estimator.branch,
        branch_block=estimator.branch_block,
    )
    estimator.n_features_in_ = X.shape[1]
    return read_bundle(X, estimator._blocks), y
