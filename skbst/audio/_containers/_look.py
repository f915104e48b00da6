"""Look at a sound file: what it promises, what it holds, and where its parts begin."""

import os
from typing import NamedTuple

from skbst.audio._containers._flac import look_at_flac
from skbst.audio._containers._headers import promise_of
from skbst.audio._containers._mpeg import look_at_mpeg
from skbst.audio._containers._ogg import look_at_ogg

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
    """

    kind: str
    truncation: str | None = None
    parts: tuple = ()
    patch: tuple | None = None
    reason: str = ""
    detail: str = ""


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
            ("mpeg", look_at_mpeg(file, size)),
        ):
            if found is not None:
                return _parts_look(kind, *found)
        return _header_look(promise_of(file, head, size), size)


def _parts_look(kind, truncation, parts):
    several = len(parts) > 1
    reason = "joined files" if several else ""
    detail = f"{len(parts)} sounds one behind the other, read as one; {_FFMPEG}" if several else ""
    return Look(kind, truncation, tuple(parts), None, reason, detail)


def _header_look(promise, size):
    if promise is None:
        return Look("")
    if promise.size is None:
        return Look("", reason=promise.reason, detail=promise.detail)
    held = max(0, size - promise.start)
    if promise.unfinished and held:
        detail = f"it says 0 bytes of sound; the {held} bytes behind it were read; {_FFMPEG}"
        return Look("", patch=promise.patched(held), reason="unfinished header", detail=detail)
    if held >= promise.size:
        return Look("")
    truncation = f"{held} of {promise.size} bytes"
    return Look("", truncation, patch=promise.patched(held) if promise.strict else None)
