"""Locks on files that the operating system gives back when their holder dies."""

import os
from contextlib import contextmanager
from pathlib import Path

__all__ = ["FileLock", "fcntl", "is_still", "lock_descriptor", "locked"]

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt


class FileLock:
    """A lock on one file; held by one process, or by several that share it.

    Parameters
    ----------
    path : str or path-like
        The file; made where it is not there, in a folder that is there.
    """

    def __init__(self, path):
        self.path = Path(path)
        self._file = None

    def take(self, *, shared=False, wait=False):
        """Take the lock; whether that was possible, a bool (with `wait` always)."""
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                taken = lock_descriptor(descriptor, shared=shared, wait=wait)
            except BaseException:  # Ctrl-C while waiting
                os.close(descriptor)
                raise
            if not taken:
                os.close(descriptor)
                return False
            if is_still(descriptor, self.path):
                self._file = descriptor
                return True
            os.close(descriptor)  # another process removed the file between opening and locking

    def only_holder(self):
        """Whether nobody shares the lock any more; it is then held alone."""
        return fcntl is None or lock_descriptor(self._file, shared=False)

    def release(self, *, remove=False):
        """Give the lock back, and remove its file while it is still held."""
        if self._file is None:
            return
        if remove and fcntl is not None:
            self.path.unlink(missing_ok=True)
        os.close(self._file)
        self._file = None
        if remove and fcntl is None:
            try:
                self.path.unlink(missing_ok=True)
            except PermissionError:
                return  # Windows: another process has it open and will remove it


@contextmanager
def locked(path, *, remove=False):
    """Hold a lock that one process (and one thread of it) has at a time; others wait. A killed holder loses it.

    Who only reads needs no lock, so that a folder may be read-only.

    Parameters
    ----------
    path : str or path-like
        The lock's own file; made if it is not there, in a folder that is there.

    remove : bool, default=False
        Whether the file goes at the end. Who waited for it takes a new one.

    Raises
    ------
    OSError
        If the file cannot be made or opened.

    Examples
    --------
    >>> import os, tempfile
    >>> from skbst._files import locked
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with locked(f"{folder}/lock", remove=True):
    ...         print(os.listdir(folder))
    ...     os.listdir(folder)
    ['lock']
    []
    """
    lock = FileLock(path)
    lock.take(wait=True)
    try:
        yield
    finally:
        lock.release(remove=remove)


def lock_descriptor(descriptor, *, shared=False, wait=False):
    """Lock an open file, or an open folder where the system can; whether that went well."""
    if fcntl is None:
        return shared or _lock_on_windows(descriptor, wait)  # msvcrt has no shared locks
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, mode if wait else mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_on_windows(descriptor, wait):
    while True:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            if wait:  # it gives up after ten seconds
                continue
            return False
        return True


def is_still(descriptor, path):
    """Whether the open file is the one that now has the name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
