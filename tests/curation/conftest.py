"""A real browser for the tests of the review page, that no test can hang in."""

import contextlib
import os
import shutil
import signal
import threading
from pathlib import Path

import pytest

# a test takes seconds, and on a machine that computes something else at the same time tens of them
LIMIT = 180
_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync "
    # without a sound card a player that waits for one never moves
    "--disable-component-update --disable-dev-shm-usage --mute-audio --autoplay-policy=no-user-gesture-required"
)


@pytest.fixture
def browser(tmp_path, request):
    """Debian's chromium with a profile of its own; a test that waits for ever loses it and fails."""
    engine = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if chromium() is None or not Path("/proc/self").exists():
        pytest.skip("chromium is not installed; apt-get install chromium")
    with opened(engine, tmp_path / "profile", getattr(request, "param", LIMIT)) as context:
        yield context


def chromium():
    """Debian's, or the one that runners of continuous integration have."""
    return shutil.which("chromium") or shutil.which("google-chrome")


@contextlib.contextmanager
def opened(engine, profile, limit):
    """A browser that is ended `limit` seconds after it has opened, with whatever waits for it."""
    with _ended(profile, LIMIT), engine.sync_playwright() as driver:
        # of what playwright is asked, evaluating and pressing keys wait without a limit of their own
        context = driver.chromium.launch_persistent_context(
            str(profile), executable_path=chromium(), args=_FLAGS.split(), timeout=1000 * LIMIT
        )
        context.set_default_timeout(1000 * LIMIT / 3)
        with _ended(profile, limit):
            yield context
        with contextlib.suppress(engine.Error):
            context.close()


@contextlib.contextmanager
def _ended(profile, limit):
    watch = threading.Timer(limit, _end, [str(profile), os.getpid()])
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _end(profile, parent):
    """End this test's browser; the driver then tells whoever waits that it is gone."""
    for process in sorted(_below(parent), reverse=True):
        with contextlib.suppress(OSError):
            if profile.encode() in Path(f"/proc/{process}/cmdline").read_bytes():
                os.kill(process, signal.SIGKILL)


def _below(parent):
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            children.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found = [parent]
    for process in found:
        found += children.get(process, [])
    return found[1:]
