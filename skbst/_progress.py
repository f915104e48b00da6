"""One progress bar for everything that takes longer than a few seconds."""

import contextlib
import sys

from tqdm.auto import tqdm

__all__ = ["progress_bar"]


def progress_bar(iterable=None, *, total=None, desc=None, unit="clip", verbose=0):
    """Wrap an iterable in a bar on standard error, or leave it as it is.

    Parameters
    ----------
    iterable : iterable, default=None
        What is counted; None gives a bar that is moved by ``update``.

    total : int, default=None
        Number of items, where the iterable does not know it.

    desc : str, default=None
        Text before the bar.

    unit : str, default="clip"
        Name of one item.

    verbose : int, default=0
        0 shows nothing.

    Returns
    -------
    bar : tqdm
        Iterable; has ``update(n)`` and ``close()``; a context manager.

    Examples
    --------
    >>> from skbst._progress import progress_bar
    >>> sum(progress_bar([1, 2, 3]))
    6
    """
    look = {"total": total, "desc": desc, "unit": unit, "leave": True, "dynamic_ncols": True}
    if not verbose or sys.stderr is None:  # a service has no console
        return tqdm(iterable, disable=True, **look)
    return tqdm(iterable, file=_Console(sys.stderr), **look)


class _Console:
    """A stream that may close, or stand on a full disk: the bar is lost then, what it counts is not."""

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        """Write as far as that is possible."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self):
        """Flush as far as that is possible."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()
