"""Files that are seen whole or not at all, and what killed writers left."""

import os
import re
import shutil
import time
import uuid
from contextlib import suppress
from pathlib import Path

from skbst._files._locks import fcntl, is_still, lock_descriptor

__all__ = ["remove_abandoned", "scratch_name", "write_atomically"]

# where nothing tells whether a writer still lives, its file is left alone for this long
_ABANDONED_SECONDS = 3600
# of our own making: a hidden name that ends otherwise may be anybody's
_SCRATCH = re.compile(r"\..*\.[0-9a-f]{32}\.tmp", re.DOTALL)


def write_atomically(path, content, *, sync=True):
    """Write a file so that it is seen whole or not at all.

    The scratch file has a name of its own, is locked while it is written, and is gone after an error; one that a kill
    left is removed by `remove_abandoned`.

    Parameters
    ----------
    path : str or path-like
        Its folder is made if needed.

    content : bytes, str or callable
        Text is written as UTF-8; a callable gets the binary file, open for writing and reading.

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
    scratch, file = _new_file(path)
    try:
        with file:
            write(file)
            file.flush()
            if sync:
                os.fsync(file.fileno())
            if fcntl is not None:  # Windows renames no open file
                os.replace(scratch, path)
        if fcntl is None:
            os.replace(scratch, path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def remove_abandoned(folder, *, of=""):
    """Remove the scratch files and folders of writers that were killed; those of living ones stay. Never raises.

    Parameters
    ----------
    folder : str or path-like
        The folder; nothing below it is looked at.

    of : str, default=""
        Only those of files or folders whose names begin so.
    """
    for path in _listed(folder, f".{of}"):
        with suppress(OSError):
            _remove_if_dead(path)


def _remove_if_dead(path):
    if fcntl is None:
        if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
            _remove(path)
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if lock_descriptor(descriptor):
            _remove(path)
    finally:
        os.close(descriptor)


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()


def scratch_name(path):
    """A name beside a Path for what is to stand there."""
    return path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex}.tmp")


def _writer(content):
    content = content.encode("utf-8") if isinstance(content, str) else content
    return lambda file: file.write(content)


def _new_file(path):
    """Name of a new scratch file, and the file, open and locked where the system has locks."""
    while True:
        scratch = scratch_name(path)
        file = open(scratch, "x+b")  # noqa: SIM115 (the caller closes it)
        try:
            taken = fcntl is None or lock_descriptor(file.fileno())
        except OSError:  # some network disks have no locks, so nobody removes it either
            return scratch, file
        if taken and (fcntl is None or is_still(file.fileno(), scratch)):
            return scratch, file
        file.close()  # a cleaner came between the making of the file and its lock


def _listed(folder, beginning):
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [Path(folder, name) for name in names if name.startswith(beginning) and _SCRATCH.fullmatch(name)]
