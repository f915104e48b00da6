"""Count the parameters and the multiplications of a fitted estimator."""

import sys
from collections.abc import Mapping
from contextlib import contextmanager

import numpy as np

from skbst._torch import rows_as_they_are

__all__ = ["measure_complexity"]

_WEIGHTS = ("coef_", "intercept_", "coefs_", "intercepts_", "components_")


def measure_complexity(estimator, X=None):
    """Count parameters, and multiply-accumulate operations per row.

    Parameters
    ----------
    estimator : object
        A fitted estimator, Pipeline or ensemble. Counted are the parameters of all torch modules in it, the weights of
        scikit-learn models and projections (``coef_``, ``intercept_``, ``components_`` ...), and the encoders of CLAP
        that its featurizers run, once each, which are loaded for that. A bank of neighbours, vocabularies, statistics
        and the CLAP model behind shipped embeddings are not.

    X : array-like of shape (n_samples, ...), default=None
        A few rows to predict, to count the operations; None leaves them uncounted. Counted are the matrix products,
        convolutions and attention that torch does, from the sound on and CLAP's included, whatever a store holds.
        Fourier transforms, element-wise operations, linear models and the neighbour search are not.

    Returns
    -------
    complexity : dict
        ``total_parameters`` : int; ``MACS`` : int, the mean over the rows, or None.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbst.submission import measure_complexity
    >>> X, y = load_iris(return_X_y=True)
    >>> measure_complexity(LogisticRegression(max_iter=500).fit(X, y))
    {'total_parameters': 15, 'MACS': None}
    """
    parts = list(_visit(estimator, seen=set()))
    seen = set()
    total = sum(_count_parameters(part, seen) for part in parts)
    return {"total_parameters": total, "MACS": None if X is None else _count_macs(estimator, X, parts)}


def _visit(item, *, seen):
    """Yield what holds weights in `item`, torch modules as wholes; each object once."""
    if id(item) in seen or isinstance(item, str | bytes | int | float | type | None):
        return
    seen.add(id(item))
    if isinstance(item, Mapping):
        held = item.values()
    elif isinstance(item, list | tuple):
        held = item
    elif _is_module(item):
        yield item
        return
    elif not hasattr(item, "__dict__") or callable(item):
        return
    else:
        yield item
        held = vars(item).values()
    for value in held:
        yield from _visit(value, seen=seen)


def _is_module(item):
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(item, torch.nn.Module)


def _count_parameters(part, seen):
    if _is_module(part):
        return _count_new_parameters(part, seen)
    total = sum(_sizes(value) for name, value in vars(part).items() if name in _WEIGHTS)
    return total + sum(_count_new_parameters(module, seen) for module in _shared_modules(part))


def _shared_modules(part):
    """Networks that a featurizer runs and does not hold: a process loads CLAP once for all."""
    return part.shared_modules() if hasattr(part, "shared_modules") else []


def _count_new_parameters(module, seen):
    """A module may be held whole and in parts; each parameter counts once."""
    new = [parameter for parameter in module.parameters() if id(parameter) not in seen]
    seen.update(id(parameter) for parameter in new)
    return sum(parameter.numel() for parameter in new)


def _sizes(value):
    return sum(np.size(array) for array in value) if isinstance(value, list) else np.size(value)


def _count_macs(estimator, X, parts):
    """Torch's own count of floating point operations; a multiply-accumulate is two."""
    from torch.utils.flop_counter import FlopCounterMode

    with _computing_here(parts), rows_as_they_are(), _without_fused_attention():
        if any(hasattr(part, "shared_modules") for part in parts):
            # CLAP embeds the first text of each length twice, to compare
            estimator.predict(X)
        with FlopCounterMode(display=False) as counter:
            estimator.predict(X)
    return int(counter.get_total_flops() // 2 // len(X))


@contextmanager
def _computing_here(parts):
    """All is computed in this thread, the only one that the counter sees, and nothing read from a store."""
    alone = {"n_jobs": 1, "store": None}
    own = [vars(part) for part in parts if not _is_module(part)]
    before = [{name: values[name] for name in alone if name in values} for values in own]
    for values, kept in zip(own, before):
        values.update({name: alone[name] for name in kept})
    try:
        yield
    finally:
        for values, kept in zip(own, before):
            values.update(kept)


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
