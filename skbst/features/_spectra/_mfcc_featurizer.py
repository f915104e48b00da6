"""Mel-frequency cepstral coefficients."""

from numbers import Integral
from typing import ClassVar

from skbst._docstrings import completed_by
from skbst._sklearn import Interval
from skbst._versioned import renamed_parameter
from skbst.features._spectra._base import SpectralFeaturizer
from skbst.features._spectra._kernels import LogMelKernel, MFCCKernel
from skbst.features._spectra._mel import MelFeaturizer

__all__ = ["MFCCFeaturizer"]


@completed_by(MelFeaturizer, SpectralFeaturizer)
class MFCCFeaturizer(MelFeaturizer):
    """Mel-frequency cepstral coefficients of sounds: rows of frames of coefficients.

    The orthonormal discrete cosine transform (type II) of the frames of `LogMelFeaturizer`. The values are those of
    ``torchaudio.transforms.MFCC`` with ``log_mels=True``.

    Parameters
    ----------
    n_mfcc : int, default=13
        Number of coefficients that are kept, at most `n_mels`.

    scale : {"log", "db"}, default="log"
        What the cosine transform is taken of: ``log(power + floor)``, or decibels, ``10 log10(max(power, floor))``.

    Attributes
    ----------
    n_frames_ : int
        Frames of a sound: 501 by default.

    n_bins_ : int
        Values of a frame: 13 by default.

    empty_filters_ : ndarray of int
        Filters that no bin of the Fourier transform falls into: none by default. A
        longer `n_fft` or fewer `n_mels` fills them.

    See Also
    --------
    LogMelFeaturizer : The spectrogram before the cosine transform.
    LogSTFTFeaturizer : All bins of the Fourier transform.
    ClipFeaturizer : Several featurizers that decode each sound once.

    References
    ----------
    .. [1] B. Ning et al., "A multi-branch hierarchy-aware framework for heterogeneous audio classification",
       DCASE 2026 Challenge technical report, section 2.1 and Fig. 1(b).

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.features import MFCCFeaturizer
    >>> noise = np.random.default_rng(0).uniform(-1, 1, 8000)
    >>> frames, lengths = MFCCFeaturizer(duration=1.0).fit([(noise, 16000)]).transform_frames([(noise, 16000)])
    >>> frames.shape, lengths
    ((1, 101, 13), array([51]))
    """

    _parameter_constraints: ClassVar[dict] = {
        **MelFeaturizer._parameter_constraints,
        "n_mfcc": [Interval(Integral, 1, None, closed="left")],
    }
    _block_name = "mfcc"

    @renamed_parameter("memory_map")
    def __init__(
        self,
        *,
        column="audio",
        sample_rate=16000,
        duration=5.0,
        offset="start",
        pad="constant",
        n_fft=512,
        win_length=400,
        hop_length=160,
        n_mfcc=13,
        n_mels=40,
        f_min=0.0,
        f_max=None,
        mel_scale="htk",
        mel_norm=None,
        scale="log",
        floor=1e-6,
        on_error="silence",
        store=None,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.column = column
        self.sample_rate = sample_rate
        self.duration = duration
        self.offset = offset
        self.pad = pad
        self.n_fft = n_fft
        self.win_length = win_length
        self.hop_length = hop_length
        self.n_mfcc = n_mfcc
        self.n_mels = n_mels
        self.f_min = f_min
        self.f_max = f_max
        self.mel_scale = mel_scale
        self.mel_norm = mel_norm
        self.scale = scale
        self.floor = floor
        self.on_error = on_error
        self.store = store
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _kernel(self, spectrum):
        log_mel = LogMelKernel(spectrum, self._filters(), scale=self.scale, floor=self.floor)
        return MFCCKernel(log_mel, self.n_mfcc)

    def _check_settings(self):
        super()._check_settings()
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc={self.n_mfcc} must not exceed n_mels={self.n_mels}.")
