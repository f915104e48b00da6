"""Print text on any terminal."""

import sys

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
    text = str(text).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
