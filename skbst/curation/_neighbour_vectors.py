"""What neighbours are found in, whatever the estimator takes."""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skbst.features import FeatureBundle
from skbst.neighbors import retrieval_embedding

__all__ = ["neighbour_vectors"]

# columns of a sparse matrix above which it is projected; words of a few thousand titles are tens of thousands
_MOST_COLUMNS = 2048
_N_COMPONENTS = 256


def neighbour_vectors(estimator, X, *, fitted=False):
    """Vectors of norm 1, from the rows alone: no label is looked at.

    Parameters
    ----------
    estimator : estimator
        What takes `X`. Of a Pipeline, also inside a search, a calibrator or a vote, the steps before the first one that
        needs labels make the vectors of rows that are no numbers.

    X : FeatureBundle, DataFrame, sparse matrix or array-like of shape (n_samples, ...)
        Rows.

    fitted : bool, default=False
        Whether the steps are taken as they are, or cloned and fitted on `X`.

    Returns
    -------
    vectors : ndarray of shape (n_samples, n_dimensions), float32, or None
        None where `X` holds no numbers and no step makes any.
    """
    if isinstance(X, FeatureBundle):
        return retrieval_embedding(X)
    pipeline = _pipeline_of(estimator, fitted)
    if pipeline is not None and (isinstance(X, pd.DataFrame) or _numbers(X) is None):
        X = _without_labels(pipeline, X, fitted)
    if isinstance(X, FeatureBundle):
        return retrieval_embedding(X)
    numbers = _numbers(X)
    return None if numbers is None else retrieval_embedding(numbers)


def _pipeline_of(estimator, fitted):
    """The first pipeline in an estimator or in what it wraps."""
    names = ("best_estimator_", "estimator_", "calibrated_classifiers_", "estimators_") if fitted else ()
    while not isinstance(estimator, Pipeline):
        found = (getattr(estimator, name, None) for name in (*names, "estimator", "estimators"))
        estimator = next((part for part in found if part is not None), None)
        while isinstance(estimator, (list, tuple)) and len(estimator):
            estimator = estimator[-1] if isinstance(estimator, tuple) else estimator[0]
        if not hasattr(estimator, "get_params") and not hasattr(estimator, "estimator"):
            return None
    return estimator


def _without_labels(pipeline, X, fitted):
    """What the steps make of the rows, up to the first that cannot be fitted without labels."""
    for _, step in pipeline.steps[:-1]:
        if step is None or isinstance(step, str):
            continue
        if _needs_labels(step):
            break
        try:
            X = (step if fitted else clone(step).fit(X)).transform(X)
        except (TypeError, ValueError):
            # some say only when they are fitted that they need labels; what is wrong with the rows the models said
            break
    return X


def _needs_labels(step):
    return hasattr(step, "__sklearn_tags__") and get_tags(step).target_tags.required


def _numbers(X):
    """Rows as float32, missing values as 0, or None where they are no numbers."""
    if sparse.issparse(X):
        if X.shape[1] <= _MOST_COLUMNS:
            return X.toarray().astype(np.float32)
        return TruncatedSVD(min(_N_COMPONENTS, X.shape[0] - 1), random_state=0).fit_transform(X).astype(np.float32)
    try:
        rows = np.asarray(X, dtype=np.float32)
    except (TypeError, ValueError):
        return None
    return np.nan_to_num(rows, nan=0.0) if rows.ndim == 2 else None
