"""What the three spectral featurizers share."""

from numbers import Integral, Real
from os import PathLike
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from skbst._sklearn import Interval, StrOptions, _fit_context, check_is_fitted
from skbst._versioned import VersionedMixin
from skbst.audio import ClipLoader, announce_problems
from skbst.features._clips._problems import refuse_only_silence
from skbst.features._clips._sources import read_sources
from skbst.features._spectra._kernels import PowerSpectrum
from skbst.features._spectra._run import make_frames
from skbst.features._store._access import store_at_fit
from skbst.features._store._frames import FrameStore

__all__ = ["SpectralFeaturizer"]


class SpectralFeaturizer(VersionedMixin, TransformerMixin, BaseEstimator):
    """Base of the featurizers of frames; a subclass gives `_kernel`, `_block_name` and its own parameters.

    Parameters
    ----------
    column : str, default="audio"
        Column of a DataFrame that holds the paths.

    sample_rate : int, default=16000
        Rate that every sound is resampled to, in Hz.

    duration : float, default=5.0
        Length that every sound is brought to, in seconds.

    offset : {"start", "center", "random"}, default="start"
        Which part of a longer sound is taken.

    pad : {"constant", "repeat", "reflect"}, default="constant"
        What follows a shorter sound: silence, the sound again, or the sound mirrored.

    n_fft : int, default=512
        Length of the Fourier transform, in samples; there are ``n_fft // 2 + 1`` bins.

    win_length : int, default=400
        Length of the window, in samples, at most `n_fft`; 400 are 25 ms at 16 kHz.

    hop_length : int, default=160
        Distance of two frames, in samples; 160 are 10 ms at 16 kHz.

    scale : {"log", "db"}, default="log"
        ``log(power + floor)``, or decibels, ``10 log10(max(power, floor))``.

    floor : float, default=1e-6
        What keeps the logarithm finite.

    on_error : {"silence", "raise"}, default="silence"
        What becomes of a sound that cannot be decoded: silence and a warning, or an error.

    store : str or path-like, default=None
        Folder in which the frames are kept, by the content of the sounds and the settings; `transform_frames` then
        returns a memory map. A sound that is there is not decoded again, a stopped run goes on, a file that has
        changed is read anew, a damaged entry is made anew with a warning. A store that cannot be written or is not
        there costs a warning and no answer. By default 20,000 sounds take 10 GB as log-STFT, 5 GB as log-Mel and
        0.5 GB as MFCC.

    random_state : int, Generator or RandomState, default=None
        For ``offset="random"``.

    n_jobs : int, default=None
        Number of threads; the values do not depend on it.

    verbose : int, default=0
        Above 0 a progress bar is shown.

    Attributes
    ----------
    n_features_in_ : int
        Length of the waveforms seen during `fit`; only after fitting on a table of waveforms.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of its columns, where it had any.
    """

    _parameter_constraints: ClassVar[dict] = {
        "column": [str],
        "sample_rate": [Interval(Integral, 1, None, closed="left")],
        "duration": [Interval(Real, 0, None, closed="neither")],
        "offset": [StrOptions({"start", "center", "random"})],
        "pad": [StrOptions({"constant", "repeat", "reflect"})],
        "n_fft": [Interval(Integral, 1, None, closed="left")],
        "win_length": [Interval(Integral, 1, None, closed="left")],
        "hop_length": [Interval(Integral, 1, None, closed="left")],
        "scale": [StrOptions({"log", "db"})],
        "floor": [Interval(Real, 0, None, closed="neither")],
        "on_error": [StrOptions({"silence", "raise"})],
        "store": [str, bytes, PathLike, None],
        "random_state": ["random_state", np.random.Generator],
        "n_jobs": [Integral, None],
        "verbose": [Integral, bool],
    }
    _block_name = ""
    # what changes neither the values nor, with a memory map, where they lie
    _not_settings = frozenset({"column", "on_error", "store", "random_state", "n_jobs", "verbose", "offset"})

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and the input; nothing is learnt, and no sound is decoded.

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
        spectrum = self._power_spectrum()
        self.n_frames_ = spectrum.n_frames
        self.n_bins_ = self._kernel(spectrum).n_bins
        self._describe()
        self._store_at_fit = store_at_fit(self)
        return self

    def transform(self, X):
        """Make one flat row of each sound.

        Parameters
        ----------
        X : DataFrame, Series, sequence of paths, or array-like of shape (n_samples, n_values)
            A DataFrame holds paths in ``column``; a sequence may hold tuples (waveform, sample_rate) as well, with
            waveforms of shape (n_frames,) or (n_frames, n_channels). A 2-D array (or a DataFrame of numbers) holds one
            waveform a row, at ``sample_rate``. Integers are scaled to [-1, 1] by the range of their type.

        Returns
        -------
        features : ndarray of shape (n_samples, n_frames_ * n_bins_), float32
            The frames one after the other.

        Raises
        ------
        AudioDecodeError
            With ``on_error="raise"``, if a sound cannot be decoded.

        DataFormatError
            If X is none of these, or an array is no waveform.

        Warns
        -----
        AudioDecodeWarning
            Once, if a sound became silence or was damaged; `transform_with_problems` says which and why.
        """
        frames, _ = self.transform_frames(X)
        return frames.reshape(len(frames), -1)

    def transform_frames(self, X):
        """Make the frames of each sound.

        Parameters
        ----------
        X : DataFrame, Series, sequence of paths, or array-like of shape (n_samples, n_values)
            As in `transform`.

        Returns
        -------
        frames : ndarray of shape (n_samples, n_frames_, n_bins_), float32
            With ``store`` a read-only map of the file, where the rows lie there in this order.

        lengths : ndarray of shape (n_samples,), int64
            How many of the first frames of each hold sound, in [1, n_frames_]; silence that was added never counts.
        """
        frames, lengths, report = self._frames(X)
        announce_problems(report, len(frames), on_error=self.on_error, stacklevel=2)
        return frames, lengths

    def fit_transform(self, X, y=None):
        """Fit, and make one flat row of each sound.

        Parameters
        ----------
        X : DataFrame, Series, sequence of paths, or array-like of shape (n_samples, n_values)
            As in `transform`.

        y : None
            Ignored.

        Returns
        -------
        features : ndarray of shape (n_samples, n_frames_ * n_bins_), float32
            As from `transform`.

        Raises
        ------
        AudioDecodeError
            If none of the sounds can be read.
        """
        frames, _, report = self.fit(X, y)._frames(X)
        announce_problems(report, len(frames), on_error=self.on_error, stacklevel=2)
        refuse_only_silence(report, len(frames))
        return frames.reshape(len(frames), -1)

    def transform_with_problems(self, X):
        """Make one flat row of each sound, and tell what was wrong instead of warning.

        Parameters
        ----------
        X : DataFrame, Series, sequence of paths, or array-like of shape (n_samples, n_values)
            As in `transform`.

        Returns
        -------
        features : ndarray of shape (n_samples, n_frames_ * n_bins_), float32
            As from `transform`.

        problems : DataFrame
            One row for each sound with something wrong: index ``sound_id``, columns ``position``, ``audio``,
            ``reason``, ``silent`` and ``detail``.
        """
        frames, _, report = self._frames(X)
        return frames.reshape(len(frames), -1), report

    def _frames(self, X):
        """Frames, how many of each are sound, and what was wrong."""
        check_is_fitted(self)
        sources = read_sources(self, X, self.column, reset=False)
        ((frames, rows, lengths),), report = make_frames([self], sources)
        return (frames if rows is None else frames[rows]), lengths, report

    def get_feature_names_out(self, input_features=None):
        """Name the values of a flat row.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of shape (n_frames_ * n_bins_,), object
            Such as ``"log_mel_t0_b17"``: frame 0, bin 17.
        """
        check_is_fitted(self)
        names = [f"{self._block_name}_t{t}_b{b}" for t in range(self.n_frames_) for b in range(self.n_bins_)]
        return np.array(names, dtype=object)

    def _check_settings(self):
        """Check what concerns several parameters at once."""
        if self.win_length > self.n_fft:
            raise ValueError(f"win_length={self.win_length} must not exceed n_fft={self.n_fft}.")
        n_samples, needed = self._clip_loader().n_samples, self.n_fft // 2 + 1
        if n_samples < needed:
            raise ValueError(
                f"duration={self.duration} s are {n_samples} samples at {self.sample_rate} Hz; "
                f"frames of n_fft={self.n_fft} need at least {needed}."
            )
        if self.store is not None and self.offset == "random":
            raise ValueError('A store keeps frames for the next time; offset="random" makes others each time.')

    def _describe(self):
        """Set further attributes that follow from the parameters."""

    def _clip_loader(self):
        return ClipLoader(self.sample_rate, self.duration, self.pad)

    def _loading(self):
        """What must be equal for two featurizers to share what is decoded."""
        seed = None
        if self.offset == "random":
            seed = self.random_state if isinstance(self.random_state, Integral) else id(self.random_state)
        return self._clip_loader(), self.offset, seed

    def _power_spectrum(self):
        # narrow numbers of NumPy would overflow in the arithmetic of lengths
        lengths = int(self.n_fft), int(self.win_length), int(self.hop_length)
        return PowerSpectrum(self._clip_loader().n_samples, *lengths)

    def _store(self, folder, kernel):
        """Open the store of these settings; its name holds all of them."""
        settings = {name: value for name, value in self.get_params().items() if name not in self._not_settings}
        settings = {name: value.item() if isinstance(value, np.generic) else value for name, value in settings.items()}
        shape = (kernel.spectrum.n_frames, kernel.n_bins)
        return FrameStore(folder, self._block_name, {"featurizer": type(self).__name__, **settings}, shape)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
