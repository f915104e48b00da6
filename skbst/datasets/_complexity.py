"""Count the parameters and the multiplications of a fitted estimator."""

import sys
from collections.abc import Mapping
from contextlib import contextmanager

import numpy as np

__all__ = ["measure_complexity"]

_WEIGHTS = ("coef_", "intercept_", "coefs_", "intercepts_", "components_")


def measure_complexity(estimator, X=None):
    """Count parameters, and multiply-accumulate operations per row.

    Parameters
    ----------
    estimator : object
        A fitted estimator, Pipeline or ensemble. Counted are the parameters of all torch modules in it, and the
        weights of scikit-learn models and projections (``coef_``, ``intercept_``, ``components_`` ...). A bank of
        neighbours, vocabularies and statistics are not.

    X : array-like of shape (n_samples, ...), default=None
        Rows to predict, to count the operations that torch does on them; None leaves them uncounted.

    Returns
    -------
    complexity : dict
        ``total_parameters`` : int; ``MACS`` : int per row, or None.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbst.datasets import measure_complexity
    >>> X, y = load_iris(return_X_y=True)
    >>> measure_complexity(LogisticRegression(max_iter=500).fit(X, y))
    {'total_parameters': 15, 'MACS': None}
    """
    return {
        "total_parameters": _count(estimator, seen=set()),
        "MACS": None if X is None else _count_macs(estimator, X),
    }


def _count(item, *, seen):
    if id(item) in seen or isinstance(item, str | bytes | int | float | type | None):
        return 0
    seen.add(id(item))
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(item, torch.nn.Module):
        return _count_new_parameters(item, seen)
    if isinstance(item, Mapping):
        return sum(_count(value, seen=seen) for value in item.values())
    if isinstance(item, list | tuple):
        return sum(_count(value, seen=seen) for value in item)
    if not hasattr(item, "__dict__") or callable(item):
        return 0
    total = 0
    for name, value in vars(item).items():
        total += _sizes(value) if name in _WEIGHTS else _count(value, seen=seen)
    return total


def _count_new_parameters(module, seen):
    """A module may be held whole and in parts; each parameter counts once."""
    new = [parameter for parameter in module.parameters() if id(parameter) not in seen]
    seen.update(id(parameter) for parameter in new)
    return sum(parameter.numel() for parameter in new)


def _sizes(value):
    return sum(np.size(array) for array in value) if isinstance(value, list) else np.size(value)


def _count_macs(estimator, X):
    """Torch's own count of floating point operations; a multiply-accumulate is two."""
    from torch.utils.flop_counter import FlopCounterMode

    with _without_fused_attention(), FlopCounterMode(display=False) as counter:
        estimator.predict(X)
    return int(counter.get_total_flops() // 2 // len(X))


@contextmanager
def _without_fused_attention():
    """Fused Transformer layers and attention are operations that the counter does not know on a CPU."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)
