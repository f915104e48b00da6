"""Seconds to score a million predictions, against scikit-learn's macro F1, and the price of the import."""

import argparse
import subprocess
import sys
import time

import numpy as np
from sklearn.metrics import f1_score

from skbst.metrics import hierarchical_f1_score
from skbst.taxonomy import BST


def seconds(function, repeat=5):
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def import_seconds(module, repeat=5):
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(repeat)
    ]
    return float(np.median([float(run.stdout) for run in runs]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="a tenth of the rows")
    n_rows = 100_000 if parser.parse_args().fast else 1_000_000
    rng = np.random.default_rng(0)
    y_true = rng.choice(BST.leaves, n_rows)
    y_pred = np.where(rng.random(n_rows) < 0.7, y_true, rng.choice(BST.leaves, n_rows))
    ours = seconds(lambda: hierarchical_f1_score(y_true, y_pred))
    peer = seconds(lambda: f1_score(y_true, y_pred, average="macro"))
    print(f"{n_rows} rows: hierarchical_f1_score {ours:.2f} s, sklearn f1_score {peer:.2f} s, ratio {ours / peer:.2f}")
    base, mine = import_seconds("sklearn.metrics"), import_seconds("skbst.metrics")
    print(f"import: skbst.metrics {mine:.2f} s, sklearn.metrics {base:.2f} s, ratio {mine / base:.2f}")


if __name__ == "__main__":
    main()
