"""What a file may not decide for the person who loads it: folders that are written, and code that is run."""

import warnings

from skbst.exceptions import UnsafeModelError

__all__ = ["FOLDERS", "trusted_state"]

# parameters that name a folder in which an estimator keeps things; they belong to a machine and not to a model
FOLDERS = ("cache", "cache_dir", "cache_folder", "memory", "memory_map", "store")


def trusted_state(state):
    """State of an estimator from a file, without the folders that it names.

    Parameters
    ----------
    state : dict
        Attribute -> value.

    Returns
    -------
    state : dict
        The same, each folder replaced by None.

    Raises
    ------
    UnsafeModelError
        If the file names a cache of pickles, asks for code from a hub, or for a file to be mapped into memory.

    Warns
    -----
    UserWarning
        If a folder was named: files of format 1 and 2 kept them.

    Examples
    --------
    >>> from skbst.persistence._trust import trusted_state
    >>> trusted_state({"n_mels": 128, "store": None})
    {'n_mels': 128, 'store': None}
    """
    if state.get("memory") is not None:
        raise UnsafeModelError("The model names a cache of pickles (memory=), which is never taken from a file.")
    if state.get("trust_remote_code"):
        raise UnsafeModelError("The model asks for remote code to be run (trust_remote_code), which a file never may.")
    blocks = state.get("_blocks")
    if isinstance(blocks, dict) and any(isinstance(block, tuple) for block in blocks.values()):
        raise UnsafeModelError(
            "The model names a file outside of its folder to be mapped into memory. It was not loaded."
        )
    named = [name for name in FOLDERS if state.get(name) is not None]
    if named:
        warnings.warn(
            f"The model names a folder of its own ({named[0]}={str(state[named[0]])[:80]!r}), which is not taken from "
            f"a file; set it with set_params where {named[0]} is wanted.",
            UserWarning,
            stacklevel=2,
        )
    return {**state, **dict.fromkeys(named)}
