"""One torch thread a worker, also where several callers want that at a time."""

import os
import threading
from contextlib import contextmanager

__all__ = ["one_torch_thread"]

_lock = threading.Lock()
_state = {"depth": 0, "threads": None}


def _reset():
    global _lock
    _lock = threading.Lock()
    _state.update(depth=0, threads=None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset)


@contextmanager
def one_torch_thread():
    """Let torch use one thread in calls from here and from threads started here; the former number returns after."""
    import torch

    with _lock:
        if _state["depth"] == 0:
            _state["threads"] = torch.get_num_threads()
        _state["depth"] += 1
    try:
        torch.set_num_threads(1)
        yield
    finally:
        with _lock:
            _state["depth"] -= 1
            torch.set_num_threads(_state["threads"])
