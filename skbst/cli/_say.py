"""Print text on any terminal."""

import contextlib
import os
import sys

from skbst._paths import printable

__all__ = ["say"]


def say(text, *, error=False):
    """Write a line to standard output, or to standard error.

    Parameters
    ----------
    text : object
        Names of files in it may hold bytes that are no UTF-8, or letters that the terminal lacks; they are escaped.

    error : bool, default=False
        Whether it goes to standard error.
    """
    stream = sys.stderr if error else sys.stdout
    if stream is None:  # a service without a console
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        stream.write(printable(str(text)).encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError:  # such as ``| head``: who reads has seen enough, what is to be done is done all the same
        _silence(stream)


def _silence(stream):
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
