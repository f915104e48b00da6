import os
import subprocess
import sys

import pytest

from skbst.audio import _quiet
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


def test_what_is_said_after_an_interrupt_in_a_bad_moment_comes_through():
    """Ctrl-C may strike between two lines of the capture, where nothing tells it to leave."""
    code = "import sys\nfrom skbst.audio import _quiet\n_quiet._capture.enter(object())\nprint('said since', file=sys.stderr, flush=True)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"said since\n")


def test_a_sound_that_was_never_entered_is_left_without_harm(capfd):
    _quiet._capture.leave(object())
    os.write(2, b"said")
    assert capfd.readouterr().err == "said"
