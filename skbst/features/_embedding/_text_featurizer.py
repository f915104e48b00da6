"""Base of the featurizers that embed titles, tags and descriptions with a pretrained encoder."""

from copy import copy
from typing import ClassVar

import pandas as pd
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone

from skbst._groups import with_groups
from skbst._sklearn import _fit_context, check_is_fitted, validate_data
from skbst._versioned import VersionedMixin
from skbst.exceptions import DataFormatError
from skbst.features._embedding._texts import as_texts, check_template, join_table, without_surrogates
from skbst.features._store._access import store_at_fit
from skbst.text import MetadataCleaner

__all__ = ["TextFeaturizer"]


class TextFeaturizer(VersionedMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """From clips to the texts that an encoder reads.

    A subclass has the parameters ``cleaner`` and ``store``, perhaps ``template``, and ``_token_limits()``, which
    returns what a cleaner that counts tokens is told of the model: a dict of parameters of `MetadataCleaner`.
    """

    # under metadata routing groups come without being asked for
    __metadata_request__fit: ClassVar = {"groups": True}

    template = None

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, *, groups=None):
        """Fit the cleaner; no weights are loaded.

        Parameters
        ----------
        X : DataFrame with columns among "title", "tags", "description"; or a sequence of str
            The texts. Missing values count as empty text.

        y : None
            Ignored.

        groups : array-like of shape (n_samples,), default=None
            Who uploaded each clip, for a cleaner that asks for it.

        Returns
        -------
        self : object
            The featurizer.
        """
        if self.template is not None:
            check_template(self.template)
        self._check_kind(X, reset=True)
        self.cleaner_ = self._new_cleaner(isinstance(X, pd.DataFrame))
        if self.cleaner_ is not None:
            self.cleaner_.fit(X, **with_groups(self.cleaner_, groups, {}))
        self._store_at_fit = store_at_fit(self)
        self._fitted_on_table = isinstance(X, pd.DataFrame)
        return self

    def texts(self, X):
        """Return what the encoder is given to read, but for a prompt of the model's own.

        Parameters
        ----------
        X : DataFrame or sequence of str
            As in `fit`.

        Returns
        -------
        texts : list of str
            After the cleaner and, where there is one, the template; without lone surrogates, which no tokenizer reads.
        """
        return self._read(X)[0]

    def _read(self, X):
        """Texts as the encoder reads them, and the problems of those that lost something, by row."""
        check_is_fitted(self)
        if isinstance(X, pd.DataFrame) and not self._fitted_on_table:
            raise DataFormatError(f"This {type(self).__name__} was fitted on texts and got a table; fit it on a table.")
        self._check_kind(X, reset=False)
        if self.cleaner_ is not None and (isinstance(X, pd.DataFrame) or self.cleaner != "default"):
            X = self._counting_cleaner().transform(X)
        return without_surrogates(join_table(X, self.template) if isinstance(X, pd.DataFrame) else as_texts(X))

    def _new_cleaner(self, is_table):
        if self.cleaner is None:
            return None
        if not isinstance(self.cleaner, str):
            return clone(self.cleaner)
        if not is_table:
            return None
        return MetadataCleaner(None if self.template is not None else "title+tags+description")

    def _counting_cleaner(self):
        """The fitted cleaner; the default one counts with the real tokenizer, which is no part of what is learnt."""
        if self.cleaner != "default" or self.template is not None:
            return self.cleaner_
        return copy(self.cleaner_).set_params(**self._token_limits())

    def _check_kind(self, X, *, reset):
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            if len(X) == 0:
                raise DataFormatError("Found 0 texts while a minimum of 1 is required.")
        else:
            as_texts(X)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "cleaner_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
