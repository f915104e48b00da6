"""Files that are seen whole or not at all, locks, and what killed writers left."""

import os
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

__all__ = ["locked", "remove_abandoned", "write_atomically"]

# where nothing tells whether a writer still lives, its file is left alone for this long
_ABANDONED_SECONDS = 3600
_SUFFIX = ".tmp"


def write_atomically(path, content, *, sync=True):
    """Write a file so that it is seen whole or not at all.

    The scratch file has a name of its own, is locked while it is written, and is gone after an error; one that a kill
    left is removed by `remove_abandoned`.

    Parameters
    ----------
    path : str or path-like
        Its folder is made if needed.

    content : bytes, str or callable
        Text is written as UTF-8; a callable gets the binary file.

    sync : bool, default=True
        Whether to wait until the content is on the disk, so that it also survives a loss of power.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skbst._files import write_atomically
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder, "notes.txt"), "rain")
    ...     [path.name for path in Path(folder).iterdir()]
    ['notes.txt']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write = content if callable(content) else _writer(content)
    # where many processes write and clean one folder, a second cleaner may come between too
    for last_try in (False,) * 7 + (True,):
        scratch = path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex}{_SUFFIX}")
        try:
            with open(scratch, "xb") as file:
                _try_lock(file)
                write(file)
                file.flush()
                if sync:
                    os.fsync(file.fileno())
                if fcntl is not None:  # Windows renames no open file
                    os.replace(scratch, path)
            if fcntl is None:
                os.replace(scratch, path)
            return
        except FileNotFoundError:
            # a cleaner came between the making of the scratch file and its lock
            scratch.unlink(missing_ok=True)
            if last_try:
                raise
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise


def remove_abandoned(folder):
    """Remove the scratch files of writers that were killed; those of living ones stay. Never raises.

    Parameters
    ----------
    folder : str or path-like
        The folder; nothing below it is looked at.
    """
    for path in _listed(folder):
        try:
            if fcntl is None:
                dead = time.time() - path.stat().st_mtime > _ABANDONED_SECONDS
            else:
                with open(path, "rb") as file:
                    dead = _try_lock(file)
                    if dead:
                        path.unlink()
                continue
            if dead:
                path.unlink()
        except OSError:
            continue


@contextmanager
def locked(path):
    """Hold a lock that one process (and one thread of it) has at a time; others wait. A killed holder loses it.

    Who only reads needs no lock, so that a folder may be read-only.

    Parameters
    ----------
    path : str or path-like
        The lock's own file; made if it is not there, in a folder that is there.

    Yields
    ------
    file : binary file
        The lock's own, open.

    Raises
    ------
    OSError
        If the file cannot be made or opened.
    """
    with open(path, "a+b") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
            return
        import msvcrt

        file.seek(0)
        while True:
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                break
            except OSError:  # it gives up after ten seconds
                continue
        try:
            yield file
        finally:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)


def _writer(content):
    content = content.encode("utf-8") if isinstance(content, str) else content
    return lambda file: file.write(content)


def _try_lock(file):
    """Lock without waiting; whether that went well."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _listed(folder):
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [Path(folder, name) for name in names if name.startswith(".") and name.endswith(_SUFFIX)]
