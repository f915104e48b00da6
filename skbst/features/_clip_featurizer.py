"""Several featurizers over the same clips."""

import os
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import TransformerMixin, clone
from sklearn.utils import Bunch

from skbst._groups import with_groups
from skbst._sklearn import _BaseComposition, _fit_context, check_is_fitted
from skbst._versioned import VersionedMixin, renamed_parameter
from skbst.exceptions import DataFormatError
from skbst.features._clips._input import check_is_table_for_both
from skbst.features._clips._problems import refuse_only_silence
from skbst.features._clips._run import announce_of_bundle, run_featurizers
from skbst.features._spectra._base import SpectralFeaturizer

__all__ = ["ClipFeaturizer"]


class ClipFeaturizer(VersionedMixin, TransformerMixin, _BaseComposition, auto_wrap_output_keys=None):
    """Apply named featurizers to the same clips and keep the results apart, in a `FeatureBundle`.

    Featurizers of frames that load sounds in the same way share the decoding, and those with the same frames the
    Fourier transform as well.

    Parameters
    ----------
    featurizers : list of tuple (str, transformer)
        Name of a block and what makes it. The classifiers look for names whose last or first word is ``"audio"`` or
        ``"text"``, as many as there are encoders (``"clap_audio"``, ``"ast_audio"``, ``"text"``, ``"text_2"``), and for
        ``"log_stft"``, ``"log_mel"``, ``"mfcc"`` and ``"prior"``. ``"drop"`` in the place of a transformer leaves the
        block out.

    store : str or path-like, default=None
        Folder in which what the featurizers make is kept, as in `LogSTFTFeaturizer` and `ClapAudioFeaturizer`, for
        those that have a parameter ``store``; blocks of frames are then memory maps, and the bundle is small. What is
        there of a clip is not made again, whatever the rows that are asked for.

    n_jobs : int, default=None
        Number of threads that decode and make frames.

    verbose : int, default=0
        Above 0 progress bars are shown.

    Attributes
    ----------
    featurizers_ : list of tuple (str, transformer)
        The fitted featurizers. One whose ``store``, ``n_jobs`` or ``verbose`` is at its default has that of this
        object.

    named_featurizers_ : Bunch
        The same by name.

    n_features_in_ : int
        Of the first featurizer; only after fitting on a table.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of the table, where it had any.

    See Also
    --------
    BlockSelector : From a bundle to a table.
    PrecomputedFeaturizer : A block of embeddings that were computed before.

    Notes
    -----
    A bundle stays a bundle: ``set_output`` has no effect on it.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skbst.features import ClipFeaturizer, LogMelFeaturizer, MFCCFeaturizer
    >>> noise = np.random.default_rng(0).uniform(-1, 1, 8000)
    >>> data = pd.DataFrame({"audio": [(noise, 16000), (noise, 8000)]}, index=["17", "23"])
    >>> clips = ClipFeaturizer([("log_mel", LogMelFeaturizer(duration=1.0)), ("mfcc", MFCCFeaturizer(duration=1.0))])
    >>> bundle = clips.fit_transform(data)
    >>> bundle
    FeatureBundle(2 rows: log_mel 101x128, mfcc 101x13)
    >>> bundle.lengths("mfcc")
    array([ 51, 101])
    >>> clips.set_params(log_mel="drop", mfcc__n_mfcc=20).fit_transform(data)
    FeatureBundle(2 rows: mfcc 101x20)
    """

    # under metadata routing groups come without being asked for
    __metadata_request__fit: ClassVar = {"groups": True}

    _parameter_constraints: ClassVar[dict] = {
        "featurizers": [list, tuple],
        "store": [str, bytes, os.PathLike, None],
        "n_jobs": [Integral, None],
        "verbose": [Integral, bool],
    }

    @renamed_parameter("memory_map")
    def __init__(self, featurizers, *, store=None, n_jobs=None, verbose=0):
        self.featurizers = featurizers
        self.store = store
        self.n_jobs = n_jobs
        self.verbose = verbose

    def get_params(self, deep=True):
        """Get the parameters, those of the featurizers included.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include ``name__parameter``.

        Returns
        -------
        params : dict
            Name -> value.
        """
        return self._get_params("featurizers", deep=deep)

    def set_params(self, **params):
        """Set parameters, such as ``log_mel__n_mels=64``, or a whole featurizer by its name.

        Parameters
        ----------
        **params : dict
            Name -> value.

        Returns
        -------
        self : object
            This object.
        """
        return self._set_params("featurizers", **params)

    def set_output(self, *, transform=None):
        """Do nothing: a bundle stays a bundle.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Ignored.

        Returns
        -------
        self : object
            This object.
        """
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, *, groups=None):
        """Fit every featurizer.

        Parameters
        ----------
        X : DataFrame, or whatever the featurizers take
            One row a clip. A table where some featurizers read sounds and others texts.

        y : array-like of shape (n_samples,), default=None
            Handed to the featurizers.

        groups : array-like of shape (n_samples,), default=None
            Who uploaded each clip, handed to the featurizers whose fit takes groups: a text's cleaner learns the
            phrases that one uploader repeats.

        Returns
        -------
        self : object
            This object.

        Raises
        ------
        DataFormatError
            If there is no featurizer, or X is no table where one is needed.

        ValueError
            If names are double or not allowed.
        """
        self._start()
        check_is_table_for_both(self.featurizers_, X)
        for _, featurizer in self.featurizers_:
            featurizer.fit(X, y, **with_groups(featurizer, groups, {}))
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None, *, groups=None):
        """Fit every featurizer and make the bundle.

        Parameters
        ----------
        X : DataFrame, or whatever the featurizers take
            One row a clip.

        y : array-like of shape (n_samples,), default=None
            Handed to the featurizers.

        groups : array-like of shape (n_samples,), default=None
            Who uploaded each clip, handed to the featurizers whose fit takes groups: a text's cleaner learns the
            phrases that one uploader repeats.

        Returns
        -------
        bundle : FeatureBundle
            One block for each featurizer.

        Raises
        ------
        AudioDecodeError
            If a block reads sounds and none of them can be read.
        """

        def make(featurizer):
            if hasattr(featurizer, "transform_frames"):
                return featurizer.fit(X, y, **with_groups(featurizer, groups, {})).transform_frames(X)
            return featurizer.fit_transform(X, y, **with_groups(featurizer, groups, {})), None

        self._start()
        check_is_table_for_both(self.featurizers_, X)
        for _, featurizer in self.featurizers_:
            if isinstance(featurizer, SpectralFeaturizer):
                featurizer.fit(X, y)
        bundle = self._make_bundle(X, make)
        for _, problems in bundle.problems.groupby("block"):
            refuse_only_silence(problems, len(bundle))
        return bundle

    def transform(self, X):
        """Make the bundle.

        Parameters
        ----------
        X : DataFrame, or whatever the featurizers take
            One row a clip.

        Returns
        -------
        bundle : FeatureBundle
            One block for each featurizer, in their order; lengths for those with frames.

        Raises
        ------
        AudioDecodeError
            If a featurizer has ``on_error="raise"`` and a sound cannot be decoded.

        Warns
        -----
        AudioDecodeWarning
            Once, if a sound became silence or was damaged; the bundle's `problems` say which and why.
        """
        check_is_fitted(self)
        check_is_table_for_both(self.featurizers_, X)

        def make(featurizer):
            if hasattr(featurizer, "transform_frames"):
                return featurizer.transform_frames(X)
            return featurizer.transform(X), None

        return self._make_bundle(X, make)

    def get_feature_names_out(self, input_features=None):
        """Name the values of a row of ``bundle.to_array()``, with the block's name in front.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Handed to the featurizers.

        Returns
        -------
        names : ndarray of str, object
            Such as ``"log_mel__log_mel_t0_b17"``.
        """
        check_is_fitted(self)
        names = [
            f"{block}__{name}"
            for block, featurizer in self.featurizers_
            for name in featurizer.get_feature_names_out(input_features)
        ]
        return np.array(names, dtype=object)

    @property
    def n_features_in_(self):
        """Number of columns seen in fit, where X was a table."""
        return self._first_fitted().n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the columns seen in fit, where X was a table that had any."""
        return self._first_fitted().feature_names_in_

    def _first_fitted(self):
        if not hasattr(self, "featurizers_"):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet.")
        return self.featurizers_[0][1]

    def _start(self):
        """Check the names and clone the featurizers."""
        kept = [(name, featurizer) for name, featurizer in self.featurizers if featurizer != "drop"]
        if not kept:
            raise DataFormatError("ClipFeaturizer needs at least one (name, featurizer) that is not dropped.")
        self._validate_names([name for name, _ in self.featurizers])
        self.featurizers_ = [(name, self._inherit(clone(featurizer))) for name, featurizer in kept]
        self.named_featurizers_ = Bunch(**dict(self.featurizers_))

    def _inherit(self, featurizer):
        """Hand down what a featurizer leaves at its default."""
        params = featurizer.get_params(deep=False)
        # what is drawn anew each time cannot be kept
        drawn = "random" in (params.get("windows"), params.get("offset"))
        mine = {"store": None if drawn else self.store, "n_jobs": self.n_jobs, "verbose": bool(self.verbose)}
        return featurizer.set_params(
            **{name: value for name, value in mine.items() if value and name in params and not params[name]}
        )

    def _make_bundle(self, X, make):
        """Run all featurizers; `make` gives (features, lengths or None) of one that shares nothing."""
        bundle, on_error = run_featurizers(self.featurizers_, X, make)
        announce_of_bundle(bundle, self.featurizers_, on_error, stacklevel=3)
        return bundle

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _sk_visual_block_(self):
        from skbst._sklearn import _VisualBlock

        names, featurizers = zip(*self.featurizers) if self.featurizers else ((), ())
        return _VisualBlock("parallel", featurizers, names=names, name_details=[str(item) for item in featurizers])
