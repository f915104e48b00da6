"""What stands behind a sound and belongs to no header."""

import math
import struct
from typing import NamedTuple

from skbst.audio._containers._mpeg_frames import row_follows
from skbst.audio._containers._tags import read_at, skip_tags

__all__ = ["Behind", "behind", "begins_a_sound"]

_FIRST_BYTES = (
    b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM", b"caff", b"riff", b".snd", b"dns.", b"OggS", b"fLaC", b"NIST_1A",
    b"Creative Voice File",
)  # fmt: skip
# how a sound begins that stands anywhere, long enough to be no accident: what is looked for, how many bytes before it
# the sound begins, and with what
_MARKS = (
    (b"fLaC\0\0\0\x22", 0, (b"fLaC",)),
    (b"OggS\0\x02", 0, (b"OggS",)),
    (b"WAVE", 8, (b"RIFF", b"RF64", b"BW64")),
    (b"AIFF", 8, (b"FORM",)),
    (b"AIFC", 8, (b"FORM",)),
    (b"caff\0\x01\0\0desc", 0, (b"caff",)),
    (b"riff\x2e\x91\xcf\x11", 0, (b"riff",)),
)
_LONGEST_MARK = 12
_READ_AT_ONCE = 1 << 20
# more tags, chunks and gaps one behind the other are none; taken as it is
_MOST_STEPS = 200
# taken as it is: what stands behind a sound is known by its first bytes
_LOOKED_AT = 1 << 16
# that far a sound is searched for behind bytes of no kind; taken as it is
_SEARCHED_BYTES = 1 << 26


class Behind(NamedTuple):
    """`stop`: where the sound ends with the chunks of its container; `begin`: where another begins, or None; `n_bytes`:
    how many between, or up to the end, are of no kind, so that zeros and tags do not count."""

    stop: int
    begin: int | None = None
    n_bytes: int = 0


def begins_a_sound(data):
    """Whether a file of another container begins with these bytes."""
    return data.startswith(_FIRST_BYTES)


def behind(file, end, size, chunks=None, *, is_searched=True):
    """Say what follows a sound.

    Parameters
    ----------
    file : binary file
        It is left anywhere.

    end : int
        Where the sound ends, after its header or its last frame.

    size : int
        Bytes of the file.

    chunks : tuple of (str, int, bool), default=None
        How the heads of its chunks are built; None is a container without chunks.

    is_searched : bool, default=True
        Whether a sound is searched for behind bytes of no kind.

    Returns
    -------
    found : Behind
    """
    place, stop, n_steps = end, end, 0
    while place < size and n_steps < _MOST_STEPS:
        data = read_at(file, place, _LOOKED_AT)
        content = data.lstrip(b"\0")
        first = place + len(data) - len(content)
        if not content:
            place = first
            continue
        n_steps += 1
        if begins_a_sound(content) or row_follows(file, first, size):
            return Behind(stop, first)
        after = skip_tags(file, first, size)
        if after == first and chunks is not None:
            after = _behind_chunk(file, {place, place + place % 2, 8 * math.ceil(place / 8)}, size, chunks) or first
            stop = after if stop == place and after > first else stop
        if after == first:
            break
        place = after
    if size - stop <= 1:
        # one byte fills up a chunk
        return Behind(stop if chunks is None else size)
    if size - place <= 1:
        return Behind(stop)
    return _searched(file, stop, place, size) if is_searched else Behind(stop, None, size - place)


def _behind_chunk(file, places, size, chunks):
    """Where the chunk ends that begins at one of these places; None where there is none."""
    form, align, includes_head = chunks
    n_mark = 16 if includes_head else 4
    n_head = n_mark + struct.calcsize(form)
    for place in sorted(places):
        head = read_at(file, place, n_head)
        if len(head) < n_head or not all(32 <= byte < 127 for byte in head[:4]):
            continue
        length = struct.unpack(form, head[n_mark:])[0] - (n_head if includes_head else 0)
        if 0 <= length <= size - place - n_head:
            return min(size, place + n_head + -(-length // align) * align)
    return None


def _searched(file, stop, place, size):
    """What follows is of no kind: is there a sound behind it?"""
    at, last = place, min(size, place + _SEARCHED_BYTES)
    while at < last:
        data = read_at(file, at, _READ_AT_ONCE)
        found = min((start for mark in _MARKS if (start := _find(data, *mark)) is not None), default=None)
        if found is not None:
            return Behind(stop, at + found, at + found - place)
        if len(data) < _READ_AT_ONCE:
            break
        at += len(data) - _LONGEST_MARK + 1
    return Behind(stop, None, size - place)


def _find(data, mark, n_before, first):
    """Where the first sound with this mark begins, or None; plain searches take a tenth of the time of a pattern."""
    at = data.find(mark)
    while at >= 0:
        if at >= n_before and data.startswith(first, at - n_before):
            return at - n_before
        at = data.find(mark, at + 1)
    return None
