"""Clips that take more memory than there is."""

__all__ = ["ran_out_of_memory"]

# torch says so in a RuntimeError of its own words on a CPU, and in torch.OutOfMemoryError, which is one too, on a GPU
_WORDS = ("can't allocate memory", "not enough memory", "out of memory")


def ran_out_of_memory(error):
    """Whether an error says that memory ran out.

    Parameters
    ----------
    error : BaseException
        From NumPy, torch or Python itself.

    Returns
    -------
    ran_out : bool

    Examples
    --------
    >>> from skbst.features._clips._memory import ran_out_of_memory
    >>> ran_out_of_memory(MemoryError()), ran_out_of_memory(RuntimeError("shapes differ"))
    (True, False)
    """
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)
