"""Processes killed at moments from a seed, while they write stores, libraries, models and downloads.

    python benchmarks/attack/kills.py [--rounds 100] [--seed 0]

A child runs a job (`jobs.py`) and is killed by SIGKILL at a random moment of the time that it takes undisturbed; with a
chance of a third the folder is then killed again instead of being finished. The run after the kills must give the same
bytes as one that nobody disturbed; label_library must compute at most one part again; and no file may be left in
the folder of a kind that the undisturbed run does not leave.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from jobs import JOBS, quietly


def kinds_of_files(folder):
    """Names of the files, with numbers and random names taken out."""
    names = {str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file()}
    return {re.sub(r"[0-9a-f]{6,}|\d+", "#", name) for name in names}


def in_child(job, folder, seconds=None):
    """Run a job in a forked child, and kill it after some time; returns whether it was killed, and its result."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            # what a killed run says is nobody's business
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            os.write(writer, quietly(job, folder).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reader) as pipe:
        result = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status), result


def attack(name, rounds, seed):
    """Kill one job so many times; returns a row of figures."""
    generator, job = np.random.default_rng([seed, *name.encode()]), JOBS[name]()
    row = {"job": name, "kills": 0, "results": 0, "other bytes": 0, "parts again": 0, "left over": 0, "half": 0}
    with tempfile.TemporaryDirectory() as root:
        alone, started = Path(root) / "alone", time.perf_counter()
        alone.mkdir()
        _, expected = in_child(job, alone)
        seconds, kinds = time.perf_counter() - started, kinds_of_files(alone)
        while row["kills"] < rounds:
            folder = Path(root) / f"killed-{row['results']}"
            folder.mkdir(exist_ok=True)
            killed, _ = in_child(job, folder, generator.uniform(0, 1.1 * seconds))
            row["kills"] += killed
            row["half"] += not getattr(job, "check", lambda _: True)(folder)
            if generator.random() < 1 / 3 and row["kills"] < rounds:
                continue
            if hasattr(job, "n_computed"):
                n_there = job.n_parts(folder)
                n_again = job.n_computed(folder) + n_there - job.n_parts(folder)
                row["parts again"] = max(row["parts again"], n_again)
            _, found = in_child(job, folder)
            row["results"] += 1
            row["other bytes"] += found != expected
            row["left over"] += len(kinds_of_files(folder) - kinds)
    return row


def attack_all(rounds, seed):
    """Spread so many kills over all jobs; returns a row for each."""
    share = [rounds // len(JOBS) + (i < rounds % len(JOBS)) for i in range(len(JOBS))]
    return [attack(name, n, seed) for name, n in zip(JOBS, share)]


def is_good(row):
    """Whether a row shows what is promised."""
    return row["other bytes"] == row["left over"] == row["half"] == 0 and row["parts again"] <= 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = attack_all(options.rounds, options.seed)
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    return 0 if all(map(is_good, rows)) else 1


if __name__ == "__main__":
    sys.exit(main())
