"""Does a network hear what only the sound tells? Accuracy on new clips, for each size, branch, head and task.

Embeddings tell the top level alone, and the class within it is told by one second of sound: a tone of 400 or 2,500 Hz;
bursts, four or ten a second; a sweep up or down; a tone before noise or after it; noise that fades in or out. 180 rows
to learn from, 200 new ones, made from a seed. Chance is .5. Networks are those of `skbst.systems.make_system` with
their own recipe, to the letter.

    python benchmarks/bench_heard.py [--sizes small report] [--branches mfcc ...] [--heads baseline ...]
        [--tasks tone ...] [--seed 0] [--set NAME=VALUE ...]
    python benchmarks/bench_heard.py --systems 1 2 3 4 [--sizes small]

--set gives a parameter of the network another value: ``--set patience=15 recipe__branch_logits=True``. --systems fits
whole systems on the tones, gives the new clips the frames of the other class of the same top level, and counts the
answers that change.
"""

import argparse
import ast
import os
import time
import warnings

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pandas as pd

from skbst.exceptions import FewClipsWarning
from skbst.features import ClipFeaturizer, LogMelFeaturizer, LogSTFTFeaturizer, MFCCFeaturizer
from skbst.neural import Recipe
from skbst.systems import make_system, system_1, system_2, system_3, system_4

RATE = 16000
TIME = np.arange(RATE) / RATE
CODES = np.array([["fx-a", "fx-h"], ["m-sp", "m-si"]])  # by top level and kind of sound
FRAMES = {
    "log-stft": ("log_stft", LogSTFTFeaturizer),
    "log-mel": ("log_mel", LogMelFeaturizer),
    "mfcc": ("mfcc", MFCCFeaturizer),
}
HEADS = ("baseline", "flat", "gc", "lcl")
SYSTEMS = {"1": system_1, "2": system_2, "3": system_3, "4": system_4}


def tone(kind, rng):
    """400 or 2,500 Hz: the mean spectrum tells."""
    return np.sin(2 * np.pi * (400, 2500)[kind] * rng.uniform(0.95, 1.05) * TIME)


def pulses(kind, rng):
    """Bursts of noise, four or ten a second and as much sound in all: the mean spectrum does not tell."""
    phase = (TIME * (4, 10)[kind] * rng.uniform(0.95, 1.05) + rng.uniform()) % 1
    return np.where(phase < 0.3, rng.normal(size=RATE), 0.0)


def sweep(kind, rng):
    """Up from 300 to 3,000 Hz in a second, or down."""
    low, high = 300 * rng.uniform(0.9, 1.1), 3000 * rng.uniform(0.9, 1.1)
    chirp = np.sin(2 * np.pi * (low * TIME + (high - low) * TIME**2 / 2))
    return chirp if kind == 0 else chirp[::-1]


def order(kind, rng):
    """A tone before noise, or after it."""
    low = np.sin(2 * np.pi * 400 * rng.uniform(0.9, 1.1) * TIME)
    return np.where((TIME < 0.5) == (kind == 0), low, rng.normal(scale=0.5, size=RATE))


def fade(kind, rng):
    """Noise that grows louder, or less loud."""
    loudness = np.linspace(0.05, 1, RATE)
    return rng.normal(scale=0.5, size=RATE) * (loudness if kind == 0 else loudness[::-1])


TASKS = {"tone": tone, "pulses": pulses, "sweep": sweep, "order": order, "fade": fade}


def embeddings(rng, top):
    rows = rng.normal(size=(len(top), 32))
    rows[:, 0] += 6 * (2 * top - 1)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def make_rows(task, branches, n_rows, seed):
    """Bundle with the frames of the branches, and class codes."""
    rng = np.random.default_rng(seed)
    top, kind = rng.integers(0, 2, n_rows), rng.integers(0, 2, n_rows)
    waves = [0.3 * TASKS[task](each, rng) + rng.normal(scale=0.005, size=RATE) for each in kind]
    clips = pd.DataFrame({"audio": [(wave.clip(-1, 1).astype(np.float32), RATE) for wave in waves]})
    frames = ClipFeaturizer([(FRAMES[branch][0], FRAMES[branch][1](duration=1.0)) for branch in branches])
    bundle = frames.fit_transform(clips)
    for name in ("clap_audio", "clap_text"):
        bundle = bundle.with_block(name, embeddings(rng, top))
    return bundle, CODES[top, kind]


