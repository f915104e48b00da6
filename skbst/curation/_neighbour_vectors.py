"""What neighbours are found in, whatever the estimator takes."""

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import betaincinv
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skbst.features import FeatureBundle
from skbst.neighbors import retrieval_embedding

__all__ = ["near_duplicate_cosine", "neighbour_vectors"]

# columns of a sparse matrix above which it is projected; words of a few thousand titles are tens of thousands
_MOST_COLUMNS = 2048
# taken as it is; neighbours are only ranked by them
_N_COMPONENTS = 256
# from this cosine on two clips are one recording twice, or parts of one ...
_NEAR_DUPLICATE = 0.98
# ... and in few dimensions, where rows of one kind are that close by chance, from where chance is so rare
_CHANCE = 1e-9
# what float32 leaves of the cosine of a row with itself
_EQUAL = 1 - 1e-6


def neighbour_vectors(estimator, X, proba, *, fitted=False):
    """Vectors of norm 1, from the rows alone: no label is looked at.

    Parameters
    ----------
    estimator : estimator
        What takes `X`. Of a Pipeline, also inside a search, a calibrator or a vote, the steps before the first one that
        needs labels make the vectors of rows that are no numbers.

    X : FeatureBundle, DataFrame, sparse matrix or array-like of shape (n_samples, ...)
        Rows.

    proba : ndarray of shape (n_samples, n_classes)
        What models say of the rows, which stands for vectors where there are none.

    fitted : bool, default=False
        Whether the steps are taken as they are, or cloned and fitted on `X`.

    Returns
    -------
    vectors : ndarray of shape (n_samples, n_dimensions), float32
        Where `X` holds no numbers and no step makes any, roots of the probabilities.

    near_duplicate : float
        The cosine from which on two rows are one sound; above 1, where nothing tells.
    """
    vectors = _vectors(estimator, X, fitted)
    if vectors is None:
        return np.sqrt(proba).astype(np.float32), np.inf
    return vectors, near_duplicate_cosine(vectors.shape[1])


def near_duplicate_cosine(n_dimensions):
    """The cosine from which on two rows are one sound: 0.98, and more in few dimensions.

    Examples
    --------
    >>> from skbst.curation._neighbour_vectors import near_duplicate_cosine
    >>> [round(near_duplicate_cosine(number), 4) for number in (1, 4, 8, 512)]
    [inf, 1.0, 0.9977, 0.98]
    """
    if n_dimensions < 2:
        return np.inf
    # two directions at random are closer than this with the probability _CHANCE
    sine_squared = betaincinv((n_dimensions - 1) / 2, 0.5, 2 * _CHANCE)
    return float(min(max(np.sqrt(1 - sine_squared), _NEAR_DUPLICATE), _EQUAL))


def _vectors(estimator, X, fitted):
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
