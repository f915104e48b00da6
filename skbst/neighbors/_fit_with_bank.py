"""The costly half of `KNNPriorBlender`: the fitted model and its embedding bank."""

from sklearn.base import clone

from skbst.neighbors._retrieval import retrieval_answers

__all__ = ["fit_with_bank"]


def fit_with_bank(estimator, X, y, fit_params, *, embedding, blocks, context):
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
    estimator = clone(estimator)
    with context.propagate_callback_context(estimator):
        estimator.fit(X, y, **fit_params)
    return estimator, *retrieval_answers(X, estimator, embedding=embedding, blocks=blocks)
