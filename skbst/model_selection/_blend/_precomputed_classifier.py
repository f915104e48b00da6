"""Probabilities that are known already, dressed as a fitted classifier for scorers."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from skbst.neighbors import decision_scores

__all__ = ["PrecomputedClassifier"]


class PrecomputedClassifier(ClassifierMixin, BaseEstimator):
    """Answer every question about `X` with the same rows.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class labels.

    proba : ndarray of shape (n_samples, n_classes)
        Probabilities of the rows that will be asked for, in their order.
    """

    def __init__(self, classes, proba):
        self.classes = classes
        self.proba = proba

    @property
    def classes_(self):
        """Class labels, ndarray of shape (n_classes,)."""
        return self.classes

    def fit(self, X, y):
        """Do nothing."""
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        """Return the probabilities, whatever `X`."""
        return self.proba

    def predict_log_proba(self, X):
        """Return their logarithms; -inf for 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.proba)

    def decision_function(self, X):
        """Return their logarithms, finite; with two classes the difference."""
        return decision_scores(self.proba)

    def predict(self, X):
        """Return the most probable class of each row."""
        return self.classes[self.proba.argmax(axis=1)]

    def score(self, X, y, sample_weight=None, *, groups=None):
        """Return the accuracy; the neighbours have left `groups` out already."""
        return super().score(X, y, sample_weight=sample_weight)
