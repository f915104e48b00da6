"""All attacks in one command, from one seed: what is promised, and how it was tried.

    python benchmarks/attack [--seed 0] [--small]
    python benchmarks/attack --only sounds kills models checkpoints texts limits

The parts are commands of their own, which say more. ``--small`` takes a twentieth of everything, in about two minutes.
"""

import argparse
import sys
import tempfile
import time
import warnings
from pathlib import Path

import altered
import kills
import limits
import sounds
import texts

PARTS = ("sounds", "kills", "models", "checkpoints", "texts", "limits")


def try_sounds(seed, share):
    n = max(36, round(2000 * share))
    with tempfile.TemporaryDirectory() as folder:
        status, rows, printed = sounds.attack(n, n, seed, folder)
    print(sounds.table(rows))
    is_good = status == 0 and not printed and not any(row["lost"] or row["unnamed"] for row in rows)
    return is_good, f"{n} sounds and {n} Oggs with right checksums: exit status {status}, " + ", ".join(
        f"{sum(row[name] for row in rows)} {name}" for name in ("lost", "unnamed")
    )


def try_kills(seed, share):
    rows = kills.attack_all(max(6, round(100 * share)), seed)
    said = ", ".join(f"{sum(row[name] for row in rows)} {name}" for name in ("other bytes", "left over", "half"))
    again = max(row["parts again"] for row in rows)
    return all(
        map(kills.is_good, rows)
    ), f"{sum(row['kills'] for row in rows)} kills: {said}, {again} parts again at most"


def try_models(seed, share):
    n = max(15, round(300 * share))
    with tempfile.TemporaryDirectory() as root:
        found = altered.attack_models(n, seed, Path(root))
    return altered.is_good(found), f"{n} altered model files: {_counts(found)}"


def try_checkpoints(seed, share):
    n = max(15, round(300 * share))
    with tempfile.TemporaryDirectory() as root:
        found = altered.attack_checkpoints(n, seed, Path(root))
    return altered.is_good(found), f"{n} altered checkpoints and encoder folders: {_counts(found)}"


def try_texts(seed, share):
    n, kilobytes = max(6, round(120 * share)), 1024 if share == 1 else 64
    rows = texts.attack(n, kilobytes, seed)
    slope, taken, name, piece, end = rows[0]
    worst = f"steepest slope {slope:.2f} ({name} of {piece!r}, {end!r}: {taken:.1f} s)"
    return slope <= texts.STEEPEST, f"{n} shapes of text to {kilobytes} kB, {len(texts.functions())} functions: {worst}"


def try_limits(seed, share):
    rows = limits.attack_all(max(6, round(60 * share)), seed)
    said = ", ".join(f"{sum(row[name] for row in rows)} {name}" for name in ("OSError", "answered", "other", "corrupt"))
    said += f", {sum(row['left over'] for row in rows)} left over"
    return all(
        map(limits.is_good, rows)
    ), f"{sum(row['full'] for row in rows)} full disks, {len(rows)} read-only: {said}"


def _counts(found):
    return ", ".join(f"{n} {what}" for what, n in sorted(found.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    lines, all_good = [], True
    for part in options.only:
        started = time.perf_counter()
        is_good, said = globals()[f"try_{part}"](options.seed, 0.05 if options.small else 1)
        lines.append(f"{'held' if is_good else 'BROKEN':>7}  {said} ({time.perf_counter() - started:.0f} s)")
        print(lines[-1], flush=True)
        all_good &= is_good
    print("\n".join(["", f"seed {options.seed}", *lines]))
    return 0 if all_good else 1


if __name__ == "__main__":
    sys.exit(main())
