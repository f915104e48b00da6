"""Print text on any terminal."""

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
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(printable(str(text)).encode(encoding, "backslashreplace").decode(encoding) + "\n")
