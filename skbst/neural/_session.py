"""Torch's global state, borrowed and given back."""

import warnings
from contextlib import contextmanager

import torch

from skbst._torch import borrowed_threads, check_device

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
