"""Look at the numbers of a sound: channels that cancel each other, floats that are no waveform in [-1, 1]."""

from typing import NamedTuple

import numpy as np

__all__ = ["Levels", "Mixer", "Scaling", "into_range"]

# beyond this a float is garbage, not even an integer of 32 bits
_LARGEST_SAMPLE = 2.0**32
# frames that are compared at once; taken as it is, 85 ms at 48 kHz
_WINDOW = 4096
# -18 dB below what channels that know nothing of each other have; stereo: a correlation below -0.984. Of 652 real
# recordings none is so, and one comes within 5 dB
_CANCELLED_POWER = 1 / 64
# the share of the sound, in time or in power, that must be cancelled
_CANCELLED_SHARE = 0.1
# -100 dB: below, there is nothing that could cancel
_SILENT_POWER = 1e-10
# codecs and resamplers overshoot; a float mix may do so by 6 dB
_LARGEST_LEVEL = 2.0
# above this a sound is no loud mix: it has the scale of integers, or a few samples of it are wild
_LOUDEST_MIX = 256.0
# of 16, 24 and 32 bits
_INTEGER_SCALES = (2.0**15, 2.0**23, 2.0**31)
# taken as it is: up to one loud sample in a hundred sounding ones is an accident, more are a scale
_WILD_SHARE = 0.01


class Mixer:
    """Mean of the channels, block by block, with an eye on what the mean loses.

    The mean is kept unless it cancels: where in a tenth of the sound (of its time or of its power, in windows of 4096
    frames) the power of the mean lies 18 dB below that of the mean of unrelated channels, `cancelled` names the
    loudest channel.

    Parameters
    ----------
    channel : int, default=None
        Take this channel instead of the mean.
    """

    def __init__(self, channel=None):
        self.channel = channel
        self.restart()

    def restart(self):
        """Forget what was mixed."""
        self.n_bad = 0
        self._sounding, self._lost = np.zeros(2), np.zeros(2)
        self._powers = np.zeros(1)

    def __call__(self, frames):
        """Mix (n_frames, n_channels) to (n_frames,); samples that are not finite count as 0."""
        if len(frames) == 0:
            return frames[:, 0]
        if not (frames.max() <= _LARGEST_SAMPLE and frames.min() >= -_LARGEST_SAMPLE):
            bad = ~(np.abs(frames) <= _LARGEST_SAMPLE)
            self.n_bad += int(bad.any(axis=1).sum())
            frames = np.where(bad, np.float32(0), frames)
        n_channels = frames.shape[1]
        if n_channels == 1:
            return frames[:, 0]
        if self.channel is not None:
            return frames[:, min(self.channel, n_channels - 1)]
        mono = frames @ np.full(n_channels, 1 / n_channels, dtype=np.float32)
        self._watch(frames, mono)
        return mono

    def _watch(self, frames, mono):
        n_frames, n_channels = frames.shape
        if len(self._powers) != n_channels:
            self._powers = np.zeros(n_channels)
        edges = np.arange(0, n_frames, _WINDOW)
        powers = np.stack([np.einsum("ij,ij->j", part, part) for part in (frames[i : i + _WINDOW] for i in edges)])
        mixed = np.array([mono[i : i + _WINDOW] @ mono[i : i + _WINDOW] for i in edges])
        self._powers += powers.sum(axis=0)
        lengths = np.minimum(_WINDOW, n_frames - edges)
        power = powers.sum(axis=1)
        sounding = power > _SILENT_POWER * lengths * n_channels
        lost = sounding & (mixed < _CANCELLED_POWER * power / n_channels**2)
        for total, chosen in ((self._sounding, sounding), (self._lost, lost)):
            total += lengths[chosen].sum(), power[chosen].sum(dtype=float)

    @property
    def cancelled(self):
        """The loudest channel where the mean cancels, else None."""
        if not (self._lost > _CANCELLED_SHARE * self._sounding).any():
            return None
        return int(self._powers.argmax())


class Scaling(NamedTuple):
    """What brings a sound into [-1, 1]: samples that become 0, then a divisor, and the words for it."""

    divisor: float = 1.0
    is_cut: bool = False
    n_wild: int = 0
    reason: str = ""
    detail: str = ""

    def apply(self, waveform):
        """Scale a block; the same array where nothing has to be done."""
        if self.is_cut:
            waveform = np.where(np.abs(waveform) > _LOUDEST_MIX, np.float32(0), waveform)
        return waveform if self.divisor == 1 else waveform / np.float32(self.divisor)


class Levels:
    """How loud a sound is, block by block.

    Up to 2 floats are left alone. Up to 256 they are divided by the largest. Above, where more than 1 % of the samples
    that are not 0 exceed 2, they are taken for integers of 16, 24 or 32 bits, whichever is the first to hold them; else
    those above 256 are wild and become 0.
    """

    def __init__(self):
        self._peak, self._peak_of_tame = 0.0, 0.0
        self._n_sounding, self._n_loud, self._n_wild = 0, 0, 0

    def __call__(self, waveform):
        """Look at a block of one channel, finite float32."""
        peak = _peak(waveform)
        self._n_sounding += int(np.count_nonzero(waveform))
        self._peak = max(self._peak, peak)
        if peak <= _LARGEST_LEVEL:
            self._peak_of_tame = max(self._peak_of_tame, peak)
            return
        level = np.abs(waveform)
        wild = level > _LOUDEST_MIX
        self._n_loud += int(np.count_nonzero(level > _LARGEST_LEVEL))
        self._n_wild += int(wild.sum())
        self._peak_of_tame = max(self._peak_of_tame, float(np.where(wild, 0, level).max()))

    @property
    def is_silent(self):
        """Whether every sample is 0."""
        return self._n_sounding == 0

    @property
    def scaling(self):
        """What follows for the sound."""
        if self._peak <= _LARGEST_LEVEL:
            return Scaling()
        if self._peak > _LOUDEST_MIX and self._n_loud > _WILD_SHARE * self._n_sounding:
            scale = next((scale for scale in _INTEGER_SCALES if self._peak <= scale), self._peak)
            detail = f"floats up to {self._peak:.6g}, divided by {scale:.10g}; write the file anew as floats in [-1, 1]"
            return Scaling(scale, reason="integer scale", detail=detail)
        peak = self._peak_of_tame
        if peak <= _LARGEST_LEVEL:
            return Scaling(is_cut=True, n_wild=self._n_wild)
        detail = f"floats up to {peak:.6g}, divided by that; write the file anew as floats in [-1, 1]"
        return Scaling(peak, self._n_wild > 0, self._n_wild, "out of range", detail)


def into_range(waveform):
    """Bring floats of another scale into [-1, 1], after the rules of `Levels`.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,), float32
        One channel, finite.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32
        The same array where nothing had to be done.

    scaling : Scaling
        What was done.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.audio._levels import into_range
    >>> waveform, scaling = into_range(np.array([8192.0, -16384.0], dtype=np.float32))
    >>> waveform.tolist(), scaling.reason
    ([0.25, -0.5], 'integer scale')
    """
    if _peak(waveform) <= _LARGEST_LEVEL:
        return waveform, Scaling()
    levels = Levels()
    levels(waveform)
    return levels.scaling.apply(waveform), levels.scaling


def _peak(waveform):
    return max(float(waveform.max()), -float(waveform.min())) if len(waveform) else 0.0
