"""What the featurizers with filters of the Mel scale share."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np

from skbst._sklearn import Interval, StrOptions
from skbst.features._spectra._base import SpectralFeaturizer
from skbst.features._spectra._kernels import mel_filters

__all__ = ["MelFeaturizer"]


class MelFeaturizer(SpectralFeaturizer):
    """Base of the featurizers that start from a Mel spectrogram.

    Parameters
    ----------
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
    """

    _parameter_constraints: ClassVar[dict] = {
        **SpectralFeaturizer._parameter_constraints,
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "f_min": [Interval(Real, 0, None, closed="left")],
        "f_max": [Interval(Real, 0, None, closed="neither"), None],
        "mel_scale": [StrOptions({"htk", "slaney"})],
        "mel_norm": [StrOptions({"slaney"}), None],
    }

    def _filters(self):
        return mel_filters(
            n_fft=int(self.n_fft),
            sample_rate=int(self.sample_rate),
            n_mels=int(self.n_mels),
            # of a float16 NumPy would make all filters in that precision
            f_min=float(self.f_min),
            f_max=None if self.f_max is None else float(self.f_max),
            mel_scale=self.mel_scale,
            mel_norm=self.mel_norm,
        )

    def _describe(self):
        self.empty_filters_ = np.flatnonzero(~self._filters().any(axis=0))

    def _check_settings(self):
        super()._check_settings()
        f_max = self.sample_rate / 2 if self.f_max is None else self.f_max
        if not self.f_min < f_max <= self.sample_rate / 2:
            raise ValueError(
                f"Filters must lie between 0 and half the sample rate ({self.sample_rate / 2} Hz); "
                f"got f_min={self.f_min} and f_max={f_max}."
            )
