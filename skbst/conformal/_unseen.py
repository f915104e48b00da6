"""What a classifier says of rows that it has not seen, and the classifier that new clips will meet."""

import numpy as np
from sklearn.utils import Bunch

from skbst._folds import cross_fit
from skbst.conformal._unlike import proba_and_vectors, row_vectors

__all__ = ["unseen_answers"]


def unseen_answers(estimator, X, y, classes, *, splits=None, fit_params=None, n_jobs=None):
    """Answer for calibration rows, and fit on all of them.

    Parameters
    ----------
    estimator : classifier
        Fitted elsewhere where there are no splits; else fitted here, after clones of it have answered.

    X, y : array-like
        Rows and labels.

    classes : ndarray of shape (n_classes,)
        Columns of the probabilities.

    splits : list of (ndarray of int, ndarray of int), default=None
        Folds; None takes the estimator as it is.

    fit_params, n_jobs
        As in `cross_fit`.

    Returns
    -------
    estimator : classifier
        For new clips.

    unseen : Bunch
        ``rows`` and ``proba``.

    vectors : ndarray or None
        Of all rows, as `row_vectors` gives.
    """
    if splits is None:
        proba, vectors = proba_and_vectors(estimator, X, classes)
        return estimator, Bunch(rows=np.arange(len(y)), proba=proba), vectors
    unseen = cross_fit(estimator, X, y, splits, classes, fit_params=fit_params, n_jobs=n_jobs)
    fitted = estimator.fit(X, y, **(fit_params or {}))
    return fitted, unseen, row_vectors(fitted, X)
