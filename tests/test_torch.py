"""The one place that knows torch's devices and threads."""

import warnings

import pytest
import torch

from skbst._torch import resolve_device


def test_a_device_that_is_there_is_taken_as_it_is():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert resolve_device("cpu") == "cpu"
        assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(("n_gpus", "device"), [(0, "cuda"), (0, "cuda:1"), (2, "cuda:2")])
def test_a_gpu_that_is_not_there_becomes_the_cpu(monkeypatch, n_gpus, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: n_gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_gpus)
    with pytest.warns(UserWarning, match=f"device='{device}' is not there; the CPU is used"):
        assert resolve_device(device) == "cpu"


@pytest.mark.parametrize(("device", "expected"), [("auto", "cuda"), ("cuda:1", "cuda:1"), ("cuda", "cuda")])
def test_a_gpu_that_is_there_is_taken(monkeypatch, device, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device(device) == expected


def test_no_device_at_all():
    with pytest.raises(ValueError, match="device must be 'auto', 'cpu' or a torch device"):
        resolve_device("gpu")
