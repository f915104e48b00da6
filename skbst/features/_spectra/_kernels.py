"""From one waveform to the frames of one spectral feature.

The values are torchaudio's. One clip is worked on at a time, in memory that is kept: a new array for every step costs
more than the step does.
"""

from dataclasses import dataclass

import numpy as np
from scipy import fft

__all__ = ["LogMelKernel", "LogSTFTKernel", "MFCCKernel", "PowerSpectrum", "mel_filters"]

# filters that lie next to each other reach over few bins: products of blocks skip the zeros elsewhere
_BAND_FILTERS = 16
# Slaney's scale: linear below the break, logarithmic above it
_SLANEY_BREAK, _SLANEY_STEP, _SLANEY_LOG_STEP = 1000.0, 200 / 3, np.log(6.4) / 27


@dataclass(frozen=True)
class PowerSpectrum:
    """Settings of the frames: two features with equal ones share the Fourier transform."""

    n_samples: int
    n_fft: int
    win_length: int
    hop_length: int

    @property
    def n_frames(self):
        """Frames of a waveform of `n_samples`, the first one centred on its first sample."""
        return 1 + (self.n_samples + 2 * (self.n_fft // 2) - self.n_fft) // self.hop_length

    @property
    def n_bins(self):
        """Frequencies from 0 to half the sample rate."""
        return self.n_fft // 2 + 1

    def n_sound_frames(self, n_valid):
        """How many of the first frames hold sound, in [1, n_frames], for an array of valid samples."""
        return np.clip(1 + np.asarray(n_valid, dtype=np.int64) // self.hop_length, 1, self.n_frames)

    def engine(self):
        """Allocate the memory for one thread; see `_SpectrumEngine`."""
        return _SpectrumEngine(self)


class _SpectrumEngine:
    """Hann-windowed |STFT|^2 of one waveform at a time, mirrored at both ends (``center=True``)."""

    def __init__(self, settings):
        import torch

        self._torch = torch
        self._half = settings.n_fft // 2
        self._padded = np.empty(settings.n_samples + 2 * self._half, dtype=np.float32)
        left = (settings.n_fft - settings.win_length) // 2
        self._inside = slice(left, left + settings.win_length)
        self._window = torch.hann_window(settings.win_length)
        size = (settings.n_frames, settings.win_length)
        self._slices = torch.from_numpy(self._padded[left:]).as_strided(size, (settings.hop_length, 1))
        self._frames = torch.zeros(settings.n_frames, settings.n_fft)
        self._spectrum = torch.empty(settings.n_frames, settings.n_bins, dtype=torch.complex64)
        self._power = torch.empty(settings.n_frames, settings.n_bins)

    def __call__(self, waveform):
        """Return the power (n_frames, n_bins) as a tensor that the next call overwrites."""
        torch, half = self._torch, self._half
        self._padded[half : half + len(waveform)] = waveform
        if half:
            self._padded[:half] = waveform[half:0:-1]
            self._padded[-half:] = waveform[-2 : -half - 2 : -1]
        torch.mul(self._slices, self._window, out=self._frames[:, self._inside])
        torch.fft.rfft(self._frames, out=self._spectrum)
        parts = torch.view_as_real(self._spectrum).square_()
        return torch.add(parts[..., 0], parts[..., 1], out=self._power)


class _LogScale:
    """log(x + floor), or 10 log10(max(x, floor))."""

    def __init__(self, scale, floor):
        self._scale, self._floor = scale, floor

    def __call__(self, power):
        """Change a tensor in place."""
        if self._scale == "log":
            return power.add_(self._floor).log_()
        return power.clamp_(min=self._floor).log10_().mul_(10.0)


class LogSTFTKernel:
    """Logarithm of the power spectrum."""

    def __init__(self, spectrum, *, scale, floor):
        self.spectrum = spectrum
        self.n_bins = spectrum.n_bins
        self._log = _LogScale(scale, floor)

    def __call__(self, power, out):
        """Write the frames of a power spectrum (n_frames, n_fft // 2 + 1) into `out`; both are tensors."""
        self._log(out.copy_(power))


class LogMelKernel:
    """Logarithm of the power in the triangular filters of the Mel scale."""

    def __init__(self, spectrum, filters, *, scale, floor):
        self.spectrum = spectrum
        self.n_bins = filters.shape[1]
        self._bands = _bands(filters)
        self._log = _LogScale(scale, floor)

    def __call__(self, power, out):
        """Write the frames of a power spectrum into `out` (n_frames, n_mels); both are tensors."""
        for bins, columns, weights in self._bands:
            out[:, columns] = power[:, bins] @ weights
        self._log(out)


class MFCCKernel:
    """Orthonormal discrete cosine transform of a log-Mel spectrum."""

    def __init__(self, log_mel, n_mfcc):
        from torch import from_numpy

        self.spectrum = log_mel.spectrum
        self.n_bins = n_mfcc
        self._log_mel = log_mel
        cosines = fft.dct(np.eye(log_mel.n_bins), norm="ortho", axis=1)[:, :n_mfcc]
        self._dct = from_numpy(np.ascontiguousarray(cosines, dtype=np.float32))

    def __call__(self, power, out):
        """Write the coefficients of a power spectrum into `out` (n_frames, n_mfcc); both are tensors."""
        log_mel = power.new_empty(len(power), self._log_mel.n_bins)
        self._log_mel(power, log_mel)
        out.copy_(log_mel @ self._dct)


def mel_filters(*, n_fft, sample_rate, n_mels, f_min, f_max, mel_scale, mel_norm):
    """Triangular filters of the Mel scale, those of torchaudio and librosa.

    A filter narrower than the distance of two bins may lie between them and be empty: with the default settings of
    `LogMelFeaturizer` that is the first one. It stays as it is, so that the values are those of other libraries; the
    featurizer names such filters in ``empty_filters_``.

    Parameters
    ----------
    n_fft, sample_rate, n_mels, f_min, f_max, mel_scale, mel_norm
        As in `LogMelFeaturizer`.

    Returns
    -------
    filters : ndarray of shape (n_fft // 2 + 1, n_mels), float32
        Weights.

    Examples
    --------
    >>> from skbst.features._spectra._kernels import mel_filters
    >>> options = {"f_min": 0, "f_max": None, "mel_scale": "htk", "mel_norm": None}
    >>> mel_filters(n_fft=8, sample_rate=16000, n_mels=2, **options).round(2)
    array([[0.  , 0.  ],
           [0.49, 0.51],
           [0.  , 0.81],
           [0.  , 0.4 ],
           [0.  , 0.  ]], dtype=float32)
    """
    f_max = sample_rate / 2 if f_max is None else f_max
    low, high = (_hertz_to_mel(f, mel_scale) for f in (f_min, f_max))
    edges = _mel_to_hertz(np.linspace(low, high, n_mels + 2), mel_scale)
    distances = edges - (np.arange(n_fft // 2 + 1) * sample_rate / n_fft)[:, None]
    widths = np.diff(edges)
    rising, falling = -distances[:, :-2] / widths[:-1], distances[:, 2:] / widths[1:]
    filters = np.maximum(0, np.minimum(rising, falling))
    if mel_norm == "slaney":
        filters *= 2 / (edges[2:] - edges[:-2])
    return filters.astype(np.float32) + np.float32(0)


def _hertz_to_mel(hertz, scale):
    if scale == "htk":
        return 2595 * np.log10(1 + hertz / 700)
    hertz = float(hertz)
    return hertz / _SLANEY_STEP if hertz < _SLANEY_BREAK else 15 + np.log(hertz / _SLANEY_BREAK) / _SLANEY_LOG_STEP


def _mel_to_hertz(mel, scale):
    if scale == "htk":
        return 700 * (10 ** (mel / 2595) - 1)
    above = _SLANEY_BREAK * np.exp(_SLANEY_LOG_STEP * (mel - 15))
    return np.where(mel < 15, mel * _SLANEY_STEP, above)


def _bands(filters):
    """Cut a filter bank (n_bins, n_mels) into blocks of filters with just the bins that they reach."""
    from torch import from_numpy

    bands = []
    for first in range(0, filters.shape[1], _BAND_FILTERS):
        columns = slice(first, min(first + _BAND_FILTERS, filters.shape[1]))
        reached = np.flatnonzero(filters[:, columns].any(axis=1))
        bins = slice(int(reached[0]), int(reached[-1]) + 1) if len(reached) else slice(0, 1)
        bands.append((bins, columns, from_numpy(np.ascontiguousarray(filters[bins, columns]))))
    return bands
