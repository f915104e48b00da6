"""Torch's global state, borrowed and given back."""

from contextlib import contextmanager

import torch

from skbst._torch import borrowed_threads, resolve_device

__all__ = ["borrowed_threads", "resolve_device", "seeded", "training_session"]


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


@contextmanager
def training_session(seed, device, n_threads):
    """Seeded generators and a number of threads, for one net."""
    with seeded(seed, device), borrowed_threads(n_threads):
        yield
