"""The top level of what a classifier predicts."""

import numpy as np
from sklearn.utils.metaestimators import available_if

from skbst._sklearn import check_is_fitted
from skbst.taxonomy._resolve import resolve_taxonomy

__all__ = ["TopLevelMixin", "taxonomy_of"]

# where classifiers keep the one that they have fitted
_INSIDE = ("estimator_", "best_estimator_", "student_")


def taxonomy_of(classifier):
    """Tree that a fitted classifier works with, in the order of its classes.

    Parameters
    ----------
    classifier : classifier
        Fitted. Its own ``taxonomy_`` counts, else that of the classifier inside it (the last step of a Pipeline), else
        its parameter ``taxonomy``; without any, BST where all classes are BST codes, the flat tree where none is.

    Returns
    -------
    taxonomy : Taxonomy
        Its leaves are ``classifier.classes_``, in their order.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skbst.taxonomy import taxonomy_of
    >>> taxonomy_of(DummyClassifier().fit([[0], [1]], ["fx-a", "m-m"])).tops
    array(['fx', 'm'], dtype='<U2')
    """
    tree, inner = None, classifier
    while tree is None and inner is not None:
        tree = getattr(inner, "taxonomy_", None)
        steps = getattr(inner, "steps", None)
        inner = (
            steps[-1][1] if steps else next((getattr(inner, name) for name in _INSIDE if hasattr(inner, name)), None)
        )
    if tree is None:
        tree = getattr(classifier, "taxonomy", None)
    return resolve_taxonomy(tree, classifier.classes_).reorder(classifier.classes_)


def _has_proba(self):
    return hasattr(self, "predict_proba")


class TopLevelMixin:
    """Answers at the top level of the tree, out of ``predict`` and ``predict_proba`` of the host."""

    def predict_top(self, X, **params):
        """Predict the top level of each row: that of the class that `predict` gives, so the two never disagree.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        **params : dict
            As in `predict`.

        Returns
        -------
        tops : ndarray of shape (n_samples,), str
            Top-level codes.
        """
        check_is_fitted(self)
        tree = taxonomy_of(self)
        return tree.tops[tree.parent_of_leaf[tree.leaf_index(self.predict(X, **params))]]

    @available_if(_has_proba)
    def predict_top_proba(self, X, **params):
        """Probabilities of the top level, the sums of those below.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        **params : dict
            As in `predict_proba`.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_top_classes), float64
            In the order of ``taxonomy_of(self).tops``. The most probable top level can differ from that of the most
            probable class, which is what `predict_top` gives.
        """
        check_is_fitted(self)
        return np.asarray(taxonomy_of(self).aggregate(self.predict_proba(X, **params)))
