"""Logarithm of the short-time Fourier transform."""

from skbst._docstrings import completed_by
from skbst._versioned import renamed_parameter
from skbst.features._spectra._base import SpectralFeaturizer
from skbst.features._spectra._kernels import LogSTFTKernel

__all__ = ["LogSTFTFeaturizer"]


@completed_by(SpectralFeaturizer)
class LogSTFTFeaturizer(SpectralFeaturizer):
    """Log power spectrogram of sounds: rows of frames of a short-time Fourier transform.

    Each sound is decoded, mixed to mono, resampled and brought to one duration. Frame t is centred on sample
    ``t * hop_length``, both ends are mirrored, and the window is a periodic Hann window: the values are those of
    ``torchaudio.transforms.Spectrogram`` before the logarithm.

    Attributes
    ----------
    n_frames_ : int
        Frames of a sound: 501 by default.

    n_bins_ : int
        Values of a frame: 257 by default.

    See Also
    --------
    LogMelFeaturizer : The same in the filters of the Mel scale.
    MFCCFeaturizer : Cepstral coefficients.
    ClipFeaturizer : Several featurizers that decode each sound once.

    References
    ----------
    .. [1] B. Ning et al., "A multi-branch hierarchy-aware framework for heterogeneous audio classification",
       DCASE 2026 Challenge technical report, section 2.1 and Fig. 1(b).

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.features import LogSTFTFeaturizer
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 16000)
    >>> featurizer = LogSTFTFeaturizer(duration=1.0).fit([(tone, 16000)])
    >>> frames, lengths = featurizer.transform_frames([(tone, 16000)])
    >>> frames.shape, lengths
    ((1, 101, 257), array([51]))
    >>> int(frames[0, 20].argmax()) * 16000 // 512
    1000
    """

    _block_name = "log_stft"

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
        self.scale = scale
        self.floor = floor
        self.on_error = on_error
        self.store = store
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _kernel(self, spectrum):
        return LogSTFTKernel(spectrum, scale=self.scale, floor=self.floor)
