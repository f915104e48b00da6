"""Features that were computed before, found by the id of the sound."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array

from skbst._sklearn import _fit_context, check_is_fitted, validate_data
from skbst._versioned import VersionedMixin
from skbst.exceptions import DataFormatError

__all__ = ["PrecomputedFeaturizer"]


class PrecomputedFeaturizer(VersionedMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Look up embeddings by sound_id, the index of the rows.

    Parameters
    ----------
    embeddings : DataFrame or array-like of shape (n_sounds, n_features), default=None
        One row for each sound that will ever be asked for, such as the CLAP embeddings that a dataset ships. None
        takes the input itself, a 2-D array, for the embeddings.

    sound_ids : array-like of shape (n_sounds,), default=None
        Ids of the rows; None takes the index of a DataFrame.

    Attributes
    ----------
    n_features_out_ : int
        Length of an embedding.

    n_features_in_ : int
        The same, where `embeddings` is None.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, where `embeddings` is None and the input had any.

    See Also
    --------
    ClipFeaturizer : Puts it beside other featurizers.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skbst.features import PrecomputedFeaturizer
    >>> data = pd.DataFrame({"title": ["rain", "dog"]}, index=["23", "17"])
    >>> PrecomputedFeaturizer(np.eye(3), sound_ids=["5", "17", "23"]).fit_transform(data)
    array([[0., 0., 1.],
           [0., 1., 0.]], dtype=float32)
    """

    _parameter_constraints = {"embeddings": ["array-like", None], "sound_ids": ["array-like", None]}  # noqa: RUF012

    def __init__(self, embeddings=None, *, sound_ids=None):
        self.embeddings = embeddings
        self.sound_ids = sound_ids

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the embeddings and their ids.

        Parameters
        ----------
        X : DataFrame or Series with sound ids as index, or array-like of shape (n_samples, n_features)
            Only looked at where `embeddings` is None.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The featurizer.

        Raises
        ------
        DataFormatError
            If ids are missing, double, or not as many as embeddings.
        """
        if self.embeddings is None:
            table = validate_data(self, X, dtype=[np.float32, np.float64])
            self.n_features_out_ = table.shape[1]
            return self
        self.table_ = check_array(self.embeddings, dtype=np.float32, input_name="embeddings")
        self.n_features_out_ = self.table_.shape[1]
        self.ids_ = _ids_of(self.embeddings, self.sound_ids, len(self.table_))
        return self

    def transform(self, X):
        """Return the embeddings of some sounds.

        Parameters
        ----------
        X : DataFrame or Series with sound ids as index, or array-like of shape (n_samples, n_features)
            The sounds; an array is taken as it is where `embeddings` is None.

        Returns
        -------
        features : ndarray of shape (n_samples, `n_features_out_`), float32
            In the order of `X`.

        Raises
        ------
        DataFormatError
            If a sound has no embedding; the message counts them and names the first.
        """
        check_is_fitted(self)
        if self.embeddings is None:
            return validate_data(self, X, dtype=[np.float32, np.float64], reset=False).astype(np.float32, copy=False)
        if not isinstance(X, (pd.DataFrame, pd.Series)):
            raise DataFormatError(
                f"Embeddings are looked up by sound_id: pass a DataFrame or Series with that index, not {type(X)}."
            )
        asked = X.index.map(str)
        rows = pd.Index(self.ids_).get_indexer(asked)
        missing = np.flatnonzero(rows < 0)
        if len(missing):
            raise DataFormatError(
                f"{len(missing)} of {len(asked)} sounds have no embedding (first: {asked[missing[0]]!r}). "
                f"There are {len(self.ids_)} embeddings; compute the missing ones or drop these rows."
            )
        return self.table_[rows]

    @property
    def _n_features_out(self):
        return self.n_features_out_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _ids_of(embeddings, sound_ids, n_rows):
    """Ids as text, one for each row."""
    if sound_ids is None:
        if not isinstance(embeddings, pd.DataFrame):
            raise DataFormatError("An array of embeddings needs sound_ids, or pass a DataFrame with them as index.")
        sound_ids = embeddings.index
    ids = np.array([str(sound_id) for sound_id in sound_ids], dtype=object)
    if len(ids) != n_rows:
        raise DataFormatError(f"There are {n_rows} embeddings, but {len(ids)} sound_ids.")
    double = pd.Index(ids).duplicated()
    if double.any():
        raise DataFormatError(f"{double.sum()} of {n_rows} sound_ids stand twice (first: {ids[double.argmax()]!r}).")
    return ids
