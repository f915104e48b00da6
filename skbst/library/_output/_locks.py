"""Locks on files that the operating system gives back when their holder dies."""

import os
from pathlib import Path

__all__ = ["FileLock"]

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt


class FileLock:
    """A lock on one file; held by one process, or by several that share it.

    Parameters
    ----------
    path : Path
        The file; made where it is not there.
    """

    def __init__(self, path):
        self.path = Path(path)
        self._file = None

    def take(self, *, shared=False, wait=False):
        """Take the lock; whether that was possible, a bool (with `wait` always)."""
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            if not _lock(descriptor, shared=shared, wait=wait):
                os.close(descriptor)
                return False
            if _is_still(descriptor, self.path):
                self._file = descriptor
                return True
            os.close(descriptor)  # another process removed the file between opening and locking

    def only_holder(self):
        """Whether nobody shares the lock any more; it is then held alone."""
        return fcntl is None or _lock(self._file, shared=False, wait=False)

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


def _lock(descriptor, *, shared, wait):
    if fcntl is None:
        if shared:
            return True  # msvcrt has no shared locks
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, mode if wait else mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(descriptor, path):
    """Whether the open file is the one that now has the name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
