"""Look at a sound file: what it promises, what it holds, and where its parts begin."""

import os
from typing import NamedTuple

from skbst.audio._containers._behind import behind
from skbst.audio._containers._contradictions import contradiction_in
from skbst.audio._containers._flac import look_at_flac
from skbst.audio._containers._headers import MARKS, promise_of
from skbst.audio._containers._mpeg import look_at_mpeg
from skbst.audio._containers._ogg import look_at_ogg
from skbst.audio._containers._slice import FileSlice
from skbst.audio._containers._tags import read_at, skip_tags

__all__ = ["Look", "look_at"]

# of a container that is known
_LONGEST_MARK = 32
_FFMPEG = "write it anew, for example with ffmpeg -i OLD NEW"


class Look(NamedTuple):
    """What was found without decoding.

    Parameters
    ----------
    kind : str
        ``"ogg"``, ``"flac"``, ``"mpeg"``, or "" for all others.

    truncation : str, default=None
        What the header promises and the file does not hold.

    parts : tuple of (int, int, bool), default=()
        First byte, end, and whether the length is told, of each of several sounds that stand one behind the other, or
        of the one sound with something before or behind it.

    patch : tuple of (int, bytes), default=None
        What has to stand in the header, and where, for the sound to be read.

    reason, detail : str
        Something else that is worth a record.

    is_exact : bool, default=False
        Whether an MP3 tells its length to the sample.
    """

    kind: str
    truncation: str | None = None
    parts: tuple = ()
    patch: tuple | None = None
    reason: str = ""
    detail: str = ""
    is_exact: bool = False


def look_at(path):
    """Look at a file.

    Parameters
    ----------
    path : str or path-like
        A regular file that is not empty.

    Returns
    -------
    look : Look
    """
    with FileSlice(path) as file:
        size = file.seek(0, os.SEEK_END)
        begin = skip_tags(file, 0, size)
        if not read_at(file, begin, _LONGEST_MARK).startswith(MARKS):
            begin = 0
    sounds, starts = [], []
    while begin is not None and begin < size:
        starts.append(begin)
        with FileSlice(path, begin) as file:
            sounds.append(_look_at_first(file, size - begin))
        # a sound that ends before it begins has nothing behind it
        begin = begin + sounds[-1].begin if sounds[-1].begin else None
    return _together(sounds, starts, size)


class _Sound(NamedTuple):
    """One sound of a file, or several of one container; all places are counted from its first byte, and `begin` is
    where one of another container follows."""

    kind: str
    stop: int
    truncation: str | None = None
    parts: tuple = ()
    patch: tuple | None = None
    notes: tuple = ()
    is_exact: bool = False
    begin: int | None = None


def _look_at_first(file, size):
    """Look at the sound at the start of a file."""
    head = read_at(file, 0, 1 << 12)
    if head[:4] == b"OggS":
        truncation, parts, end = look_at_ogg(file, size)
        # a page that is not whole begins as a sound does
        rest = behind(file, end + 4 * (read_at(file, end, 4) == b"OggS"), size)
        stop = size if truncation and rest.begin is None else rest.stop
        return _Sound("ogg", stop, truncation, tuple(parts), None, _rest_note(rest), begin=rest.begin)
    if head[:4] == b"fLaC":
        truncation, damage, rest = look_at_flac(file, size)
        notes = (*_rest_note(rest), *_damage_note(damage))
        return _Sound("flac", rest.stop, truncation, notes=notes, begin=rest.begin)
    found = look_at_mpeg(file, size, is_other=head.startswith(MARKS))
    if found is None:
        return _look_at_header(file, promise_of(file, head, size), size)
    truncation, parts, damage, is_exact, begin = found
    return _Sound("mpeg", size, truncation, tuple(parts), None, _damage_note(damage), is_exact, begin)


def _look_at_header(file, promise, size):
    if promise is None:
        return _Sound("", size)
    if promise.size is None:
        return _Sound("", size, notes=((promise.reason, promise.detail),))
    held = max(0, size - promise.start)
    if promise.unfinished and held:
        detail = f"it says 0 bytes of sound; the {held} bytes behind it were read; {_FFMPEG}"
        return _Sound("", size, patch=promise.patched(held), notes=(("unfinished header", detail),))
    if held < promise.size:
        truncation = f"{held} of {promise.size} bytes"
        return _Sound("", size, truncation, patch=promise.patched(held) if promise.strict else None)
    rest = behind(file, promise.start + promise.size, size, promise.chunks)
    notes = (*_rest_note(rest), *_damage_note(contradiction_in(promise.container, promise.description, promise.size)))
    return _Sound("", rest.stop, notes=notes, begin=rest.begin)


def _rest_note(rest):
    return (("more than its header says", f"{rest.n_bytes} bytes follow the sound"),) if rest.n_bytes else ()


def _damage_note(damage):
    return (("header contradicts itself", damage),) if damage else ()


def _together(sounds, starts, size):
    """All that was seen, with places counted from the start of the file."""
    parts, notes, patch = [], [], None
    for sound, start in zip(sounds, starts):
        own = sound.parts or [(0, sound.stop, True)]
        parts += [(start + first, start + stop, told) for first, stop, told in own]
        notes += [note for note in sound.notes if note not in notes]
        if sound.patch is not None:
            patch = (start + sound.patch[0], sound.patch[1])
    if len(parts) > 1:
        notes.insert(0, ("joined files", f"{len(parts)} sounds one behind the other, read as one; {_FFMPEG}"))
    elif not sounds[0].parts and (starts[0], sounds[0].stop) == (0, size):
        parts = []
    truncations = [sound.truncation for sound in sounds if sound.truncation]
    return Look(
        sounds[0].kind,
        "; ".join(truncations) or None,
        tuple(parts),
        patch,
        "; ".join(dict.fromkeys(reason for reason, _ in notes)),
        "; ".join(detail for _, detail in notes),
        sounds[0].is_exact and len(parts) < 2,
    )
