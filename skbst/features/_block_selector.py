"""From a bundle to one table."""

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from skbst._sklearn import _fit_context, check_is_fitted, validate_data
from skbst._versioned import VersionedMixin
from skbst.exceptions import DataFormatError
from skbst.features._bundle import FeatureBundle

__all__ = ["BlockSelector"]

_FLOATS = [np.float64, np.float32]


class BlockSelector(VersionedMixin, TransformerMixin, BaseEstimator):
    """Put blocks of a FeatureBundle side by side, for estimators that take a table.

    Parameters
    ----------
    blocks : str or sequence of str, default=None
        Names of the blocks, in order; None takes all that have no frames. Frames are flattened.

    Attributes
    ----------
    blocks_ : tuple of str
        Names of the blocks; empty after fitting on an array.

    n_features_out_ : int
        Columns of the table.

    n_features_in_ : int
        The same for an array; after fitting on a bundle the number of all its values in a row.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, where the input was a table that had any.

    See Also
    --------
    ClipFeaturizer : Makes the bundle.

    Notes
    -----
    An array passes as it is, so that a pipeline works on both.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.features import BlockSelector, FeatureBundle
    >>> bundle = FeatureBundle({"audio": np.eye(2), "text": np.ones((2, 1)), "mfcc": np.ones((2, 4, 3))})
    >>> BlockSelector(["text", "audio"]).fit_transform(bundle)
    array([[1., 1., 0.],
           [1., 0., 1.]])
    """

    _parameter_constraints = {"blocks": [str, list, tuple, None]}  # noqa: RUF012

    def __init__(self, blocks=None):
        self.blocks = blocks

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Find the blocks.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            The features.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The selector.

        Raises
        ------
        DataFormatError
            If a block is not in the bundle, or none is left.
        """
        if not isinstance(X, FeatureBundle):
            X = validate_data(self, X, dtype=_FLOATS)
            self.blocks_, self._widths = (), ()
            self.n_features_out_ = X.shape[1]
            return self
        self.blocks_ = self._choose(X)
        self._widths = tuple(int(np.prod(X.block_shape(name)[1:])) for name in self.blocks_)
        self.n_features_in_ = X.shape[1]
        self.n_features_out_ = sum(self._widths)
        return self

    def transform(self, X):
        """Build the table.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            The features, of the same kind as in `fit`.

        Returns
        -------
        table : ndarray of shape (n_samples, `n_features_out_`)
            The blocks side by side.

        Raises
        ------
        DataFormatError
            If a block is missing or has another width than in `fit`.
        """
        check_is_fitted(self)
        if not self.blocks_:
            if isinstance(X, FeatureBundle):
                raise DataFormatError("This BlockSelector was fitted on an array and got a FeatureBundle.")
            return validate_data(self, X, dtype=_FLOATS, reset=False)
        if not isinstance(X, FeatureBundle):
            raise DataFormatError(f"Expected a FeatureBundle with the blocks {self.blocks_}; got {type(X).__name__}.")
        _check_there(self.blocks_, X)
        parts = [X[name].reshape(len(X), -1) for name in self.blocks_]
        widths = tuple(part.shape[1] for part in parts)
        if widths != self._widths:
            raise DataFormatError(f"Blocks {self.blocks_} had {self._widths} columns in fit; they have {widths} now.")
        return np.hstack(parts)

    def get_feature_names_out(self, input_features=None):
        """Name the columns ``block__0``, ``block__1`` and so on.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of an array; ignored for a bundle.

        Returns
        -------
        names : ndarray of shape (`n_features_out_`,), object
            The names.
        """
        check_is_fitted(self)
        if self.blocks_:
            names = [f"{name}__{i}" for name, width in zip(self.blocks_, self._widths) for i in range(width)]
            return np.array(names, dtype=object)
        return OneToOneFeatureMixin.get_feature_names_out(self, input_features)

    def _choose(self, bundle):
        if self.blocks is None:
            chosen = tuple(name for name in bundle.names if len(bundle.block_shape(name)) == 2)
        else:
            chosen = (self.blocks,) if isinstance(self.blocks, str) else tuple(self.blocks)
        if not chosen:
            raise DataFormatError(
                f"No block to select: the bundle has {list(bundle.names)}. Name at least one; blocks=None takes only "
                "those without frames."
            )
        _check_there(chosen, bundle)
        return chosen

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _check_there(names, bundle):
    missing = [name for name in names if name not in bundle]
    if missing:
        raise DataFormatError(f"The bundle has no block {missing[0]!r}; it has {list(bundle.names)}.")
