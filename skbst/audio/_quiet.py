"""Hold back what C libraries print on their own."""

import atexit
import ctypes
import os
import re
import tempfile
import threading
from contextlib import contextmanager

__all__ = ["decoders_held_back"]

_NOTES_OF_MPG123 = re.compile(
    rb"^(?:\[[^\]\n]*mpg123/"
    rb"|(?:Note|Warning): (?:Illegal Audio|Trying to resync|Hit end|Skipped \d|Xing stream|Big change|Cannot read next"
    rb"|Real sample count|Encountered more data|Ignoring|Number of|Content-Length|Got ))[^\n]*\n?",
    re.MULTILINE,
)


class _Capture:
    """File descriptors 1 and 2 written to a scratch file while any thread decodes.

    What a decoder wrote is dropped; whatever other threads wrote meanwhile is handed on when the next sound ends.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._inside = set()
        self._streams = []

    def enter(self, token):
        with self._lock:
            self._inside.add(token)
            if not self._streams:
                _flush_c()
                self._streams = [stream for stream in map(_Stream.open, (1, 2)) if stream is not None]

    def leave(self, token):
        with self._lock:
            self._inside.discard(token)
            self._hand_on()

    def end(self):
        """The process ends; an interrupt may have struck while a sound was left: what was said since comes through."""
        self._inside.clear()
        self._hand_on()

    def forget(self):
        """A forked child has none of the threads that were inside."""
        self._lock = threading.Lock()
        self._inside = set()
        while self._streams:
            self._streams.pop().restore()

    def _hand_on(self):
        _flush_c()
        for stream in self._streams:
            stream.hand_on()
        # their descriptors are closed and soon another file's: a forked child must not touch them
        while self._streams and not self._inside:
            self._streams.pop().restore()


class _Stream:
    """One file descriptor, redirected."""

    def __init__(self, number, saved, scratch):
        self._number, self._saved, self._scratch = number, saved, scratch
        self._at = 0

    @classmethod
    def open(cls, number):
        try:
            saved = os.dup(number)
        except OSError:
            # closed by the user, as in a daemon
            return None
        # in memory where the system can
        source = os.memfd_create("notes") if hasattr(os, "memfd_create") else tempfile.mkstemp()[0]
        scratch = os.fdopen(source, "r+b", buffering=0)
        os.dup2(scratch.fileno(), number)
        return cls(number, saved, scratch)

    def hand_on(self):
        size = os.fstat(self._scratch.fileno()).st_size
        if size > self._at:
            # read by place: the writers share the position
            data = os.pread(self._scratch.fileno(), size - self._at, self._at)
            self._at = size
            _write_all(self._saved, _NOTES_OF_MPG123.sub(b"", data))

    def restore(self):
        os.dup2(self._saved, self._number)
        os.close(self._saved)
        self._scratch.close()


def _write_all(number, data):
    while data:
        try:
            data = data[os.write(number, data) :]
        except OSError:
            # a pipe that nobody reads any more
            return


def _flush_c():
    if _C is not None:
        _C.fflush(None)


def _c_library():
    try:
        return ctypes.CDLL(None) if os.name == "posix" else None
    except (OSError, TypeError):
        return None


_C = _c_library()
_capture = _Capture()
atexit.register(_capture.end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_capture.forget)


@contextmanager
def decoders_held_back():
    """Keep the notes of libsndfile and libmpg123 from the terminal; what others print meanwhile comes through.

    Examples
    --------
    >>> from skbst.audio._quiet import decoders_held_back
    >>> with decoders_held_back():
    ...     pass
    """
    if os.name != "posix":
        yield
        return
    token = object()
    try:
        _capture.enter(token)
        yield
    finally:
        _capture.leave(token)
