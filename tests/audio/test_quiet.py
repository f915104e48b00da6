import os

import pytest

from skbst.audio._quiet import decoders_held_back


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_keeps_the_files_of_its_parent():
    """Numbers of descriptors that were closed are given out again, here to a pipe."""
    with decoders_held_back():
        pass
    pipes = [os.pipe() for _ in range(8)]
    child = os.fork()
    if child == 0:
        try:
            for reader, writer in pipes:
                os.close(reader)
                os.write(writer, b"x")
        except OSError:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert all(os.read(reader, 1) == b"x" for reader, _ in pipes)
    for pair in pipes:
        for number in pair:
            os.close(number)
