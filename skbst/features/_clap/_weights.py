"""Read weights without running code, and put them into a network without leaving one out."""

import pickle

from skbst.exceptions import CheckpointError

__all__ = ["load_strictly", "read_state", "without_initialisation"]


def read_state(path):
    """Read the tensors of a checkpoint; nothing in the file is executed.

    Parameters
    ----------
    path : Path
        A ``.safetensors`` file, or one written by ``torch.save``.

    Returns
    -------
    state : dict of str to Tensor
        Without the ``module.`` prefix that data-parallel training leaves.

    Raises
    ------
    CheckpointError
        If the file is damaged, holds Python objects that are no weights, or no weights at all.
    """
    import torch

    if not path.is_file():  # a named pipe would be waited for, a device never ends
        raise CheckpointError(
            f"{path} is no file of weights. Pass a .safetensors or .pt file, or the name of a checkpoint."
        )
    if path.suffix == ".safetensors":
        state = _read_safetensors(path)
    else:
        state = _read_torch(path)
        state = state.get("state_dict", state) if isinstance(state, dict) else state
    named = isinstance(state, dict) and all(isinstance(name, str) for name in state)
    if not named or not state or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise CheckpointError(
            f"{path} holds no weights: expected a mapping of names to tensors, or one under the key 'state_dict'."
        )
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


def _read_safetensors(path):
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except Exception as error:  # SafetensorError, and KeyError, ValueError and TypeError for odd headers
        raise CheckpointError(f"{path} is damaged or truncated ({error}). Fetch it again.") from error


def _read_torch(path):
    import torch

    try:
        with torch.serialization.safe_globals(_numpy_scalars()):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" not in str(error) and "Unsupported" not in str(error):
            raise CheckpointError(f"{path} is not a checkpoint, or a damaged one ({_first_line(error)}).") from error
        raise CheckpointError(
            f"{path} was refused: it holds Python objects beside weights, which could run code when loaded "
            f"({_first_line(error)}). If you trust its source, convert it once where that is safe: "
            "torch.save(torch.load(path, weights_only=False)['state_dict'], 'weights.pt')."
        ) from error
    except Exception as error:  # torch's readers end in OSError 22, struct.error, AssertionError and others
        raise CheckpointError(
            f"{path} is damaged or truncated ({_first_line(error)}). Fetch it again; it has "
            f"{path.stat().st_size} bytes."
        ) from error


def _numpy_scalars():
    """What the official checkpoints hold beside tensors: NumPy numbers in the log of their training."""
    import numpy as np

    core = np.core if np.lib.NumpyVersion(np.__version__) < "2.0.0" else np._core
    kinds = ("Float64DType", "Float32DType", "Int64DType", "Int32DType", "BoolDType")
    scalar = core.multiarray.scalar
    return [
        scalar,
        (scalar, "numpy.core.multiarray.scalar"),
        (scalar, "numpy._core.multiarray.scalar"),
        np.dtype,
        *(getattr(np.dtypes, kind) for kind in kinds),
    ]


def _first_line(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    wanted = [line for line in lines if "WeightsUnpickler error" in line or "Unsupported" in line]
    return (wanted or lines or [type(error).__name__])[0][:200]


def load_strictly(module, state, source, *, computed=()):
    """Copy weights into a module: every one of its numbers, in its shape, and nothing left over.

    Parameters
    ----------
    module : Module
        Is filled in place.

    state : dict of str to Tensor
        Weights.

    source : str
        For messages.

    computed : tuple of str
        Ends of names that may be missing on either side: constants that the module computes itself.

    Raises
    ------
    CheckpointError
        Counts and names what is missing, unexpected, of another shape, or not finite.
    """
    own = module.state_dict()
    missing = [name for name in own if name not in state and not name.endswith(computed)]
    extra = [name for name in state if name not in own and not name.endswith(computed)]
    shapes = [name for name in own if name in state and own[name].shape != state[name].shape]
    faults = [
        f"{len(names)} {what} (first: {names[0]})"
        for what, names in (("missing", missing), ("unexpected", extra), ("of another shape", shapes))
        if names
    ]
    if faults:
        raise CheckpointError(f"{source} does not fit {type(module).__name__}: {'; '.join(faults)}.")
    # a sum shows what is not finite in one pass
    broken = [name for name, value in state.items() if value.is_floating_point() and not value.sum().isfinite()]
    if broken:
        raise CheckpointError(f"{source}: {len(broken)} weights are NaN or infinite (first: {broken[0]}).")
    module.load_state_dict({name: state[name] for name in own if name in state}, strict=False)
    return module.float().eval().requires_grad_(False)


def without_initialisation():
    """Return a context in which parameters stay as they were allocated: all are overwritten from a checkpoint."""
    from torch.nn import Parameter
    from torch.overrides import TorchFunctionMode

    class WithoutInitialisation(TorchFunctionMode):
        """Skips functions that fill a parameter in place (``normal_``, ``zero_`` ...)."""

        def __torch_function__(self, func, types, args=(), kwargs=None):
            name, kwargs = getattr(func, "__name__", ""), kwargs or {}
            target = args[0] if args else kwargs.get("tensor")
            if name.endswith("_") and not name.endswith("__") and isinstance(target, Parameter):
                return target
            return func(*args, **kwargs)

    return WithoutInitialisation()
