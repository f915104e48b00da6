"""Torch's devices and its number of threads, which is one setting for the whole process."""

import os
import threading
from contextlib import contextmanager

__all__ = ["borrowed_threads", "check_device", "one_torch_thread"]

_lock = threading.Lock()
_state = {"depth": 0, "threads": None}


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


def check_device(device):
    """Refuse what is neither "auto" nor the name of a torch device."""
    if device == "auto":
        return
    import torch

    try:
        torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device must be 'auto', 'cpu' or a torch device such as 'cuda:0'; got {device!r}.") from error
