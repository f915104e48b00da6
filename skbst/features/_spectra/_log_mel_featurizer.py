"""Logarithm of the power in the filters of the Mel scale."""

from skbst._docstrings import completed_by
from skbst._versioned import renamed_parameter
from skbst.features._spectra._base import SpectralFeaturizer
from skbst.features._spectra._kernels import LogMelKernel
from skbst.features._spectra._mel import MelFeaturizer

__all__ = ["LogMelFeaturizer"]


@completed_by(MelFeaturizer, SpectralFeaturizer)
class LogMelFeaturizer(MelFeaturizer):
    """Log-Mel spectrogram of sounds: rows of frames of triangular filters on the Mel scale.

    Each sound is decoded, mixed to mono, resampled and brought to one duration; framing and window are those of
    `LogSTFTFeaturizer`. The values are those of ``torchaudio.transforms.MelSpectrogram`` before the logarithm.

    Attributes
    ----------
    n_frames_ : int
        Frames of a sound: 501 by default.

    n_bins_ : int
        Values of a frame: 128 by default.

    empty_filters_ : ndarray of int
        Filters that no bin of the Fourier transform falls into: the first one by default. They hold
        the constant ``log(floor)``, as in torchaudio; a longer `n_fft` or fewer `n_mels` fills them.

    See Also
    --------
    LogSTFTFeaturizer : All bins of the Fourier transform.
    MFCCFeaturizer : Cepstral coefficients of such a spectrogram.
    ClipFeaturizer : Several featurizers that decode each sound once.

    References
    ----------
    .. [1] B. Ning et al., "A multi-branch hierarchy-aware framework for heterogeneous audio classification",
       DCASE 2026 Challenge technical report, section 2.1 and Fig. 1(b).

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.features import LogMelFeaturizer
    >>> noise = np.random.default_rng(0).uniform(-1, 1, 8000)
    >>> featurizer = LogMelFeaturizer(duration=1.0).fit([(noise, 16000)])
    >>> frames, lengths = featurizer.transform_frames([(noise, 16000)])
    >>> frames.shape, lengths, featurizer.empty_filters_
    ((1, 101, 128), array([51]), array([0]))
    """

    _block_name = "log_mel"

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
        n_mels=128,
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
        return LogMelKernel(spectrum, self._filters(), scale=self.scale, floor=self.floor)
