"""Names of files and folders: one place for ``~``, relative names, and what is no regular file."""

import os
import stat
from pathlib import Path

__all__ = ["N_NAMED", "absolute_path", "get_data_home", "is_regular_file", "open_regular", "printable"]

# how many files one message names: enough to see what is wrong, few enough to read
N_NAMED = 3


def absolute_path(name):
    """Resolve ``~`` and a relative name, links left as they are.

    Parameters
    ----------
    name : str, bytes or path-like
        Bytes are read as the file system does, so that names which are not UTF-8 survive.

    Returns
    -------
    path : Path
        Absolute; it need not exist.

    Examples
    --------
    >>> from skbst._paths import absolute_path
    >>> absolute_path(b"frames") == absolute_path("frames")
    True
    >>> "~" in str(absolute_path("~/frames"))
    False
    """
    return Path(os.path.abspath(os.path.expanduser(os.fsdecode(name))))


def is_regular_file(path):
    """Whether there is a regular file (or a link to one): no folder, named pipe, socket or device. Never raises."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError, TypeError):
        return False


def open_regular(path):
    """Open a regular file for reading bytes; never waits for a writer at the other end of a named pipe.

    Parameters
    ----------
    path : str, bytes or path-like
        The file.

    Returns
    -------
    file : binary file

    Raises
    ------
    OSError
        If it cannot be opened, or is a folder, named pipe, socket or device.
    """
    # without O_NONBLOCK, opening a pipe waits until somebody writes to it
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    if not is_regular_file(path) and os.path.exists(path):
        raise OSError(f"{os.fsdecode(path)} is not a regular file.")
    descriptor = os.open(path, flags)
    try:
        # it may have been exchanged since it was looked at
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{os.fsdecode(path)} is not a regular file.")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def printable(name):
    r"""Write a name, or any text, so that every file format and every pipe holds it.

    Parameters
    ----------
    name : str or path-like
        Bytes of a name that are no UTF-8 are written out (``\xe9``), and so are halves of surrogate pairs.

    Returns
    -------
    text : str

    Examples
    --------
    >>> from skbst._paths import printable
    >>> printable("caf\udce9.wav")
    'caf\\xe9.wav'
    """
    name = os.fspath(name)
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return name.encode("utf-8", "backslashreplace").decode()


def get_data_home(data_home=None):
    """Return the folder for downloaded data; it is not created here.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder; None takes the environment variable SKBST_DATA_HOME, else ``~/skbst_data``.

    Returns
    -------
    data_home : Path

    Examples
    --------
    >>> from skbst._paths import get_data_home
    >>> get_data_home("/data").as_posix()
    '/data'
    """
    return absolute_path(data_home or os.environ.get("SKBST_DATA_HOME") or "~/skbst_data")
