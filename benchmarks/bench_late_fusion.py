"""What a branch could add to an answer from words, were its share in late fusion known in hindsight.

A network of the text and one of the frames alone are fitted on the training rows of each official fold of bst-real.
Their log-probabilities are added, those of the frames times a share, and the hF of each share is compared with that of
the text. The shares are chosen by nobody: the best of them is the most that late fusion could gain on these rows.

Probabilities are kept in --store, fold by fold, so that a run can be broken off and taken up again.

    python benchmarks/bench_late_fusion.py --data DATA [--vectors FILE.npz] [--branch mfcc] [--store FOLDER]
"""

import argparse
import tempfile
import time
from pathlib import Path

import bench_heads
import numpy as np
from sklearn.base import clone

from skbst.metrics import hierarchical_f1_score
from skbst.model_selection import compare_paired

SHARES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


def log_proba(name, y, folds, store):
    """Log-probabilities of the test rows of each fold, and the classes."""
    answers = []
    for k, (bundle, train, test) in enumerate(folds):
        path = store / f"{name.replace(' ', '_')}-{k}.npz"
        if not path.exists():
            start = time.process_time()
            model = clone(bench_heads.REAL[name]).fit(bundle[train], y[train])
            np.savez(path, proba=model.predict_proba(bundle[test]), classes=model.classes_)
            print(f"  fitted {name}, fold {k}: {time.process_time() - start:.0f} s of CPU", flush=True)
        with np.load(path) as file:
            answers.append(np.log(file["proba"] + 1e-12))
            classes = file["classes"]
    return answers, classes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of bst-real")
    parser.add_argument("--vectors", type=Path, help="of pretrained encoders; else text vectors made in the fold")
    parser.add_argument("--branch", default="mfcc", choices=["log-stft", "log-mel", "mfcc"])
    parser.add_argument("--store", type=Path, help="folder of probabilities and frames")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = args.store or Path(folder)
        y, folds, _ = bench_heads.clips(args.data / "bst-real", store / "real", False, args.vectors)
        kept = store / ("vectors" if args.vectors else "built-in")
        kept.mkdir(parents=True, exist_ok=True)
        text, classes = log_proba("text", y, folds, kept)
        sound, _ = log_proba(f"sound, {args.branch}", y, folds, kept)
    truth = [y[test] for _, _, test in folds]
    fold_of_row = np.repeat(np.arange(len(folds)), [len(rows) for rows in truth])
    of_text = [classes[rows.argmax(axis=1)] for rows in text]
    mean = np.mean([hierarchical_f1_score(*pair, zero_division=np.nan) for pair in zip(truth, of_text)])
    print(f"text alone: hF {100 * mean:.1f}; with {args.branch}, by share, minus that, 95 % interval:")
    for share in SHARES:
        both = [classes[(words + share * frames).argmax(axis=1)] for words, frames in zip(text, sound)]
        labels = (np.concatenate(part) for part in (truth, both, of_text))
        paired = compare_paired(*labels, folds=fold_of_row, zero_division=np.nan, random_state=0)
        low, high = (100 * limit for limit in paired.interval)
        print(f"  {share:.1f}  {100 * paired.difference:+.1f} [{low:+.1f}, {high:+.1f}]")


if __name__ == "__main__":
    main()
