"""Look at a sound file: what it promises, what it holds, and where its parts begin."""

import os
from typing import NamedTuple

from skbst.audio._containers._contradictions import behind, contradiction_in
from skbst.audio._containers._flac import look_at_flac
from skbst.audio._containers._headers import MARKS, is_chunk, promise_of
from skbst.audio._containers._mpeg import look_at_mpeg
from skbst.audio._containers._ogg import look_at_ogg
from skbst.audio._containers._slice import FileSlice

__all__ = ["Look", "look_at"]

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
        of the one sound that cannot be opened as it is.

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
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(1 << 12)
        for kind, found in (
            ("ogg", look_at_ogg(file, size) if head[:4] == b"OggS" else None),
            ("flac", look_at_flac(file, size) if head[:4] == b"fLaC" else None),
            ("mpeg", look_at_mpeg(file, size, is_other=head.startswith(MARKS))),
        ):
            if found is not None:
                look = _parts_look(kind, *found[:4])
                return _with_rest(path, file, look, found[4], size) if kind == "ogg" else look
        return _header_look(path, file, promise_of(file, head, size), size)


def _parts_look(kind, truncation, parts, damage="", is_exact=False):
    notes = []
    if len(parts) > 1:
        notes.append(_joined_note(parts))
    if damage:
        notes.append(("header contradicts itself", damage))
    return Look(kind, truncation, tuple(parts), None, *_joined(notes), is_exact)


def _with_rest(path, file, look, end, size):
    """What stands behind the last page of an Ogg file that is whole."""
    begin, n_behind = behind(file, end, size)
    if look.truncation is not None or (begin is None and not n_behind):
        return look
    if begin is None:
        note = "more than its header says", f"{n_behind} bytes follow the sound"
        reason, detail = _joined([*([(look.reason, look.detail)] if look.reason else []), note])
        return look._replace(reason=reason, detail=detail)
    return _parts_look("ogg", None, [*(look.parts or [(0, end, True)]), *_parts_behind(path, begin, size)])


def _joined_note(parts):
    return "joined files", f"{len(parts)} sounds one behind the other, read as one; {_FFMPEG}"


def _joined(notes):
    """Several reasons as one, and several details."""
    return "; ".join(reason for reason, _ in notes), "; ".join(detail for _, detail in notes)


def _header_look(path, file, promise, size):
    if promise is None:
        return Look("")
    if promise.size is None:
        return Look("", reason=promise.reason, detail=promise.detail)
    held = max(0, size - promise.start)
    if promise.unfinished and held:
        detail = f"it says 0 bytes of sound; the {held} bytes behind it were read; {_FFMPEG}"
        return Look("", patch=promise.patched(held), reason="unfinished header", detail=detail)
    if held >= promise.size:
        return _whole_look(path, file, promise, size)
    truncation = f"{held} of {promise.size} bytes"
    return Look("", truncation, patch=promise.patched(held) if promise.strict else None)


def _whole_look(path, file, promise, size):
    """All that the header promises is there: is it true, and is there more?"""
    notes, parts = [], []
    begin, n_behind = _behind(file, promise, size)
    if begin is not None:
        parts = [(0, promise.start + promise.size, True), *_parts_behind(path, begin, size)]
        notes.append(_joined_note(parts))
    elif n_behind:
        notes.append(("more than its header says", f"{n_behind} bytes follow the sound"))
    contradiction = contradiction_in(promise.container, promise.description, promise.size)
    if contradiction:
        notes.append(("header contradicts itself", contradiction))
    reason, detail = _joined(notes)
    return Look("", parts=tuple(parts), reason=reason, detail=detail)


def _behind(file, promise, size):
    follows = (lambda place: is_chunk(file, place, size)) if promise.container else None
    return behind(file, promise.start + promise.size, size, follows)


def _parts_behind(path, begin, size):
    """Bytes of each of the sounds that stand behind the first."""
    parts = []
    while begin is not None:
        start, begin, stop = begin, None, size
        with FileSlice(path, start) as part:
            promise = promise_of(part, part.read(1 << 12), size - start)
            if promise is not None and promise.size:
                following, _ = _behind(part, promise, size - start)
                if following is not None:
                    begin, stop = start + following, start + promise.start + promise.size
        parts.append((start, stop, True))
    return parts
