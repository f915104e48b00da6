"""Sounds that are arrays."""

from numbers import Real

import numpy as np

from skbst.exceptions import DataFormatError

__all__ = ["as_waveform", "scale_integers"]

# up to here a sound may have more channels than frames; 7.1 has eight
_FEW_CHANNELS = 8


def as_waveform(waveform, sample_rate):
    """Check a sound that is an array.

    Parameters
    ----------
    waveform : array-like of shape (n_frames,) or (n_frames, n_channels)
        Real numbers.

    sample_rate : int, or a float of whole value
        In Hz.

    Returns
    -------
    waveform : ndarray
        The same numbers.

    sample_rate : int
        In Hz.

    Raises
    ------
    DataFormatError
        If these are no real numbers or 64-bit integers, the shape is another, channels come first, or the rate is no
        rate.
    """
    waveform = np.asarray(waveform)
    if waveform.ndim not in (1, 2) or waveform.dtype.kind not in "fiu":
        raise DataFormatError(
            "A waveform must be real numbers of shape (n_frames,) or (n_frames, n_channels); "
            f"got {waveform.dtype} of shape {waveform.shape}."
        )
    if waveform.dtype.kind in "iu" and waveform.dtype.itemsize > 4:
        raise DataFormatError(
            f"A waveform of {waveform.dtype} has no known full scale: pass int16 or int32 (waveform.astype), whichever "
            "the sound was recorded in, or floats in [-1, 1]."
        )
    if waveform.ndim == 2 and waveform.shape[1] > max(_FEW_CHANNELS, len(waveform)):
        raise DataFormatError(
            f"A waveform has the shape (n_frames, n_channels); {waveform.shape} would be {waveform.shape[1]} channels. "
            "Pass waveform.T where the channels come first."
        )
    return waveform, _as_rate(sample_rate)


def _as_rate(sample_rate):
    rate = sample_rate.item() if isinstance(sample_rate, np.ndarray) and sample_rate.ndim == 0 else sample_rate
    is_number = isinstance(rate, Real) and not isinstance(rate, (bool, np.bool_))
    # what a 32-bit header can say; the resampler never ends between rates that lie much further apart
    if not is_number or not 1 <= rate < 2**32 or rate != round(rate):
        raise DataFormatError(
            f"The sample rate of a waveform is a whole number of Hz above 0, such as 44100; got {sample_rate!r}."
        )
    return int(rate)


def scale_integers(samples):
    """Scale integers to [-1, 1] as libsndfile does; unsigned ones have their zero in the middle.

    Parameters
    ----------
    samples : ndarray
        Of any shape; floats only change their type.

    Returns
    -------
    samples : ndarray, float32
    """
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return samples.astype(np.float32, copy=False)
    half = 2.0 ** (8 * samples.dtype.itemsize - 1)
    return (samples / half - (samples.dtype.kind == "u")).astype(np.float32)
