"""Size on disk and load time of the systems, as a pickle of joblib and as a folder without pickle.

    python benchmarks/bench_persistence.py [--size report|small] [--systems baseline system_1 ...] [--fast]

Without --systems: the baseline and Systems 1 to 4. They are fitted on made clips for one epoch, which changes
neither number. Load times are CPU seconds in a fresh process, the least of three: of the first load, which imports
torch and what else the model needs, and of a second. Parameters are in millions, each counted once.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import joblib

from skbst import systems
from skbst.datasets import load_bsd, make_bst_clips
from skbst.persistence import load_model, save_model
from skbst.submission import measure_complexity

NAMES = ("baseline", "system_1", "system_2", "system_3", "system_4")


def fitted(name, clips, size, frames):
    system = getattr(systems, name)(embeddings="builtin", size=size, store=frames, random_state=0, device="cpu")
    epochs = [parameter for parameter in system.get_params() if parameter.endswith("max_epochs")]
    return system.set_params(**dict.fromkeys(epochs, 1)).fit(clips.data, clips.target)


def megabytes(path):
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


def load(path):
    """In a child: seconds of the first load, with all imports, and of the second."""
    taken = []
    for _ in range(2):
        start = time.process_time()
        if path.endswith(".joblib"):
            joblib.load(path)
        else:
            load_model(path)
        taken.append(time.process_time() - start)
    print(json.dumps(taken))


def load_times(path, repeats):
    command = [sys.executable, __file__, "--child", str(path)]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(repeats)
    ]
    return [min(column) for column in zip(*runs)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=["report", "small"], default="report")
    parser.add_argument("--systems", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--fast", action="store_true", help="small systems, one repeat")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        load(options.child)
        return
    size, repeats = ("small", 1) if options.fast else (options.size, 3)
    print(f"size={size!r}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':10}{'param.':>8}{'joblib':>10}{'first':>9}{'again':>9}{'folder':>12}{'first':>9}{'again':>9}")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        clips = make_bst_clips(root / "clips", n_clips=115, max_duration=0.5, class_weights="balanced", random_state=0)
        clips = load_bsd(clips)
        for name in options.systems:
            system = fitted(name, clips, size, root / "frames")
            pickle = root / f"{name}.joblib"
            joblib.dump(system, pickle)
            saved = save_model(system, root / name)
            millions = measure_complexity(system)["total_parameters"] / 1e6
            print(f"{name:10}{millions:8.2f}{cells(pickle, repeats)}  {cells(saved, repeats)}", flush=True)


def cells(path, repeats):
    first, again = load_times(path, repeats)
    return f"{megabytes(path):7.1f} MB{first:7.2f} s{again:7.2f} s"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
