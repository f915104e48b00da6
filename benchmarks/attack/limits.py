"""Disks that are full and folders that are read-only, while stores, libraries, models and downloads are written.

    python benchmarks/attack/limits.py [--rounds 60] [--seed 0]

A child runs a job (`jobs.py`) under a limit of the size of each file (RLIMIT_FSIZE: as on a full disk, a write fails
in the middle of a file), at sizes from a seed. It must end in an OSError, or, for stores, give the right answer
without keeping it; a model that is there stays the old or the new one; and the next run without a limit must give
the bytes of one that nobody disturbed. Then the same in a folder that may not be written (as another user, where
this one is root).
"""

import argparse
import contextlib
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
from jobs import JOBS, quietly
from kills import in_child, kinds_of_files

NOBODY = 65534


def run_limited(job, folder, prepare):
    """Run a job in a forked child after `prepare`; returns "OSError", another error, or its result."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            prepare()
            said = quietly(job, folder)
        except OSError:
            said = "OSError"
        except BaseException as error:
            said = f"other: {error!r}"[:150]
        with contextlib.suppress(OSError):
            os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def full_disk(n_bytes):
    """Make a preparation that lets no file grow above a size."""

    def prepare():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))

    return prepare


def not_root():
    """Become a user who may not write what others own."""
    if os.geteuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def attack(name, rounds, seed):
    """Run one job under limits; returns a row of figures."""
    generator, job = np.random.default_rng([seed, *name.encode()]), JOBS[name]()
    row = {"job": name, "full": 0, "OSError": 0, "answered": 0, "other": 0, "corrupt": 0, "left over": 0}
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        alone = Path(root) / "alone"
        alone.mkdir()
        # here and not in a child, so that all modules are loaded: another user may not read them
        expected = quietly(job, alone)
        kinds = kinds_of_files(alone)
        largest = max(path.stat().st_size for path in alone.rglob("*") if path.is_file())
        for number in range(rounds):
            folder = Path(root) / f"full-{number}"
            folder.mkdir()
            n_bytes = int(generator.integers(0, max(1, largest)))
            row["full"] += 1
            _count(row, run_limited(job, folder, full_disk(n_bytes)), expected)
            row["corrupt"] += not getattr(job, "check", lambda _: True)(folder)
            _, found = in_child(job, folder)
            row["corrupt"] += found != expected
            row["left over"] += len(kinds_of_files(folder) - kinds)
        row["read-only"] = _read_only(job, Path(root) / "closed", expected)
    return row


def _count(row, said, expected):
    if said == "OSError":
        row["OSError"] += 1
    elif said == expected:
        row["answered"] += 1
    else:
        row["other"] += 1
        print("  ", row["job"], said)


def _read_only(job, folder, expected):
    """What a job says of a folder that may not be written, empty and filled."""
    folder.mkdir()
    empty = run_limited(job, folder, lambda: (os.chmod(folder, 0o555), not_root()))
    os.chmod(folder, 0o755)
    in_child(job, folder)
    for path in [folder, *folder.rglob("*")]:
        os.chmod(path, 0o555 if path.is_dir() else 0o444)
    filled = run_limited(job, folder, not_root)
    for path in [folder, *folder.rglob("*")]:
        os.chmod(path, 0o755 if path.is_dir() else 0o644)
    _, after = in_child(job, folder)
    words = ["answered" if said == expected else said for said in (empty, filled)]
    return f"{words[0]}, {words[1]}" + ("" if after == expected else ", other: corrupt")


def attack_all(rounds, seed):
    """Spread so many limits over all jobs; returns a row for each."""
    return [attack(name, max(1, rounds // len(JOBS)), seed) for name in JOBS]


def is_good(row):
    """Whether a row shows what is promised."""
    return row["other"] == row["corrupt"] == row["left over"] == 0 and "other" not in row["read-only"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = attack_all(options.rounds, options.seed)
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    return 0 if all(map(is_good, rows)) else 1


if __name__ == "__main__":
    sys.exit(main())
