"""What the makers of priors have in common."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from skbst._sklearn import check_is_fitted
from skbst._versioned import VersionedMixin
from skbst.features._priors._distribution import Distributions
from skbst.taxonomy import BST

__all__ = ["PriorMaker"]


class PriorMaker(VersionedMixin, TransformerMixin, BaseEstimator):
    """Base of the transformers that make a prior: columns, names, and one word where nothing is known of any row."""

    def _start(self):
        """Fix the columns; called by fit."""
        self.taxonomy_ = BST if self.taxonomy is None else self.taxonomy
        self.classes_ = np.unique(self.taxonomy_.leaves)

    @property
    def _distributions(self):
        return Distributions(self.taxonomy_, self.classes_)

    def _tell(self, prior, what):
        if len(prior) and not prior.any():
            warnings.warn(f"{what} None of {len(prior)} rows has a prior.", UserWarning, stacklevel=4)
        return prior

    def get_feature_names_out(self, input_features=None):
        """Name the columns.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of str, object
            The class codes.
        """
        check_is_fitted(self)
        return self.classes_.astype(object)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "classes_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags
