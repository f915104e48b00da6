"""The costly half of `KNNPriorBlender`: the fitted model and its embedding bank, from a cache where there is one."""

import os

from sklearn.base import clone
from sklearn.utils.validation import check_memory

from skbst._version import __version__
from skbst.neighbors._fingerprint import fingerprint
from skbst.neighbors._retrieval import retrieval_answers

__all__ = ["fit_members"]

_ALL_BUT_KEY = ["estimator", "X", "y", "fit_params", "embedding", "blocks", "context"]


def fit_members(estimator, X, y, fit_params, *, embedding, blocks, memory, context):
    """Fit a clone and embed its training rows; nothing here depends on alpha, k or temperature.

    Parameters
    ----------
    estimator : classifier
        Not touched.

    X, y : FeatureBundle or array-like, array of shape (n_samples,)
        Training rows.

    fit_params : dict
        Go to the estimator's ``fit``.

    embedding, blocks : str, or list of str
        As in `retrieval_embedding`.

    memory : None, str, path-like or joblib.Memory
        Where results are kept under the `fingerprint` of all before it.

    context : sklearn.callback context
        Under it the estimator's callbacks run.

    Returns
    -------
    estimator : classifier
        Fitted.

    bank : ndarray of shape (n_samples, n_dimensions), float32
        Retrieval embeddings.

    train_proba : ndarray of shape (n_samples, n_classes), float64
        The model's probabilities of its own training rows.
    """
    if memory is None:
        return _fit("", estimator, X, y, fit_params, embedding, blocks, context)
    memory = check_memory(os.fspath(memory) if isinstance(memory, os.PathLike) else memory)
    parts = [item for name in sorted(fit_params) for item in (name, fit_params[name])]
    key = fingerprint(__version__, estimator, X, y, embedding, blocks, *parts)
    cached = memory.cache(_fit, ignore=_ALL_BUT_KEY)
    return cached(key, estimator, X, y, fit_params, embedding, blocks, context)


def _fit(key, estimator, X, y, fit_params, embedding, blocks, context):
    estimator = clone(estimator)
    with context.propagate_callback_context(estimator):
        estimator.fit(X, y, **fit_params)
    return estimator, *retrieval_answers(X, estimator, embedding=embedding, blocks=blocks)
