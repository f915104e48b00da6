"""The results part of a submission: scores on the development data, in all and per class."""

import warnings

import numpy as np

from skbst.exceptions import DataFormatError
from skbst.metrics import hierarchical_precision_recall_fscore_support
from skbst.submission._format import SCORE_NAMES
from skbst.taxonomy import BST

__all__ = ["development_results"]


def development_results(y_true, y_pred, *, folds=None, taxonomy=BST):
    """Score cross-validated predictions as the challenge's meta file wants them.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Class codes of the development rows and what was predicted for them when they were test rows.

    folds : array-like of shape (n_samples,), default=None
        In which fold each row was tested; scores are means over folds then. None scores all rows together.

    taxonomy : Taxonomy, default=BST
        The tree.

    Returns
    -------
    results : dict
        ``overall``: hP, hR, hF; ``class_wise``: the same for each class, None where a class was never predicted. In
        [0, 1], rounded to 4 digits.

    Examples
    --------
    >>> from skbst.submission._development_results import development_results
    >>> results = development_results(["fx-a", "fx-h", "fx-h"], ["fx-a", "fx-a", "fx-h"])
    >>> results["overall"]
    {'hP': 0.8438, 'hR': 0.8438, 'hF': 0.8148}
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    fold = np.zeros(len(y_true), dtype=int) if folds is None else np.asarray(folds)
    if not len(y_true) == len(y_pred) == len(fold):
        raise DataFormatError(f"y_true, y_pred and folds have {len(y_true)}, {len(y_pred)} and {len(fold)} rows.")
    overall, per_class = [], []
    for which in np.unique(fold):
        rows = fold == which
        scores = {"taxonomy": taxonomy}
        overall.append(hierarchical_precision_recall_fscore_support(y_true[rows], y_pred[rows], **scores)[:3])
        per_class.append(
            hierarchical_precision_recall_fscore_support(
                y_true[rows], y_pred[rows], labels=taxonomy.leaves, average=None, **scores
            )[:3]
        )
    with warnings.catch_warnings():
        # a class that no fold predicted has no mean
        warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
        per_class = np.nanmean(per_class, axis=0).T
    return {
        "overall": _as_dict(np.mean(overall, axis=0)),
        "class_wise": {str(leaf): _as_dict(scores) for leaf, scores in zip(taxonomy.leaves, per_class, strict=True)},
    }


def _as_dict(scores):
    return {
        name: None if np.isnan(score) else round(float(score), 4)
        for name, score in zip(SCORE_NAMES, scores, strict=True)
    }
