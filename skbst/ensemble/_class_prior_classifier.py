"""A class prior as a member of a vote."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skbst._sklearn import Interval, _fit_context, check_class_labels, check_is_fitted
from skbst._versioned import VersionedMixin
from skbst.exceptions import DataFormatError
from skbst.features import class_prior
from skbst.taxonomy import Taxonomy, TopLevelMixin, resolve_taxonomy

__all__ = ["ClassPriorClassifier"]


class ClassPriorClassifier(TopLevelMixin, VersionedMixin, ClassifierMixin, BaseEstimator):
    """Answer with the block "prior" of a bundle: one more voice in a vote.

    Nothing is learnt but the classes. Where nothing is known of a row its probabilities are all 0: a
    `HierarchicalVotingClassifier` then counts the other members alone, as if this one were not there.

    Parameters
    ----------
    smoothing : float in [0, 1), default=0.1
        Share of an even distribution that is mixed into what is known. An average of logarithms lets nobody win whom
        one member gives 0, and what is known beforehand is seldom certain.

    taxonomy : Taxonomy, default=None
        The whole tree, where the block has a column for each of its leaves; None takes BST where all labels are BST
        codes, the flat tree where none is.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.

    taxonomy_ : Taxonomy
        The tree cut down to ``classes_``, in their order.

    top_classes_ : ndarray of shape (n_top_classes,)
        Top-level codes.

    n_features_in_ : int
        Numbers in a row of X.

    See Also
    --------
    skbst.features.ClassPriorFeaturizer : Makes the block.
    skbst.neighbors.KNNPriorBlender : Takes it as a third voice, `prior_weight`.

    Examples
    --------
    >>> from skbst.ensemble import ClassPriorClassifier
    >>> from skbst.features import FeatureBundle
    >>> bundle = FeatureBundle({"prior": [[0.25, 0.75], [0.0, 0.0]]})
    >>> prior = ClassPriorClassifier(smoothing=0.0).fit(bundle, ["fx-a", "m-m"])
    >>> prior.predict_proba(bundle)
    array([[0.25, 0.75],
           [0.  , 0.  ]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "smoothing": [Interval(Real, 0, 1, closed="left")],
        "taxonomy": [Taxonomy, None],
    }

    def __init__(self, *, smoothing=0.1, taxonomy=None):
        self.smoothing = smoothing
        self.taxonomy = taxonomy

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Learn which classes there are.

        Parameters
        ----------
        X : FeatureBundle
            With a block "prior".

        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        self : ClassPriorClassifier

        Raises
        ------
        DataFormatError
            If there is no such block, or it does not fit the classes.
        """
        y = column_or_1d(y, warn=True)
        check_class_labels(y)
        check_consistent_length(X, y)
        classes = np.unique(y)
        self._read(X, classes)
        self.taxonomy_ = resolve_taxonomy(self.taxonomy, classes).reorder(classes)
        self.classes_ = classes
        self.n_features_in_ = X.shape[1]
        return self

    @property
    def top_classes_(self):
        """Top-level codes, the columns of `predict_top_proba`."""
        check_is_fitted(self)
        return self.taxonomy_.tops

    def predict_proba(self, X):
        """Read the prior.

        Parameters
        ----------
        X : FeatureBundle
            With a block "prior".

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
            In the order of ``classes_``. Rows sum to 1, or are 0 where nothing is known.
        """
        check_is_fitted(self)
        prior = self._read(X, self.classes_)
        even = prior.any(axis=1, keepdims=True) / len(self.classes_)
        return (1 - self.smoothing) * prior + self.smoothing * even

    def predict(self, X):
        """Most probable class of each row, ndarray of shape (n_samples,); the first where nothing is known."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def abstains(self, X):
        """Of which rows nothing is known, ndarray of shape (n_samples,), bool."""
        check_is_fitted(self)
        return ~self._read(X, self.classes_).any(axis=1)

    def _read(self, X, classes):
        prior = class_prior(X, classes, taxonomy=self.taxonomy)
        if prior is None:
            raise DataFormatError(
                f"ClassPriorClassifier reads the block 'prior'; {X!r:.80} has none. Add ClassPriorFeaturizer(...) to "
                "the ClipFeaturizer under that name."
            )
        return prior

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags
