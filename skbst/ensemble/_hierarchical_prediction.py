"""One consistent answer at both levels, from second-level probabilities."""

import numpy as np
from sklearn.utils.metaestimators import available_if

from skbst._sklearn import check_is_fitted
from skbst.ensemble._decoding import decode_proba
from skbst.taxonomy import resolve_taxonomy

__all__ = ["HierarchicalPredictionMixin"]


def _has_proba(self):
    return hasattr(self, "predict_proba")


class HierarchicalPredictionMixin:
    """Makes `predict`, `predict_top` and `predict_top_proba` out of ``_leaf_shares``.

    The host has the parameters ``taxonomy``, ``decode`` and ``top_weight`` and, once fitted, ``classes_``; it calls
    ``_learn_taxonomy`` in ``fit``.
    """

    def _learn_taxonomy(self):
        self.taxonomy_ = resolve_taxonomy(self.taxonomy, self.classes_).reorder(self.classes_)
        self.top_classes_ = self.taxonomy_.tops

    def _leaf_shares(self, X):
        """Probabilities, or shares of votes, of shape (n_samples, n_classes)."""
        return self.predict_proba(X)

    def _decode(self, X):
        shares = self._leaf_shares(X)
        return decode_proba(shares, self.taxonomy_.parent_of_leaf, decode=self.decode, top_weight=self.top_weight)

    def predict(self, X):
        """Predict the second-level class of each row.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Class labels, chosen as ``decode`` says.
        """
        check_is_fitted(self)
        return self.classes_[self._decode(X)]

    def predict_top(self, X):
        """Predict the top level of each row: that of its second-level class, so the two never disagree.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        Returns
        -------
        tops : ndarray of shape (n_samples,), str
            Top-level codes.
        """
        check_is_fitted(self)
        return self.top_classes_[self.taxonomy_.parent_of_leaf[self._decode(X)]]

    @available_if(_has_proba)
    def predict_top_proba(self, X):
        """Probabilities of the top level, the sums of those below.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_top_classes), float64
            In the order of ``top_classes_``. With ``decode="leaf"`` the most probable top level can differ from that
            of the most probable leaf, which is what `predict_top` gives.
        """
        check_is_fitted(self)
        return np.asarray(self.taxonomy_.aggregate(self.predict_proba(X)))
