"""Teachers: models of trusted rows that judge labels they have not seen."""

import warnings

import joblib
import numpy as np
import pandas as pd
import sklearn
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skbst
from skbst._files import write_atomically
from skbst._groups import with_groups
from skbst._paths import absolute_path
from skbst._sklearn import _safe_indexing
from skbst.text import MetadataCleaner

__all__ = ["default_teacher", "judge", "rows_of_view"]

_VIEW_FIELDS = {
    "title": ["title"],
    "title+tags": ["title", "tags"],
    "title+tags+description": ["title", "tags", "description"],
}


def default_teacher(*, text):
    """Logistic regression: of TF-IDF of words and pairs, one per class, for texts; else of scaled numbers."""
    if not text:
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"[^\W\d_]{2,}")
    # the dual solver is many times faster where there are more words than rows
    linear = LogisticRegression(C=10, solver="liblinear", dual=True, max_iter=1000, random_state=0)
    return make_pipeline(vectorizer, OneVsRestClassifier(linear))


def rows_of_view(X, view, train, rows, groups=None):
    """Training and judged rows as a teacher reads them.

    Parameters
    ----------
    X : DataFrame, array, list or FeatureBundle
        All rows.

    view : str, callable or None
        Name of a metadata view, a function of rows, or None for the rows as they are.

    train, rows : ndarray of int
        Positions.

    groups : ndarray of shape (n_samples,), default=None
        Uploaders, for the cleaning of a named view; None takes the column "uploader" of `X`.

    Returns
    -------
    X_train, X_rows
        For a named view ndarrays of texts, cleaned by what the training rows taught.
    """
    X_train, X_rows = _safe_indexing(X, train), _safe_indexing(X, rows)
    if view is None:
        return X_train, X_rows
    if callable(view):
        return view(X_train), view(X_rows)
    fields = [field for field in (*_VIEW_FIELDS[view], "uploader") if field in X.columns]
    cleaner, own = MetadataCleaner(view=view, max_tokens=None), None if groups is None else groups[train]
    return tuple(
        np.asarray(texts, dtype=object)
        for texts in (cleaner.fit_transform(X_train[fields], groups=own), cleaner.transform(X_rows[fields]))
    )


def judge(teacher, X, y, classes, view, train, rows, store=None, groups=None):
    """Probabilities that a teacher of the rows `train` gives the rows `rows`.

    Parameters
    ----------
    teacher : classifier
        Cloned, never fitted itself.

    X, y : rows and their labels
        Both parts together.

    classes : ndarray of shape (n_classes,)
        Order of the columns.

    view : str, callable or None
        See `rows_of_view`.

    train, rows : ndarray of int
        Positions.

    store : path-like, default=None
        Folder that keeps the result under a name that depends on everything above; written whole or not at all. A
        damaged file is made again and named; a folder that cannot be written stops nothing.

    groups : ndarray of shape (n_samples,), default=None
        Uploaders, for the cleaning of texts, and for the teacher and its parts whose fit takes groups.

    Returns
    -------
    proba : ndarray of shape (n_rows, n_classes), float32
        Zero in the columns of classes that the training part lacks.
    """
    path = None
    if store is not None:
        path = absolute_path(store) / f"teacher-{_key(teacher, X, y, classes, view, train, rows, groups)}.npy"
    kept = None if path is None else _read(path, (len(rows), len(classes)))
    if kept is not None:
        return kept
    X_train, X_rows = rows_of_view(X, view, train, rows, groups)
    params = with_groups(teacher, None if groups is None else groups[train], {})
    fitted = clone(teacher).fit(X_train, y[train], **params)
    proba = np.zeros((len(rows), len(classes)), dtype=np.float32)
    if len(rows):
        proba[:, np.searchsorted(classes, fitted.classes_)] = fitted.predict_proba(X_rows)
    if path is not None:
        _keep(path, proba)
    return proba


def _read(path, shape):
    """What a store holds; None where it holds nothing, or nothing sound."""
    if not path.is_file():
        return None
    try:
        proba = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        problem = str(error)
    else:
        if proba.shape == shape and proba.dtype == np.float32 and np.isfinite(proba).all():
            return proba
        problem = f"shape {proba.shape} of {proba.dtype} where {shape} was expected, or numbers that are not finite"
    warnings.warn(f"{path} is damaged and is made again: {problem:.200}", UserWarning, stacklevel=2)
    return None


def _keep(path, proba):
    try:
        write_atomically(path, lambda file: np.save(file, proba), sync=False)
    except OSError as error:
        warnings.warn(f"{path} cannot be kept: {error}", UserWarning, stacklevel=2)


def _key(teacher, X, y, classes, view, train, rows, groups):
    """Hash of all that the probabilities depend on."""
    if isinstance(view, str):
        X = X[[field for field in (*_VIEW_FIELDS[view], "uploader") if field in X.columns]]
    parts = (
        (_safe_indexing(X, train), _safe_indexing(X, rows))
        if not callable(view)
        else rows_of_view(X, view, train, rows)
    )
    versions = (skbst.__version__, sklearn.__version__)
    name = view if isinstance(view, str) else None
    own = () if groups is None else (groups[train].tolist(),)
    return joblib.hash((teacher, name, y[train], classes, versions, *map(_content, parts), *own))


def _content(X):
    """What a table or array of objects holds, without what differs from run to run."""
    if isinstance(X, (pd.DataFrame, pd.Series)):
        return pd.util.hash_pandas_object(X, index=False).to_numpy()
    if isinstance(X, np.ndarray) and X.dtype == object:
        return X.tolist()
    return X
