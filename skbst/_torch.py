"""Torch's devices, its number of threads, which is one setting for the whole process, and how few rows it is given."""

import os
import threading
import warnings
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["borrowed_threads", "check_device", "least_rows", "one_torch_thread", "resolve_device", "rows_as_they_are"]

_lock = threading.Lock()
_state = {"depth": 0, "threads": None}
# below so many rows a matrix product takes another path through the BLAS, with other rounding
_least_rows = ContextVar("skbst_least_rows", default=16)


def _reset():
    global _lock
    _lock = threading.Lock()
    _state.update(depth=0, threads=None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset)


@contextmanager
def borrowed_threads(n_threads):
    """Let torch use so many threads inside; None leaves its setting alone.

    Of several Python threads that borrow the setting at once the last gives it back, so that none of them ends its
    work, and rounds, with another number than it asked for.
    """
    if n_threads is None:
        yield
        return
    import torch

    with _lock:
        if _state["depth"] == 0:
            _state["threads"] = torch.get_num_threads()
        _state["depth"] += 1
        torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        with _lock:
            _state["depth"] -= 1
            if _state["depth"] == 0:
                torch.set_num_threads(_state["threads"])


def one_torch_thread():
    """Let torch use one thread in calls from here and from threads started here; the former number returns after."""
    return borrowed_threads(1)


def least_rows():
    """How many rows a network is given at least; what is missing is filled up, so that answers have the same bytes."""
    return _least_rows.get()


@contextmanager
def rows_as_they_are():
    """Fill nothing up, in calls of this thread: where the work of each row is counted."""
    token = _least_rows.set(1)
    try:
        yield
    finally:
        _least_rows.reset(token)


def check_device(device):
    """Refuse what is neither "auto" nor the name of a torch device."""
    if device == "auto":
        return
    import torch

    try:
        torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device must be 'auto', 'cpu' or a torch device such as 'cuda:0'; got {device!r}.") from error


def resolve_device(device):
    """Name of a torch device that is there.

    "auto" takes the GPU where there is one. A GPU that is not there becomes the CPU, with a warning: what was made on
    a machine with one works on a machine without.
    """
    check_device(device)
    import torch

    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda" if n_gpus else "cpu"
    asked = torch.device(device)
    if asked.type == "cuda" and (asked.index or 0) >= n_gpus:
        warnings.warn(f"device={device!r} is not there; the CPU is used.", UserWarning, stacklevel=3)
        return "cpu"
    return device
