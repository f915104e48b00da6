"""Arrays that may lie on disk: reading rows, and travelling by address."""

import mmap

import numpy as np

__all__ = ["pack_block", "take_rows", "unpack_block"]


def take_rows(block, rows):
    if rows is None:
        return block
    taken = block[rows]
    if isinstance(block, np.memmap):
        _release(block)
        return np.asarray(taken)
    return taken


def _release(block):
    """Give the pages of a map that were read back to the operating system; a private copy would lose its changes."""
    while isinstance(block, np.memmap) and isinstance(block.base, np.ndarray):
        block = block.base
    memory = block.base
    if isinstance(memory, mmap.mmap) and getattr(block, "mode", "c") != "c" and hasattr(memory, "madvise"):
        memory.madvise(mmap.MADV_DONTNEED)


def pack_block(block):
    """A memory map of a whole file travels as its address, everything else as it is."""
    is_file = isinstance(block, np.memmap) and block.filename is not None and block.mode != "c"
    if not is_file or not block.flags.c_contiguous:
        return block
    base = block
    while isinstance(base.base, np.memmap):
        base = base.base
    shift = block.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return ("memmap", str(block.filename), block.dtype.str, block.shape, base.offset + shift)


def unpack_block(packed):
    if isinstance(packed, tuple):
        _, filename, dtype, shape, offset = packed
        return np.memmap(filename, dtype=np.dtype(dtype), mode="r", shape=shape, offset=offset)
    return packed
