"""Where an encoder listens: fixed windows over a sound of any length."""

import numpy as np

__all__ = ["repeat_to", "split_windows", "weighted_mean", "windows_in"]


def split_windows(n_samples, window, hop):
    """Cut a sound into windows of one length, the last of which may be shorter.

    Parameters
    ----------
    n_samples : int
        Length of the sound.

    window, hop : int
        Length of a window and distance of their starts, in samples.

    Returns
    -------
    spans : list of (int, int)
        Start and stop of each window; together they hold every sample, and none is empty but that of an empty sound.

    Examples
    --------
    >>> from skbst.features._encoders._windows import split_windows
    >>> split_windows(25, 10, 10)
    [(0, 10), (10, 20), (20, 25)]
    >>> split_windows(15, 10, 5)
    [(0, 10), (5, 15)]
    """
    n_windows = 1 + max(0, -(-(n_samples - window) // hop))
    return [(start * hop, min(start * hop + window, n_samples)) for start in range(n_windows)]


def windows_in(blocks, spans):
    """Cut windows out of a sound that comes in blocks.

    Parameters
    ----------
    blocks : iterable of ndarray of shape (n,), float32
        The sound.

    spans : list of (int, int)
        From `split_windows`: their starts and stops rise.

    Yields
    ------
    window : ndarray of shape (n_samples,), float32

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.features._encoders._windows import windows_in
    >>> [window.tolist() for window in windows_in([np.arange(3), np.arange(3, 5)], [(0, 4), (2, 5)])]
    [[0, 1, 2, 3], [2, 3, 4]]
    """
    blocks = iter(blocks)
    kept, first = next(blocks, np.zeros(0, dtype=np.float32)), 0
    for start, stop in spans:
        while first + len(kept) < stop:
            block = next(blocks, None)
            if block is None:
                break
            kept, first = np.concatenate([kept[max(0, start - first) :], block]), max(start, first)
        yield kept[start - first : stop - first]


def repeat_to(waveform, n_samples):
    """Repeat a sound until it has a length; one without a sample becomes silence.

    Parameters
    ----------
    waveform : ndarray of shape (n,), float32
        A longer sound is left alone.

    n_samples : int
        The least length.

    Returns
    -------
    repeated : ndarray of shape (max(n, n_samples),), float32
    """
    if len(waveform) >= n_samples:
        return waveform
    if len(waveform) == 0:
        return np.zeros(n_samples, dtype=np.float32)
    return np.resize(waveform, n_samples)


def weighted_mean(vectors, weights):
    """Average vectors of windows by how much of each window is sound.

    Parameters
    ----------
    vectors : list of ndarray of shape (n_features,)
        One a window.

    weights : sequence of int
        Samples of sound in each; all zero counts as all equal.

    Returns
    -------
    mean : ndarray of shape (n_features,), float32
    """
    if len(vectors) == 1:
        return np.asarray(vectors[0], dtype=np.float32)
    weights = np.asarray(weights, dtype=np.float64)
    weights = weights if weights.sum() > 0 else np.ones(len(vectors))
    stacked = np.stack(vectors).astype(np.float64)
    return ((weights[:, None] * stacked).sum(axis=0) / weights.sum()).astype(np.float32)
