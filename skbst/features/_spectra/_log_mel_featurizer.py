"""Logarithm of the power in the filters of the Mel scale."""

from skbst.features._spectra._kernels import LogMelKernel
from skbst.features._spectra._mel import MelFeaturizer

__all__ = ["LogMelFeaturizer"]


class LogMelFeaturizer(MelFeaturizer):
    """Log-Mel spectrogram of sounds: rows of frames of triangular filters on the Mel scale.

    Each sound is decoded, mixed to mono, resampled and brought to one duration; framing and window are those of
    `LogSTFTFeaturizer`. The values are those of ``torchaudio.transforms.MelSpectrogram`` before the logarithm.

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
        Length of the Fourier transform, in samples.

    win_length : int, default=400
        Length of the window, in samples, at most `n_fft`; 400 are 25 ms at 16 kHz.

    hop_length : int, default=160
        Distance of two frames, in samples; 160 are 10 ms at 16 kHz.

    n_mels : int, default=128
        Number of filters.

    f_min : float, default=0.0
        Lower edge of the lowest filter, in Hz.

    f_max : float, default=None
        Upper edge of the highest filter, in Hz; None is half the sample rate.

    mel_scale : {"htk", "slaney"}, default="htk"
        Formula of the Mel scale; librosa's default is ``"slaney"``.

    mel_norm : {"slaney"}, default=None
        ``"slaney"`` divides each filter by its width, None gives all the height 1.

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
        there costs a warning and no answer. 20,000 sounds of 5 s take 10 GB.

    memory_map : str or path-like, default=None
        The older name of `store`.

    random_state : int, Generator or RandomState, default=None
        For ``offset="random"``.

    n_jobs : int, default=None
        Number of threads; the values do not depend on it.

    verbose : int, default=0
        Above 0 a progress bar is shown.

    Attributes
    ----------
    n_frames_ : int
        Frames of a sound: 501 by default.

    n_bins_ : int
        Values of a frame: 128 by default.

    empty_filters_ : ndarray of int
        Filters that no bin of the Fourier transform falls into: the first one by default. They hold
        the constant ``log(floor)``, as in torchaudio; a longer `n_fft` or fewer `n_mels` fills them.

    n_features_in_ : int
        Length of the waveforms seen during `fit`; only after fitting on a table of waveforms.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of its columns, where it had any.

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
        memory_map=None,
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
        self.memory_map = memory_map
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _kernel(self, spectrum):
        return LogMelKernel(spectrum, self._filters(), scale=self.scale, floor=self.floor)
