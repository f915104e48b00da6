"""One sound to descriptors."""

from skbst.audio import OUT_OF_MEMORY
from skbst.features._descriptors._clip import describe_clip

__all__ = ["describe_source"]

# samples that are described at once, 50 minutes at 22.05 kHz: the spectra of one sound stand in memory together
_LONGEST = 1 << 26


def describe_source(source, loader, is_file):
    """Describe one sound.

    Parameters
    ----------
    source : path, (waveform, sample_rate), or ndarray of shape (n_samples,)
        The sound.

    loader : ClipLoader
        Reads files and pairs; gives the rate and the longest length of arrays.

    is_file : bool
        False for an array at the loader's rate.

    Returns
    -------
    descriptors : ndarray of shape (512,), float32
        Those of silence, where the sound cannot be read.

    problem : DecodeProblem or None
        What was wrong with it.
    """
    if not is_file:
        return describe_clip(source[: loader.n_samples], loader.sample_rate), None
    waveform, n_valid, problem = loader.load(source, most=_LONGEST)
    try:
        return describe_clip(waveform[:n_valid], loader.sample_rate), problem
    except MemoryError:
        return describe_clip(waveform[:0], loader.sample_rate), OUT_OF_MEMORY
