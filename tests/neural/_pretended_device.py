"""A device that is the CPU and says that it is another.

A tensor of it holds a tensor of the CPU. Whatever mixes one with a tensor of the CPU, or reads it without fetching it
first, is an error as on a GPU; all else computes real numbers. So whole fits show whether anything stays behind on
another device, which torch's meta device cannot: it has no values to pack frames by, or to stop by.
"""

from contextlib import contextmanager

import pytest
import torch
from torch.overrides import TorchFunctionMode

__all__ = ["NAME", "Elsewhere", "pretended_device"]

# torch's own name for devices that it does not know
NAME = "privateuseone:0"
_HERE = torch.device("cpu")
_THERE = torch.device(NAME)

aten = torch.ops.aten
# these take a tensor of the CPU beside one of a GPU
_MAY_MIX = {aten.copy_.default, aten._index_put_impl_.default}
_INDEXING = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default}


class Elsewhere(torch.Tensor):
    """A tensor of the pretended device."""

    @staticmethod
    def __new__(cls, held):
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=_HERE,
            requires_grad=False,
        )
        made.held = held.detach()
        return made

    def __repr__(self):
        return f"Elsewhere({self.held})"

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        _refuse_mixtures(function, args, kwargs)
        wrappers = {}  # what is written in place, and a view of everything, keep theirs

        def held(leaf):
            if isinstance(leaf, Elsewhere):
                wrappers[id(leaf.held)] = leaf
            return _held(leaf)

        out = function(*_mapped(held, args), **_mapped(held, kwargs))
        return _mapped(lambda leaf: wrappers[id(leaf)] if id(leaf) in wrappers else _there(leaf), out)


def _mapped(change, value):
    """The same with every leaf of nested tuples, lists and dicts changed; torch's own pytree takes most of a test."""
    if type(value) in (tuple, list):
        return type(value)([_mapped(change, each) for each in value])
    if type(value) is dict:
        return {name: _mapped(change, each) for name, each in value.items()}
    return change(value)


def _refuse_mixtures(function, args, kwargs):
    if function in _MAY_MIX:
        return
    here, any_there = None, False

    def look(leaf):
        nonlocal here, any_there
        if isinstance(leaf, Elsewhere):
            any_there = True
        elif isinstance(leaf, torch.Tensor) and leaf.dim():  # numbers of the CPU go with everything
            here = leaf

    _mapped(look, (args[:1] if function in _INDEXING else args, kwargs))
    if any_there and here is not None:
        raise RuntimeError(f"{function}: a tensor of shape {tuple(here.shape)} stayed behind on the CPU.")


def _held(leaf):
    return leaf.held if isinstance(leaf, Elsewhere) else leaf


def _there(leaf):
    return Elsewhere(leaf) if isinstance(leaf, torch.Tensor) and not isinstance(leaf, Elsewhere) else leaf


def _moved(tensor):
    return tensor.held.clone() if isinstance(tensor, Elsewhere) else Elsewhere(tensor.clone())


class _Move(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tensor, there):
        return _moved(tensor)

    @staticmethod
    def backward(ctx, gradient):
        raise RuntimeError("The tests never send a gradient from one device to another.")


def _is_there(device):
    return device is not None and not isinstance(device, torch.dtype) and torch.device(device).type == _THERE.type


class _Pretend(TorchFunctionMode):
    """Devices are torch's own business below this: it makes and moves tensors."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = getattr(function, "__name__", "")
        first = args[0] if args else None
        if name == "__get__" and isinstance(first, Elsewhere) and function == torch.Tensor.device.__get__:
            return _THERE
        if function is torch.Tensor.to:
            return self._to(*args, **kwargs)
        if function in (torch.Tensor.cpu, torch.Tensor.numpy, torch.Tensor.tolist) and isinstance(first, Elsewhere):
            if function is torch.Tensor.numpy:
                raise TypeError("can't convert a tensor of another device to numpy. Use Tensor.cpu() first.")
            moved = _moved(first)
            return moved if function is torch.Tensor.cpu else moved.tolist()
        if function is torch._C._nn.pad_sequence and isinstance(first[0], Elsewhere):
            # makes its result where C++ sees the first one
            longest = max(len(each) for each in first)
            return torch.stack([torch.nn.functional.pad(each, (0, 0, 0, longest - len(each))) for each in first])
        if _is_there(kwargs.get("device")):
            kwargs["device"] = _HERE
            wants_gradient = kwargs.pop("requires_grad", False)
            made = function(*_mapped(_held, args), **_mapped(_held, kwargs))
            return _there(made).requires_grad_(wants_gradient)
        if kwargs.get("device") == _HERE and isinstance(first, Elsewhere) and name.startswith("new_"):
            raise AssertionError(f"{name} with device='cpu' of a tensor elsewhere")
        return function(*args, **kwargs)

    @staticmethod
    def _to(tensor, *args, dtype=None, device=None, non_blocking=False, copy=False):
        for target in args:
            if isinstance(target, torch.Tensor):
                device, dtype = target.device, target.dtype
            elif isinstance(target, torch.dtype):
                dtype = target
            elif isinstance(target, (str, torch.device)):
                device = target
        if device is not None and _is_there(device) != isinstance(tensor, Elsewhere):
            tensor = _Move.apply(tensor, _is_there(device)) if tensor.requires_grad else _moved(tensor)
        return torch.Tensor.to(tensor, dtype=dtype, copy=copy)


@contextmanager
def pretended_device():
    """Context in which `NAME` is a device."""
    with pytest.MonkeyPatch.context() as patch:
        autocast, grouped = torch.autocast, torch.optim.Optimizer._group_tensors_by_device_and_dtype

        def autocast_here(device_type, *args, **kwargs):
            return autocast("cpu", *args, **kwargs)

        def groups(*args, **kwargs):
            return {(_THERE, dtype): found for (_, dtype), found in grouped(*args, **kwargs).items()}

        patch.setattr(torch, "autocast", autocast_here)
        patch.setattr(torch, "inference_mode", torch.no_grad)  # what holds a tensor has no version to count
        patch.setattr(torch.optim.Optimizer, "_group_tensors_by_device_and_dtype", staticmethod(groups))
        # a parameter cannot take the values of a tensor of another class in its place
        before = torch.__future__.get_overwrite_module_params_on_conversion()
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        try:
            with _Pretend():
                yield _THERE
        finally:
            torch.__future__.set_overwrite_module_params_on_conversion(before)
