"""Base of the featurizers that make one vector of a whole sound."""

from sklearn.base import BaseEstimator, TransformerMixin

from skbst._sklearn import _fit_context, check_is_fitted
from skbst._versioned import VersionedMixin
from skbst.audio import announce_problems, problem_report
from skbst.features._clips._problems import refuse_only_silence
from skbst.features._clips._sources import read_sources
from skbst.features._store._access import store_at_fit

__all__ = ["SoundFeaturizer"]


class SoundFeaturizer(VersionedMixin, TransformerMixin, BaseEstimator):
    """Sounds in, rows and a record of what was wrong out.

    A subclass has the parameters ``column``, ``on_error`` and ``store``, and ``_embed_sources(sources)``, which returns
    the rows and the problems by position. One that learns from its rows has a ``fit`` of its own.
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and the input; nothing is learnt, and no weights are loaded.

        Parameters
        ----------
        X : DataFrame, Series, sequence of paths, or array-like of shape (n_samples, n_values)
            As in `transform`.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The featurizer.
        """
        self._check_settings()
        read_sources(self, X, self.column, reset=True)
        self._store_at_fit = store_at_fit(self)
        self._is_fitted = True
        return self

    def fit_transform(self, X, y=None):
        """Fit, and embed sounds.

        Parameters
        ----------
        X : DataFrame, Series, sequence of paths, or array-like of shape (n_samples, n_values)
            As in `transform`.

        y : None
            Ignored.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_features), float32
            As from `transform`.

        Raises
        ------
        AudioDecodeError
            If none of the sounds can be read.
        """
        embeddings, report = self.fit(X, y).transform_with_problems(X)
        announce_problems(report, len(embeddings), on_error=self.on_error, stacklevel=3)
        refuse_only_silence(report, len(embeddings))
        return embeddings

    def transform(self, X):
        """Embed sounds.

        Parameters
        ----------
        X : DataFrame, Series, sequence of paths, or array-like of shape (n_samples, n_values)
            A DataFrame holds paths in ``column``; a sequence may hold tuples (waveform, sample_rate) as well. A 2-D
            array (or a DataFrame of numbers) holds one waveform a row, in [-1, 1] at the rate that is read.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_features), float32
            Finite.

        Raises
        ------
        AudioDecodeError
            With ``on_error="raise"``, if a sound cannot be decoded.

        CheckpointError
            Of pretrained encoders: if the model is damaged, of an unknown type or architecture, or unsafe.

        DownloadError
            Of pretrained encoders: if the model is not on this machine and cannot be fetched.

        ImportError
            Of pretrained encoders: if their extra is not installed.

        Warns
        -----
        AudioDecodeWarning
            Once, if a sound became silence, was damaged or too short; `transform_with_problems` says which and why.
        """
        embeddings, report = self.transform_with_problems(X)
        announce_problems(report, len(embeddings), on_error=self.on_error, stacklevel=3)
        return embeddings

    def transform_with_problems(self, X):
        """Embed sounds, and tell what was wrong instead of warning.

        Parameters
        ----------
        X : DataFrame, Series, sequence of paths, or array-like of shape (n_samples, n_values)
            As in `transform`.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_features), float32
            As from `transform`.

        problems : DataFrame
            One row for each sound with something wrong: index ``sound_id``, columns ``position``, ``audio``,
            ``reason``, ``silent`` and ``detail``.
        """
        check_is_fitted(self)
        sources = read_sources(self, X, self.column, reset=False)
        embeddings, problems = self._embed_sources(sources)
        return embeddings, problem_report(problems, ids=sources.ids, sources=sources.items)

    def _check_settings(self):
        """Refuse settings that contradict each other."""

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_is_fitted")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
