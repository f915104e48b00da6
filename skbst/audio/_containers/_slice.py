"""A part of a file as a file of its own."""

import io
import os

__all__ = ["FileSlice"]


class FileSlice(io.RawIOBase):
    """Bytes `start` to `stop` of a file, with a few of them replaced.

    Parameters
    ----------
    path : str or path-like
        The file.

    start : int, default=0
        Its first byte.

    stop : int, default=None
        Its end; None is that of the file.

    patch : tuple of (int, bytes), default=None
        What stands at which place of the slice instead.
    """

    def __init__(self, path, start=0, stop=None, patch=None):
        super().__init__()
        # closed by close()
        self._file = open(path, "rb")  # noqa: SIM115
        size = os.fstat(self._file.fileno()).st_size
        self._start, self._stop = start, size if stop is None else min(stop, size)
        self._patch, self._at = patch, 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self._at

    def seek(self, offset, whence=os.SEEK_SET):
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._stop - self._start}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer):
        room = max(0, self._stop - self._start - self._at)
        self._file.seek(self._start + self._at)
        data = bytearray(self._file.read(min(len(buffer), room)))
        if self._patch is not None:
            place, new = self._patch[0] - self._at, self._patch[1]
            for i, byte in enumerate(new, place):
                if 0 <= i < len(data):
                    data[i] = byte
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self):
        self._file.close()
        super().close()
