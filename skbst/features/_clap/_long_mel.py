"""From a sound of any length, block by block, to what CLAP's audio encoder reads."""

import math

import numpy as np

from skbst.features._clap._frontend import FRAMES_AT_ONCE, frames_to_mel, prepare

__all__ = ["LongWaveform", "Shrunk", "mel_groups", "prepare_long"]


class LongWaveform:
    """A sound that is too long to stand in memory: a length, and blocks that can be read again and again.

    Parameters
    ----------
    sound : LongSound
        The sound, at the encoder's rate.

    n_samples : int
        Its length, as laion-clap counts it.

    change : callable, default=None
        What is done to each block.
    """

    def __init__(self, sound, n_samples, change=None):
        self._sound, self._n_samples, self._change = sound, n_samples, change

    def __len__(self):
        return self._n_samples

    def blocks(self):
        """Yield the samples, float32."""
        blocks = self._sound.blocks()
        return blocks if self._change is None else map(self._change, blocks)


def prepare_long(blocks, n_samples, spec, starts, *, antialias=True):
    """Make the input of the audio encoder for one long sound; as `prepare`, in memory that does not grow with it.

    Parameters
    ----------
    blocks : iterable of ndarray of shape (n,), float32
        The sound at ``spec.sample_rate``; what is missing at its end counts as 0.

    n_samples : int
        Its length.

    spec : AudioSpec
        What the encoder reads.

    starts : tuple of int
        From `thirds` or `windows_at_random`.

    antialias : bool, default=True
        How the whole is shrunk to one window.

    Returns
    -------
    mel : Tensor of shape (n_channels, n_frames, n_mels), float32
    """
    import torch

    if not spec.fusion:
        window = _span(blocks, starts[0], starts[0] + spec.max_samples)
        return prepare(window, spec, (), antialias=antialias)
    shrunk = Shrunk(n_samples // spec.hop_length + 1, spec.n_frames, spec.n_mels, antialias=antialias)
    windows = [torch.empty(spec.n_frames, spec.n_mels) for _ in starts]
    for first, mel in mel_groups(blocks, n_samples, spec):
        shrunk.add(first, mel.numpy())
        for start, window in zip(starts, windows):
            low, high = max(start, first), min(start + spec.n_frames, first + len(mel))
            if low < high:
                window[low - start : high - start] = mel[low - first : high - first]
    return torch.stack([torch.from_numpy(shrunk.image.astype(np.float32)), *windows])


def _span(blocks, start, stop):
    """Samples `start` to `stop` of a sound in blocks."""
    span, at = np.zeros(stop - start, dtype=np.float32), 0
    for block in blocks:
        low, high = max(start, at), min(stop, at + len(block))
        if low < high:
            span[low - start : high - start] = block[low - at : high - at]
        at += len(block)
        if at >= stop:
            break
    return span


def mel_groups(blocks, n_samples, spec):
    """The log-Mel frames of a sound, those of `log_mel`, in groups.

    Parameters
    ----------
    blocks : iterable of ndarray of shape (n,), float32
        The sound.

    n_samples : int
        Its length, more than half a window of the Fourier transform.

    spec : AudioSpec
        What the encoder reads.

    Yields
    ------
    first : int
        Number of the first frame of the group.

    mel : Tensor of shape (n_frames, n_mels), float32
    """
    half, hop = spec.n_fft // 2, spec.hop_length
    reader = _Reader(blocks, n_samples)
    head = reader.take(min(n_samples, half + 1))
    # the edges are mirrored, as the whole would have been
    past, kept = np.zeros(0, dtype=np.float32), np.concatenate([head[:0:-1], head])
    n_frames, is_over = n_samples // hop + 1, False
    for first in range(0, n_frames, FRAMES_AT_ONCE):
        stop = min(first + FRAMES_AT_ONCE, n_frames)
        n_wanted = (stop - 1 - first) * hop + spec.n_fft
        kept = np.concatenate([kept, reader.take(n_wanted - len(kept))])
        if reader.rest == 0 and not is_over:
            kept, is_over = np.concatenate([kept, np.concatenate([past, kept])[-2 : -2 - half : -1]]), True
        yield first, frames_to_mel(kept[:n_wanted], spec)
        at = (stop - first) * hop
        past, kept = kept[max(0, at - spec.n_fft) : at], kept[at:]


class _Reader:
    """Samples of a sound in blocks, as many as are asked for, and no more than it has."""

    def __init__(self, blocks, n_samples):
        self._blocks, self.rest = iter(blocks), n_samples
        self._block = np.zeros(0, dtype=np.float32)

    def take(self, n_samples):
        parts, missing = [], min(max(0, n_samples), self.rest)
        self.rest -= missing
        while missing > 0:
            if len(self._block) == 0:
                # a resampler may round to less than is counted on: zeros
                self._block = next(self._blocks, np.zeros(missing, dtype=np.float32))
            parts.append(self._block[:missing])
            self._block = self._block[missing:]
            missing -= len(parts[-1])
        return np.concatenate([np.zeros(0, dtype=np.float32), *parts])


class Shrunk:
    """Rows shrunk to fewer, added group by group: torch's bilinear interpolation along the first axis.

    Parameters
    ----------
    n_rows, n_wanted : int
        How many come, and how many there shall be.

    n_columns : int
        Length of a row.

    antialias : bool
        Whether each row is a weighted mean of all that it stands for, or of the two nearest.

    Attributes
    ----------
    image : ndarray of shape (n_wanted, n_columns), float64
    """

    def __init__(self, n_rows, n_wanted, n_columns, *, antialias):
        self.image = np.zeros((n_wanted, n_columns))
        scale = np.float32(n_rows) / np.float32(n_wanted)
        spans = [(_triangle if antialias else _nearest_two)(i, n_rows, scale) for i in range(n_wanted)]
        self._firsts = np.array([first for first, _ in spans])
        self._stops = np.array([first + len(weights) for first, weights in spans])
        self._weights = [weights for _, weights in spans]

    def add(self, first, rows):
        """Add the rows from number `first` on."""
        for i in np.flatnonzero((self._firsts < first + len(rows)) & (self._stops > first)):
            low, high = max(first, self._firsts[i]), min(first + len(rows), self._stops[i])
            weights = self._weights[i][low - self._firsts[i] : high - self._firsts[i]]
            self.image[i] += weights @ rows[low - first : high - first].astype(np.float64)


def _triangle(i, n_rows, scale):
    """First row and weights of row `i` of an antialiased image; torch reckons places in float32, and so does this."""
    support = max(scale, np.float32(1))
    center = np.float32(float(scale) * (i + 0.5))
    first = max(int(np.float32(center - support) + 0.5), 0)
    stop = min(int(np.float32(center + support) + 0.5), n_rows)
    places = (np.arange(first, stop, dtype=np.float32) - center).astype(np.float64) + 0.5
    weights = np.clip(1 - np.abs(places / float(support)), 0, None)
    return first, weights / weights.sum()


def _nearest_two(i, n_rows, scale):
    place = max(0.0, float(np.float32(float(scale) * (i + 0.5) - 0.5)))
    first = min(math.floor(place), n_rows - 1)
    share = place - first
    return (first, np.array([1 - share, share])) if first + 1 < n_rows else (first, np.ones(1))
