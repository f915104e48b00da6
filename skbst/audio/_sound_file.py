"""Blocks of a sound file, mixed to one channel."""

import os
import re
import threading

import numpy as np
import soundfile

__all__ = ["ForwardFile", "mix_to_mono", "read_mono", "read_to_error", "truncation_of"]

_BLOCK_SAMPLES = 1 << 19
_SALVAGE_FRAMES = 1 << 10
_LARGEST_RATE = 10_000_000
# what streams write while they do not know their length yet
_UNKNOWN_BYTES = 0x7FFF0000
# beyond this a float is garbage, not a sample: its power would overflow
_LARGEST_SAMPLE = 1e6
_ANNOUNCED = re.compile(r"(?:\bdata|\bSSND|Data Size)\s*:\s*(\d+) \(should be (\d+)\)")

_local = threading.local()


class ForwardFile(soundfile.SoundFile):
    """A file that is read onward only.

    After each read of a seekable file soundfile seeks to where it already stands, which costs compressed formats
    up to a third of their speed.
    """

    def __init__(self, path):
        try:
            # as bytes, because a name need not be valid text
            super().__init__(path if os.name == "nt" else os.fsencode(path))
        except (TypeError, ValueError) as error:
            # soundfile takes *.raw for samples without a header
            raise soundfile.SoundFileError(str(error)) from error
        if self.samplerate > _LARGEST_RATE:
            self.close()
            raise soundfile.SoundFileError(f"a sample rate of {self.samplerate} Hz")

    def seekable(self):
        return False


def read_mono(file, plan):
    """Read the frames of a plan; returns one channel and how many samples were not finite."""
    if plan.start:
        file.seek(plan.start)
    parts, n_bad, missing = [], 0, plan.count
    while missing > 0:
        block = _buffer(min(missing, max(1, _BLOCK_SAMPLES // file.channels)), file.channels)
        part, n_bad_here = mix_to_mono(file.read(out=block))
        n_bad += n_bad_here
        missing -= len(part)
        last = len(part) < len(block) or missing <= 0
        # the buffer is reused, so only a part that stays alone may be a view of it
        parts.append(part if last and not parts else part.copy())
        if last:
            break
    if not parts:
        return np.empty(0, dtype=np.float32), 0
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)), n_bad


def _buffer(n_frames, n_channels):
    """A part of this thread's own memory; a new array for each file would cost more than decoding does."""
    size = n_frames * n_channels
    memory = getattr(_local, "memory", None)
    if memory is None or memory.size < size:
        memory = _local.memory = np.empty(size, dtype=np.float32)
    return memory[:size].reshape(n_frames, n_channels)


def mix_to_mono(frames):
    """Mean of the channels of (n_frames, n_channels); samples that are not finite count as 0."""
    if len(frames) == 0:
        return frames[:, 0], 0
    n_bad = 0
    if not (frames.max() <= _LARGEST_SAMPLE and frames.min() >= -_LARGEST_SAMPLE):
        bad = ~(np.abs(frames) <= _LARGEST_SAMPLE)
        n_bad = int(bad.any(axis=1).sum())
        if bad.all():
            return np.zeros(len(frames), dtype=np.float32), n_bad
        frames = np.where(bad, np.float32(0), frames)
    n_channels = frames.shape[1]
    if n_channels == 1:
        return frames[:, 0], n_bad
    return frames @ np.full(n_channels, 1 / n_channels, dtype=np.float32), n_bad


def truncation_of(file):
    """What the header promised and the file does not hold, after libsndfile's log."""
    log = file.extra_info
    if "lacks an end-of-stream bit" in log:
        return "the last page of the stream is missing"
    for announced, found in _ANNOUNCED.findall(log):
        if int(found) < int(announced) < _UNKNOWN_BYTES:
            return f"{found} of {announced} bytes"
    return None


def read_to_error(file):
    """Read small blocks; returns one channel, how many samples were not finite, and whether an error ended it."""
    parts, n_bad, broken = [np.empty(0, dtype=np.float32)], 0, False
    while True:
        try:
            frames = file.read(_SALVAGE_FRAMES, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, OSError):
            broken = True
            break
        part, n_bad_here = mix_to_mono(frames)
        parts.append(part)
        n_bad += n_bad_here
        if len(frames) < _SALVAGE_FRAMES:
            break
    return np.concatenate(parts), n_bad, broken
