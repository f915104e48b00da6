"""torch's global generator as it was: some encoders draw from it in every pass, also where nothing is dropped."""

import os
import threading
from contextlib import contextmanager

__all__ = ["generator_kept"]

_lock = threading.Lock()
_state = {"depth": 0, "generator": None}


def _reset():
    global _lock
    _lock = threading.Lock()
    _state.update(depth=0, generator=None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset)


@contextmanager
def generator_kept():
    """Put torch's generator of the CPU back when the last of the calls that overlap has ended."""
    import torch

    with _lock:
        if _state["depth"] == 0:
            _state["generator"] = torch.get_rng_state()
        _state["depth"] += 1
    try:
        yield
    finally:
        with _lock:
            _state["depth"] -= 1
            if _state["depth"] == 0:
                torch.set_rng_state(_state["generator"])
                _state["generator"] = None
