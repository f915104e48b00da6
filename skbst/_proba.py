"""What is built around a classifier: its probabilities as a finite matrix, its columns in any order, what it saw."""

import numpy as np

from skbst.exceptions import DataFormatError

__all__ = ["align_columns", "check_has_proba", "check_proba", "check_scores", "columns_seen"]


# what arithmetic in half precision adds to 0 and 1
_SLACK = 1e-2


def check_has_proba(classifier, needed_by):
    """Refuse a classifier without probabilities; `needed_by` is what was to be built around it."""
    if not hasattr(classifier, "predict_proba"):
        raise ValueError(
            f"{type(needed_by).__name__} needs an estimator with predict_proba; {type(classifier).__name__} has none. "
            "Wrap it in sklearn.calibration.CalibratedClassifierCV."
        )


def columns_seen(classifier):
    """What a fitted classifier knows of the columns of X, as attributes for what is built around it.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skbst._proba import columns_seen
    >>> columns_seen(DummyClassifier()), columns_seen(DummyClassifier().fit([[1, 2]], ["fx-a"]))
    ({}, {'n_features_in_': 2})
    """
    names = ("n_features_in_", "feature_names_in_")
    return {name: getattr(classifier, name) for name in names if hasattr(classifier, name)}


def check_scores(values, what):
    """Return finite float64 numbers, or say which row has none."""
    values = np.asarray(values, dtype=np.float64)
    bad = ~np.isfinite(values)
    if bad.any():
        rows = np.flatnonzero(bad.reshape(len(values), -1).any(axis=1))
        raise DataFormatError(
            f"{len(rows)} of {len(values)} rows of {what} are NaN or infinite (first: row {rows[0]}). Nothing can be "
            "promised about them: leave these rows out, or repair the classifier that gave them."
        )
    return values


def check_proba(proba, n_classes=None):
    """Return probabilities as a float64 matrix in [0, 1]; what stands in float32 keeps its value."""
    proba = np.asarray(proba, dtype=np.float64)
    if proba.ndim != 2 or (n_classes is not None and proba.shape[1] != n_classes):
        raise DataFormatError(
            f"Probabilities must be of shape (n_samples, {n_classes or 'n_classes'}); got {proba.shape}."
        )
    proba = check_scores(proba, "probabilities")
    if proba.size and not (proba.min() >= -_SLACK and proba.max() <= 1 + _SLACK):
        raise DataFormatError(
            f"Probabilities are in [0, 1]; these are from {proba.min():g} to {proba.max():g}. Pass those of "
            "predict_proba, not their logarithms or logits."
        )
    return proba


def align_columns(values, own_classes, classes, fill=0.0):
    """Columns of one classifier in the order of `classes`.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_own_classes)
        One column per class of `own_classes`; those that `classes` lacks are left out.

    own_classes, classes : ndarray of str
        Classes of the columns, as they are and as they shall be.

    fill : float, default=0.0
        What a class that is not among `own_classes` gets.

    Returns
    -------
    aligned : ndarray of shape (n_samples, n_classes), float64

    Examples
    --------
    >>> import numpy as np
    >>> from skbst._proba import align_columns
    >>> align_columns(np.array([[0.25, 0.75]]), ["m-m", "fx-a"], ["fx-a", "fx-o", "m-m"])
    array([[0.75, 0.  , 0.25]])
    """
    if np.array_equal(own_classes, classes):
        return values
    aligned = np.full((len(values), len(classes)), fill, dtype=np.float64)
    _, own, ours = np.intersect1d(own_classes, classes, return_indices=True)
    aligned[:, ours] = values[:, own]
    return aligned
