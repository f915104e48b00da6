"""From one sound to one waveform of fixed length."""

from dataclasses import dataclass

from skbst.audio._decode import decode_nothing, decode_source
from skbst.audio._length import fix_length
from skbst.audio._resample import resample
from skbst.audio._sound_file import MAX_SAMPLES
from skbst.audio._survey import OUT_OF_MEMORY

__all__ = ["ClipLoader"]


@dataclass(frozen=True)
class ClipLoader:
    """The settings that make a waveform of a sound; two featurizers with equal loaders can share what is decoded.

    Parameters
    ----------
    sample_rate : int, default=16000
        Rate of the waveform, in Hz.

    duration : float, default=5.0
        Its length in seconds; longer sounds are cropped, shorter ones padded. None keeps every sound's own length.

    pad : {"constant", "repeat", "reflect"}, default="constant"
        What follows a short sound: silence, the sound again, or the sound mirrored.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.audio import ClipLoader
    >>> loader = ClipLoader(sample_rate=16000, duration=5.0)
    >>> waveform, n_valid, problem = loader.load((np.ones(44100), 44100))
    >>> waveform.shape, n_valid, problem
    ((80000,), 16000, None)
    """

    sample_rate: int = 16000
    duration: float | None = 5.0
    pad: str = "constant"

    def __post_init__(self):
        # a narrow number of NumPy would overflow in the product with the rate
        object.__setattr__(self, "sample_rate", int(self.sample_rate))
        object.__setattr__(self, "duration", None if self.duration is None else float(self.duration))

    @property
    def n_samples(self):
        """Length of a waveform, or None where every sound keeps its own."""
        return None if self.duration is None else round(self.duration * self.sample_rate)

    def load(self, source, position=0.0, *, out=None, most=MAX_SAMPLES):
        """Load one sound.

        Parameters
        ----------
        source : str, path-like, or tuple (waveform, sample_rate)
            A file, or an array of shape (n_frames,) or (n_frames, n_channels) with its rate in Hz. An array alone has
            the loader's rate; integers are scaled to [-1, 1] by the range of their type.

        position : float in [0, 1], default=0.0
            Where the crop of a longer sound lies: 0 its first part, 0.5 the middle, 1 the last.

        out : ndarray of shape (n_samples,), float32, default=None
            Where the waveform is written.

        most : int, default=2**28
            Sounds of which more samples would be kept are the problem "too long".

        Returns
        -------
        waveform : ndarray of shape (n_samples,), float32 in [-1, 1]
            Silence if the sound could not be decoded.

        n_valid : int
            How many of the first samples hold sound; 0 for a sound that could not be decoded.

        problem : DecodeProblem or None
            What is wrong with the sound.

        Raises
        ------
        DataFormatError
            If an array is no waveform or its rate no rate.
        """
        wanted = {"duration": self.duration, "position": position, "sample_rate": self.sample_rate, "most": most}
        try:
            decoded = decode_source(source, array_rate=self.sample_rate, **wanted)
            waveform = resample(decoded.waveform, decoded.source_rate, self.sample_rate)[decoded.skip :]
        except MemoryError:
            decoded = decode_nothing(OUT_OF_MEMORY)
            waveform = decoded.waveform
        if self.duration is None:
            return waveform.copy(), len(waveform), decoded.problem
        # a crop starts at `skip`; what follows it is the resampler's margin
        waveform, n_valid = fix_length(waveform, self.n_samples, pad=self.pad, out=out)
        return waveform, n_valid, decoded.problem
