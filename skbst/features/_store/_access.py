"""Which folder a featurizer keeps things in, and whether it may write there."""

import os
import warnings
from contextlib import contextmanager
from contextvars import ContextVar

from skbst._paths import absolute_path
from skbst.exceptions import StoreWarning

__all__ = ["folder_of", "may_write", "store_at_fit", "stores_read_only", "warn_of_store"]

_read_only = ContextVar("skbst_stores_read_only", default=False)


@contextmanager
def stores_read_only():
    """Read stores and write nothing into them, in calls of this thread: for answers that nobody asked to keep.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from skbst.features import MFCCFeaturizer, stores_read_only
    >>> noise = [(np.random.default_rng(0).uniform(-1, 1, 4000), 16000)]
    >>> with tempfile.TemporaryDirectory() as store, stores_read_only():
    ...     frames = MFCCFeaturizer(duration=0.1, store=store).fit(noise).transform(noise)
    ...     os.listdir(store)
    []
    """
    token = _read_only.set(True)
    try:
        yield
    finally:
        _read_only.reset(token)


def store_at_fit(featurizer):
    """Resolve the folder of a featurizer's store once, in fit, and make it.

    A relative name means the directory of the fit, wherever the featurizer is used later.

    Parameters
    ----------
    featurizer : transformer
        Has a parameter ``store``.

    Returns
    -------
    store_at_fit : tuple (str or None, str or None)
        What the parameter said, and the absolute folder.
    """
    store = _given(featurizer)
    if store is None:
        return None, None
    folder = absolute_path(store)
    if not _read_only.get():
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            warn_of_store(f"Nothing is kept: the folder {folder} cannot be made ({error}).")
    return os.fsdecode(store), str(folder)


def folder_of(featurizer):
    """Folder of a featurizer's store: that of its fit, else what its parameter says now; a Path, or None."""
    store = _given(featurizer)
    if store is None:
        return None
    given, resolved = getattr(featurizer, "_store_at_fit", (None, None))
    return absolute_path(resolved if given == os.fsdecode(store) else store)


def _given(featurizer):
    """The folder that a parameter names."""
    store = featurizer.store
    return store.root if hasattr(store, "cache_folder") else store


def may_write(folder):
    """Whether things are kept in a folder. One that is not there is not made: it belongs to another machine."""
    if _read_only.get():
        return False
    if not os.path.isdir(folder):
        warn_of_store(f"Nothing is kept: the folder {folder} is not there. Make it, or pass store=None.")
        return False
    return True


def warn_of_store(text):
    """Tell that a store is not as it should be; the answer is the same without it."""
    warnings.warn(text, StoreWarning, stacklevel=2)
