"""A vector of fixed size for each sound, without any download."""

import os
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from joblib import Parallel, delayed
from sklearn.decomposition import PCA

from skbst._sklearn import Interval, StrOptions, _fit_context, check_is_fitted
from skbst.audio import ClipLoader, announce_problems, problem_report
from skbst.features._clips._problems import refuse_only_silence
from skbst.features._clips._sources import read_sources
from skbst.features._descriptors._clip import descriptor_names
from skbst.features._descriptors._source import describe_source
from skbst.features._embedding._sound_featurizer import SoundFeaturizer
from skbst.features._store._access import store_at_fit
from skbst.features._store._batches import embed_batches, open_store
from skbst.features._store._embedding_store import EmbeddingStore
from skbst.features._store._keys import source_key

__all__ = ["AudioStatisticsFeaturizer"]

# clips between two writes into a store; taken as it is
_BATCH_SIZE = 64
# standard deviations: one strange sound, of a descriptor that hardly varies, pulls no model away; taken as it is
_LARGEST = 5.0
# raise it when the same settings give other descriptors than before
_FORMAT = 1


class AudioStatisticsFeaturizer(SoundFeaturizer):
    """Describe whole sounds by 512 numbers: spectrum, cepstrum, pitch, modulation, envelope, rhythm and level.

    What stands in for a CLAP audio embedding where nothing can be downloaded. A sound is described as a whole, at its
    own length; silence that a fixed length would add never counts. Each descriptor is then standardised by its mean
    and standard deviation over the rows of `fit`, and limited to five standard deviations.

    Parameters
    ----------
    n_components : int, default=None
        Number of principal components that replace the descriptors; columns that the rows of `fit` cannot fill are 0.
        None keeps the descriptors.

    column : str, default="audio"
        Column of a DataFrame that holds the paths.

    sample_rate : int, default=22050
        Rate at which sounds are described, in Hz.

    duration : float or None, default=30.0
        How much of a longer sound is read, in seconds, from its start; None reads all.

    standardize : bool, default=True
        Whether descriptors are standardised. False returns them in their own units, and nothing is learnt from the rows
        of `fit`: they can be computed once for all folds of a cross-validation.

    on_error : {"silence", "raise"}, default="silence"
        What becomes of a sound that cannot be decoded: silence and a warning, or an error.

    store : str, path-like or EmbeddingStore, default=None
        Where descriptors are kept: the root of a data set or any folder. A sound whose content is there for
        this rate and duration is not decoded again, so that refitting in every fold costs nothing. Sounds with
        something wrong are never kept.

    n_jobs : int, default=None
        Number of threads.

    verbose : int, default=0
        Above 0 a progress bar is shown.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (512,), float32
        Mean and standard deviation of each descriptor over the rows of `fit`; 0 and 1 where ``standardize=False``.

    pca_ : PCA or None
        The principal components, if asked for.

    decode_report_ : DataFrame
        One row for each sound of `fit` with something wrong; index ``sound_id``, columns ``position``, ``audio``,
        ``reason``, ``silent`` and ``detail``.

    n_features_in_ : int
        Number of columns, where `X` is a table of waveforms.

    feature_names_in_ : ndarray of str
        Names of the columns, where that table is a DataFrame.

    See Also
    --------
    ClapAudioFeaturizer : A pre-trained embedding of sounds.
    TextLSAFeaturizer : The counterpart for titles, tags and descriptions.

    Notes
    -----
    The descriptors and the measurements behind their choice are in the user guide. Sounds are mixed to one channel, so
    nothing tells stereo from mono.

    References
    ----------
    G. Tzanetakis and P. Cook, "Musical genre classification of audio signals", IEEE Transactions on Speech and Audio
    Processing 10(5), 2002.

    G. Peeters et al., "The Timbre Toolbox: extracting audio descriptors from musical signals", Journal of the
    Acoustical Society of America 130(5), 2011.

    A. de Cheveigne and H. Kawahara, "YIN, a fundamental frequency estimator for speech and music", Journal of the
    Acoustical Society of America 111(4), 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.features import AudioStatisticsFeaturizer
    >>> noise = np.random.default_rng(0).uniform(-1, 1, (3, 22050))
    >>> featurizer = AudioStatisticsFeaturizer().fit(noise)
    >>> featurizer.transform(noise[:2]).shape
    (2, 512)
    >>> featurizer.get_feature_names_out()[:2]
    array(['log_mel_mean_0', 'log_mel_mean_1'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [Interval(Integral, 1, 512, closed="both"), None],
        "column": [str],
        "sample_rate": [Interval(Integral, 1000, None, closed="left")],
        "duration": [Interval(Real, 0, None, closed="neither"), None],
        "standardize": ["boolean"],
        "on_error": [StrOptions({"silence", "raise"})],
        "store": [str, os.PathLike, EmbeddingStore, None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components=None,
        *,
        column="audio",
        sample_rate=22050,
        duration=30.0,
        standardize=True,
        on_error="silence",
        store=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.column = column
        self.sample_rate = sample_rate
        self.duration = duration
        self.standardize = standardize
        self.on_error = on_error
        self.store = store
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Describe sounds and learn how the descriptors are spread.

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

        Raises
        ------
        AudioDecodeError
            If none of the sounds can be read, or one cannot with ``on_error="raise"``.
        """
        self._fit(X, stacklevel=5)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Fit, and return the rows; the same as ``fit(X).transform(X)``, with every sound decoded once.

        Parameters
        ----------
        X : DataFrame, Series, sequence of paths, or array-like of shape (n_samples, n_values)
            As in `transform`.

        y : None
            Ignored.

        Returns
        -------
        features : ndarray of shape (n_samples, 512) or (n_samples, n_components), float32
        """
        return self._finish(self._fit(X, stacklevel=6))

    def get_feature_names_out(self, input_features=None):
        """Name the columns.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of str, object
            Such as ``"log_mel_mean_0"``; ``"component_0"`` with ``n_components``.
        """
        check_is_fitted(self)
        if self.n_components is None:
            return np.array(descriptor_names(), dtype=object)
        return np.array([f"component_{i}" for i in range(self.n_components)], dtype=object)

    def _fit(self, X, *, stacklevel):
        """Learn from the rows; returns their descriptors."""
        self._store_at_fit = store_at_fit(self)
        sources = read_sources(self, X, self.column, reset=True)
        descriptors, problems = self._describe(sources)
        self.decode_report_ = problem_report(problems, ids=sources.ids, sources=sources.items)
        announce_problems(self.decode_report_, len(descriptors), on_error=self.on_error, stacklevel=stacklevel - 1)
        refuse_only_silence(self.decode_report_, len(descriptors))
        n_descriptors = descriptors.shape[1]
        self.mean_ = np.zeros(n_descriptors, dtype=np.float32)
        self.scale_ = np.ones(n_descriptors, dtype=np.float32)
        if self.standardize:
            self.mean_ = descriptors.mean(axis=0, dtype=np.float64).astype(np.float32)
            spread = descriptors.std(axis=0, dtype=np.float64).astype(np.float32)
            # a descriptor that only rounding moves is constant
            self.scale_ = np.where(spread > 1e-5 * (1 + np.abs(self.mean_)), spread, 1).astype(np.float32)
        self.pca_ = None
        if self.n_components is not None:
            n_kept = min(self.n_components, *descriptors.shape)
            self.pca_ = PCA(n_kept, svd_solver="full").fit(self._standardize(descriptors).astype(np.float64))
        return descriptors

    def _embed_sources(self, sources):
        descriptors, problems = self._describe(sources)
        return self._finish(descriptors), problems

    def _describe(self, sources):
        loader = ClipLoader(self.sample_rate, self.duration)
        parallel, problems = Parallel(n_jobs=self.n_jobs, require="sharedmem"), {}

        def compute(rows):
            results = parallel(delayed(describe_source)(sources.items[row], loader, sources.are_files) for row in rows)
            found = {row: problem for row, (_, problem) in zip(rows, results) if problem is not None}
            problems.update(found)
            return [vector for vector, _ in results], [row not in found for row in rows]

        def make_keys(rows):
            return [None if self.store is None else source_key(sources.items[row]) for row in rows]

        descriptors = embed_batches(
            len(sources),
            len(descriptor_names()),
            make_keys,
            compute,
            batch_size=_BATCH_SIZE,
            store=open_store(self, "audio_statistics"),
            pipeline=self._identity,
            progress={"desc": "Describing", "verbose": self.verbose},
        )
        return descriptors, problems

    def _identity(self):
        """All that shapes the descriptors beside the sound."""
        duration = None if self.duration is None else float(self.duration)
        return {
            "format": _FORMAT,
            "embedding": "audio_statistics",
            "sample_rate": int(self.sample_rate),
            "duration": duration,
        }

    def _standardize(self, descriptors):
        if not self.standardize:
            return descriptors
        return np.clip((descriptors - self.mean_) / self.scale_, -_LARGEST, _LARGEST)

    def _finish(self, descriptors):
        rows = self._standardize(descriptors)
        if self.pca_ is None:
            return rows
        components = self.pca_.transform(rows.astype(np.float64)).astype(np.float32)
        return np.pad(components, [(0, 0), (0, self.n_components - components.shape[1])])

    def __sklearn_is_fitted__(self):
        return hasattr(self, "mean_")
