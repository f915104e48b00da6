"""Clips that are unlike all calibration rows, however sure the classifier is of them."""

from math import inf

import numpy as np
from scipy import sparse
from sklearn.pipeline import Pipeline

from skbst._folds import aligned_proba
from skbst.conformal._quantile import conformal_quantile
from skbst.features import FeatureBundle

__all__ = [
    "column_spread",
    "is_unlike",
    "neighbour_distance",
    "proba_and_vectors",
    "row_vectors",
    "standardized_vectors",
    "unlike_bank",
]

# a distance is the mean of that to so many neighbours; more of them told held-out classes apart no better
_NEIGHBOURS = 5
# far clips need no dense bank, and 11,000 rows against it take a fraction of a second
_BANK = 1000
# share of the calibration rows that are kept: of 100 ordinary clips one is refused for nothing
KEPT = 0.99
# rows whose distances stand in memory at once: 4 MB against the bank
_CHUNK = 1024


def proba_and_vectors(estimator, X, classes):
    """Probabilities of rows, and the vectors that the last step of a pipeline was given, in one pass.

    Parameters
    ----------
    estimator : classifier
        Fitted.

    X : FeatureBundle, DataFrame or array-like
        Rows.

    classes : ndarray of shape (n_classes,)
        Columns of the answer.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_classes), float64

    vectors : ndarray of shape (n_samples, n_features), float32, or None
        None where rows are no finite numbers: text, paths, sparse matrices, frames alone.
    """
    estimator, X = _last_step(estimator, X)
    return aligned_proba(estimator, X, classes), _as_vectors(X)


def row_vectors(estimator, X):
    """Return the vectors of `proba_and_vectors` alone."""
    return _as_vectors(_last_step(estimator, X)[1])


def _last_step(estimator, X):
    while isinstance(estimator, Pipeline) and len(estimator.steps) > 1:
        X, estimator = estimator[:-1].transform(X), estimator[-1]
    return estimator, X


def _as_vectors(X):
    if isinstance(X, FeatureBundle):
        blocks = [X[name].astype(np.float32) for name in X.names if len(X.block_shape(name)) == 2]
        values = np.concatenate(blocks, axis=1) if blocks else None
    elif sparse.issparse(X):
        values = None
    else:
        try:
            values = np.asarray(X, dtype=np.float32)
        except (TypeError, ValueError):
            values = None
    return values if values is not None and values.ndim == 2 and np.isfinite(values).all() else None


def column_spread(vectors):
    """Mean and standard deviation of each column; 1 where a column is constant but for rounding."""
    mean, scale = vectors.mean(axis=0), vectors.std(axis=0)
    return mean, np.where(scale > 1e-5 * np.abs(mean), scale, 1).astype(np.float32)


def standardized_vectors(vectors, mean, scale):
    """Vectors with each column in units of its spread over the calibration rows, as long as one of them."""
    return ((vectors - mean) / (scale * np.sqrt(len(mean)))).astype(np.float32)


def neighbour_distance(queries, bank, *, query_groups=None, bank_groups=None):
    """Mean Euclidean distance to the nearest rows of a bank.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, n_features)
        Rows to look at.

    bank : ndarray of shape (n_bank, n_features)
        Rows to compare with.

    query_groups, bank_groups : ndarray of int, default=None
        No query is compared with a row of its own group.

    Returns
    -------
    distance : ndarray of shape (n_queries,), float64
        inf where no row is left.
    """
    out = np.empty(len(queries))
    for start in range(0, len(queries), _CHUNK):
        rows = slice(start, start + _CHUNK)
        # in float32, which scikit-learn's function widens at four times the cost
        squared = np.maximum(_squares(queries[rows])[:, None] + _squares(bank) - 2 * (queries[rows] @ bank.T), 0)
        if query_groups is not None:
            squared[query_groups[rows, None] == bank_groups] = inf
        k = min(_NEIGHBOURS, len(bank))
        near = np.sqrt(np.partition(squared, k - 1, axis=1)[:, :k])
        there = np.isfinite(near)
        counts = there.sum(axis=1)
        near[~there] = 0
        out[rows] = np.where(counts > 0, near.sum(axis=1) / np.maximum(counts, 1), inf)
    return out


def _squares(rows):
    return np.einsum("ij,ij->i", rows, rows)


def unlike_bank(vectors, groups):
    """What is kept of the calibration rows, and the distance that few of them exceed.

    Parameters
    ----------
    vectors : ndarray of shape (n_samples, n_features) or None
        Calibration rows.

    groups : ndarray of shape (n_samples,), int
        Number of each row's group, one of its own where it is nobody's: a row is measured against others' rows, as a
        new clip is.

    Returns
    -------
    bank : dict or None
        ``rows``, ``mean``, ``scale`` and ``threshold`` (inf where the rows are too few); None without vectors.
    """
    if vectors is None or not len(vectors):
        return None
    mean, scale = column_spread(vectors)
    rows = standardized_vectors(vectors, mean, scale)
    kept = np.unique(np.linspace(0, len(rows) - 1, min(_BANK, len(rows))).round().astype(int))
    distance = neighbour_distance(rows, rows[kept], query_groups=groups, bank_groups=groups[kept])
    threshold = conformal_quantile(distance[np.isfinite(distance)], KEPT)
    return {"rows": rows[kept], "mean": mean, "scale": scale, "threshold": float(threshold)}


def is_unlike(vectors, bank, n_rows):
    """Which rows lie farther from a bank than the calibration rows do; none where nothing is known."""
    if bank is None or bank["threshold"] == inf or vectors is None:
        return np.zeros(n_rows, dtype=bool)
    rows = standardized_vectors(vectors, bank["mean"], bank["scale"])
    return neighbour_distance(rows, bank["rows"]) > bank["threshold"]
