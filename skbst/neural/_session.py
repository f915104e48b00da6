"""Torch's global state, borrowed and given back."""

import threading
import warnings
from contextlib import contextmanager

import torch

__all__ = ["borrowed_threads", "check_device", "resolve_device", "seeded"]


@contextmanager
def seeded(seed, device):
    """Seed torch's generators inside, and leave them as they were."""
    device = torch.device(device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.random.default_generator.manual_seed(int(seed))
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(int(seed))
        yield


class _Loan:
    """How many callers have borrowed torch's setting, and what it was before the first."""

    lock = threading.Lock()
    n_borrowers = 0
    before = None


@contextmanager
def borrowed_threads(n_threads):
    """Let torch use so many threads inside; None leaves its setting alone.

    The setting is one for the whole process: of several Python threads that borrow it at once the last gives it back,
    so that none of them ends its work, and rounds, with another number than it asked for.
    """
    if n_threads is None:
        yield
        return
    with _Loan.lock:
        if not _Loan.n_borrowers:
            _Loan.before = torch.get_num_threads()
        _Loan.n_borrowers += 1
        torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        with _Loan.lock:
            _Loan.n_borrowers -= 1
            if not _Loan.n_borrowers:
                torch.set_num_threads(_Loan.before)


def check_device(device):
    """Refuse what is neither "auto" nor the name of a torch device."""
    if device == "auto":
        return
    try:
        torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device must be 'auto', 'cpu' or a torch device such as 'cuda:0'; got {device!r}.") from error


def resolve_device(device):
    """Turn "auto" into a device that is there; a missing GPU becomes the CPU, with a warning."""
    check_device(device)
    has_cuda = torch.cuda.is_available()
    if device == "auto":
        return "cuda" if has_cuda else "cpu"
    if torch.device(device).type == "cuda" and not has_cuda:
        warnings.warn(f"device={device!r} is not there; the CPU is used.", UserWarning, stacklevel=3)
        return "cpu"
    return device
