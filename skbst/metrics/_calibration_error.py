"""How far probabilities are from what they say."""

from numbers import Integral

import numpy as np
from sklearn.utils import Bunch

from skbst._docstrings import completed_by
from skbst._proba import check_proba
from skbst._sklearn import Interval, StrOptions, _check_sample_weight, validate_params
from skbst.exceptions import DataFormatError
from skbst.taxonomy import Taxonomy, resolve_taxonomy

__all__ = ["expected_calibration_error", "reliability_curve"]

_CONSTRAINTS = {
    "y_true": ["array-like"],
    "proba": ["array-like"],
    "classes": ["array-like", None],
    "taxonomy": [Taxonomy, None],
    "level": [StrOptions({"leaf", "top"})],
    "n_bins": [Interval(Integral, 1, None, closed="left")],
    "sample_weight": ["array-like", None],
}


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def expected_calibration_error(
    y_true, proba, *, classes=None, taxonomy=None, level="leaf", n_bins=15, sample_weight=None
):
    """Mean gap between the probability of the likeliest class and how often it is right.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Class labels.

    proba : array-like of shape (n_samples, n_classes)
        Probabilities of rows that the classifier has not seen.

    classes : array-like of shape (n_classes,), default=None
        Class of each column (``model.classes_``); None takes the sorted classes of `y_true`.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all classes are BST codes, the flat tree where none is.

    level : {"leaf", "top"}, default="leaf"
        Second level, or the top level with the sums of the probabilities below.

    n_bins : int, default=15
        Bins of equal width over (0, 1].

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    error : float
        In [0, 1]; 0 where 80 % means right in 80 of 100.

    References
    ----------
    Guo et al. 2017, equation 3.

    Examples
    --------
    >>> from skbst.metrics import expected_calibration_error
    >>> proba = [[0.8, 0.2, 0.0], [0.8, 0.1, 0.1], [0.6, 0.3, 0.1]]
    >>> round(expected_calibration_error(["fx-a", "fx-h", "ss-n"], proba), 6)
    0.4
    >>> round(expected_calibration_error(["fx-a", "fx-h", "ss-n"], proba, level="top"), 6)
    0.266667
    """
    curve = reliability_curve(
        y_true, proba, classes=classes, taxonomy=taxonomy, level=level, n_bins=n_bins, sample_weight=sample_weight
    )
    gap = np.abs(curve.accuracy - curve.confidence)
    return float(np.average(gap, weights=curve.weight))


@completed_by(expected_calibration_error)
@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def reliability_curve(y_true, proba, *, classes=None, taxonomy=None, level="leaf", n_bins=15, sample_weight=None):
    """Accuracy against probability, in bins.

    Returns
    -------
    curve : Bunch
        ``confidence`` (mean probability of the likeliest class), ``accuracy`` and ``weight`` (of the rows) of each bin
        that has rows.

    Examples
    --------
    >>> from skbst.metrics import reliability_curve
    >>> curve = reliability_curve(["fx-a", "fx-h"], [[0.75, 0.25], [0.75, 0.25]])
    >>> curve.confidence, curve.accuracy
    (array([0.75]), array([0.5]))
    """
    proba, y_true = np.asarray(proba, dtype=np.float64), np.asarray(y_true)
    classes = np.unique(y_true) if classes is None else np.asarray(classes)
    if proba.ndim != 2 or proba.shape != (len(y_true), len(classes)):
        raise DataFormatError(
            f"proba must be of shape ({len(y_true)}, {len(classes)}), a row for each label and a column for each "
            f"class; got {proba.shape}. Pass classes=model.classes_."
        )
    check_proba(proba)
    tree = resolve_taxonomy(taxonomy, classes).reorder(classes)
    truth = tree.leaf_index(y_true)
    if level == "top":
        proba, truth = tree.aggregate(proba), tree.parent_of_leaf[truth]
    weight = _check_sample_weight(sample_weight, proba, dtype=np.float64)
    confidence, right = proba.max(axis=1), proba.argmax(axis=1) == truth
    place = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    total = np.bincount(place, weight, minlength=n_bins)
    filled = total > 0
    sums = [np.bincount(place, weight * values, minlength=n_bins)[filled] for values in (confidence, right)]
    return Bunch(confidence=sums[0] / total[filled], accuracy=sums[1] / total[filled], weight=total[filled])
