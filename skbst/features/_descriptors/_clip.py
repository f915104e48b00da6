"""All descriptors of a clip in one vector."""

from functools import lru_cache

import numpy as np

from skbst.features._descriptors._frames import analyse_clip
from skbst.features._descriptors._spectral import (
    describe_cepstrum,
    describe_chroma,
    describe_log_mel,
    describe_shape,
)
from skbst.features._descriptors._temporal import (
    describe_course,
    describe_envelope,
    describe_level,
    describe_modulation,
    describe_pitch,
    describe_rhythm,
)

__all__ = ["describe_clip", "descriptor_names"]

_BLOCKS = (
    describe_log_mel,
    describe_cepstrum,
    describe_shape,
    describe_pitch,
    describe_chroma,
    describe_modulation,
    describe_course,
    describe_envelope,
    describe_rhythm,
)


def describe_clip(waveform, sample_rate):
    """Describe a whole clip by numbers.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,), float32 in [-1, 1]
        Any length, also none; finite.

    sample_rate : int
        In Hz.

    Returns
    -------
    descriptors : ndarray of shape (n_descriptors,), float32
        Finite, whatever the waveform; named by `descriptor_names`.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.features._descriptors._clip import describe_clip
    >>> bool(np.isfinite(describe_clip(np.zeros(1, dtype="float32"), 22050)).all())
    True
    """
    return np.concatenate(list(_describe(waveform, sample_rate).values())).astype(np.float32)


@lru_cache(maxsize=1)
def descriptor_names():
    """Names of the descriptors, a tuple of str such as "log_mel_mean_0"."""
    blocks = _describe(np.zeros(1, dtype=np.float32), 22050)
    return tuple(f"{name}_{i}" for name, values in blocks.items() for i in range(len(values)))


def _describe(waveform, sample_rate):
    waveform = np.asarray(waveform, dtype=np.float32)
    if len(waveform) == 0:
        waveform = np.zeros(1, dtype=np.float32)
    analysis = analyse_clip(waveform, sample_rate)
    descriptors = {}
    for describe in _BLOCKS:
        descriptors.update(describe(analysis))
    return {**descriptors, **describe_level(waveform)}
