"""A bar that cannot be drawn costs nothing of what it counts."""

import os
import sys

import pytest

from skbst._progress import progress_bar


class Broken:
    encoding = "utf-8"

    def __init__(self, error):
        self.error, self.n_tried = error, 0

    def write(self, text):
        self.n_tried += 1
        raise self.error

    flush = isatty = lambda self: self.write("")


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "No space left"), ValueError("closed file")])
def test_a_stream_that_breaks(monkeypatch, error):
    stream = Broken(error)
    stream.isatty = lambda: False
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(progress_bar(range(5), verbose=1)) == [0, 1, 2, 3, 4]
    with progress_bar(total=2, verbose=1) as bar:
        bar.update(2)
        assert bar.n == 2
    assert stream.n_tried


def test_no_stream_at_all(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert list(progress_bar(range(5), verbose=1)) == [0, 1, 2, 3, 4]


@pytest.mark.skipif(os.name == "nt", reason="pipes of another kind")
def test_a_pipe_that_nobody_reads(monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", buffering=1) as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        assert sum(progress_bar(range(5), verbose=1)) == 10
        monkeypatch.undo()
        with pytest.raises(BrokenPipeError):
            stream.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
