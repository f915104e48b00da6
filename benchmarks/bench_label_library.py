"""Peak memory of ``examples/label_library.py`` as the manifest grows, and clips per second.

    python benchmarks/bench_label_library.py [--data ROOT] [--clips 500 2000 8000] [--fast]

ROOT is a data set such as ``bst-real``; without it clips are made. They are repeated until the manifest is as long as
asked. The model is a linear one on MFCC of 2 s, so that reading sounds is most of the work.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbst.datasets import load_bsd, make_bst_clips
from skbst.features import BlockSelector, ClipFeaturizer, MFCCFeaturizer

EXAMPLE = Path(__file__).parents[1] / "examples" / "label_library.py"
CHILD = """
import runpy, sys
runpy.run_path(sys.argv[1], run_name="example")["main"](sys.argv[2:])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def write_model(clips, path):
    features = ClipFeaturizer([("mfcc", MFCCFeaturizer(duration=2.0))])
    model = make_pipeline(features, BlockSelector("mfcc"), StandardScaler(), LogisticRegression(C=0.01, max_iter=50))
    joblib.dump(model.fit(clips.data.iloc[:200], clips.target.iloc[:200]), path)


def write_manifest(clips, n_clips, path):
    rows = np.arange(n_clips) % len(clips.data)
    table = clips.data.iloc[rows].reset_index(drop=True)
    table["audio"] = [str(Path(audio).absolute()) for audio in table["audio"]]
    pd.concat([pd.Series(np.arange(n_clips), name="sound_id"), table], axis=1).to_csv(path, index=False)


def measure(root, n_clips):
    """Label in a child; returns its peak resident megabytes and the clips per second."""
    arguments = ["--manifest", root / "clips.csv", "--model", root / "model.joblib", "--out", root / f"out-{n_clips}"]
    start = time.perf_counter()
    command = [sys.executable, "-W", "ignore", "-c", CHILD, str(EXAMPLE), *map(str, arguments)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(output.split()[-1]) / 1e3, n_clips / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="root of a data set")
    parser.add_argument("--clips", type=int, nargs="+", default=[500, 2000, 8000])
    parser.add_argument("--fast", action="store_true", help="100 and 400 clips")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if options.data is None:
            make_bst_clips(root / "clips", n_clips=115, max_duration=4.0, random_state=0)
        clips = load_bsd(options.data or root / "clips")
        write_model(clips, root / "model.joblib")
        for n_clips in [100, 400] if options.fast else options.clips:
            write_manifest(clips, n_clips, root / "clips.csv")
            peak, speed = measure(root, n_clips)
            print(
                f"{n_clips:7,} clips: peak resident {peak:.0f} MB with the libraries, {speed:.0f} clips/s", flush=True
            )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