def accuracies(args):
    """One row per network: its name, the accuracy in each task, CPU seconds of the fits."""
    for branch in args.branches:
        known, new = ({task: make_rows(task, [branch], *each) for task in args.tasks} for each in sets(args))
        for size in args.sizes:
            for head in args.heads:
                start, row = time.process_time(), []
                for task in args.tasks:
                    model = make_system(branch, head, size=size, random_state=args.seed)[-1].set_params(**args.set)
                    row.append(model.fit(*known[task]).score(*new[task]))
                seconds = time.process_time() - start
                yield [size, branch, head, *(f"{value:.3f}" for value in row), f"{seconds:.0f}"]


def sets(args):
    """Rows and seed of the known clips, and of the new ones."""
    return (180, 2 * args.seed), (200, 2 * args.seed + 1)


def exchanged(bundle, y):
    """The same rows, each with the frames of one of the other class of its top level."""
    tops = np.array([code.split("-")[0] for code in y])
    partner = [np.flatnonzero((tops == top) & (y != code))[0] for top, code in zip(tops, y)]
    for name in set(bundle.names) - {"clap_audio", "clap_text"}:
        bundle = bundle.with_block(name, bundle[name][partner], lengths=bundle.lengths(name)[partner])
    return bundle


def changes(args):
    """One row per system: accuracy, share of answers that other frames change, on each level, CPU seconds."""
    (X, y), (X_new, y_new) = (make_rows("tone", list(FRAMES), *each) for each in sets(args))
    other = exchanged(X_new, y_new)
    for name in args.systems:
        for size in args.sizes:
            start = time.process_time()
            system = SYSTEMS[name](size=size, random_state=args.seed)[-1].fit(X, y)
            answers, others = system.predict(X_new), system.predict(other)
            changed = np.mean(answers != others)
            tops = np.mean(system.predict_top(X_new) != system.predict_top(other))
            seconds = time.process_time() - start
            right = np.mean(answers == y_new)
            yield [f"System {name}", size, f"{right:.3f}", f"{changed:.3f}", f"{tops:.3f}", f"{seconds:.0f}"]


def show(head, rows):
    """Print an rst table, each row as soon as it is there."""
    widths = [max(8, len(cell)) for cell in head]
    bar = "  ".join("=" * width for width in widths)
    print("\n".join([bar, line(head, widths), bar]), flush=True)
    for row in rows:
        print(line(row, widths), flush=True)
    print(bar, flush=True)


def line(cells, widths):
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()


def setting(word):
    """Name and value of NAME=VALUE."""
    name, value = word.split("=", 1)
    try:
        return name, ast.literal_eval(value)
    except ValueError:
        return name, value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=("small", "report"), default=["small", "report"])
    parser.add_argument("--branches", nargs="+", choices=FRAMES, default=list(FRAMES))
    parser.add_argument("--heads", nargs="+", choices=HEADS, default=list(HEADS))
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, help="whole systems instead of networks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", nargs="+", type=setting, default=[], metavar="NAME=VALUE")
    args = parser.parse_args()
    args.set = dict(args.set)
    if any(name.startswith("recipe__") for name in args.set):  # a recipe by name has none
        args.set = {"recipe": Recipe.small() if args.sizes == ["small"] else Recipe(), **args.set}
    warnings.simplefilter("ignore", FewClipsWarning)  # that is what is measured
    if args.systems:
        show(["system", "size", "right", "changed", "top level changed", "CPU s"], changes(args))
    else:
        show(["size", "branch", "head", *args.tasks, "CPU s"], accuracies(args))


if __name__ == "__main__":
    main()
