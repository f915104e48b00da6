"""What a branch's own network adds beside words and the model of its frames, by its share in late fusion.

"text, BRANCH" is fitted on the training rows of each official fold of bst-real, and of other folds for each further
seed. Its three experts, the words, the model of the frames (`skbst.nn.FramePrior`, with the share that the fit gave it)
and the branch, are added with shares of the branch that are given, not chosen. Differences are to the words, and then
to the words with the model of the frames.

What the experts say is kept in --store, fold by fold, so that a run can be broken off and taken up again.

    python benchmarks/bench_late_fusion.py --data DATA --vectors FILE.npz [--branches mfcc ...] [--seeds 0 1]
        [--store FOLDER]
"""

import argparse
import tempfile
import time
from pathlib import Path

import bench_heads
import numpy as np
from scipy.special import softmax
from sklearn.base import clone

from skbst.neural import _branch_classifier

SHARES = (0.05, 0.1, 0.15, 0.2, 0.3)


def experts(branch, bundle, y, train, test, seed, path):
    """Logits of words, frames and branch for the test rows, and the classes."""
    if not path.exists():
        start = time.process_time()
        model = clone(bench_heads.REAL[f"text, {branch}"]).set_params(random_state=seed)
        model.fit(bundle[train], y[train])
        module = model.net_.module_
        shares = [module.branch_share, module.frame_prior.linear.models["frames"].share]
        of_frames = float(shares[1])
        logits = []
        for given in ((0, 0), (0, of_frames), (1, 0)):
            for share, value in zip(shares, given):
                share.fill_(value)
            logits.append(model.decision_function(bundle[test]))
        words, frames, own = logits
        np.savez(path, words=words, frames=frames - words, branch=own - words, classes=model.classes_)
        print(f"  fitted {branch}, {path.stem}: {time.process_time() - start:.0f} s of CPU", flush=True)
    with np.load(path) as file:
        return file["words"], file["frames"], file["branch"], file["classes"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of bst-real")
    parser.add_argument("--vectors", type=Path, required=True, help="of pretrained encoders")
    parser.add_argument("--branches", nargs="+", default=["mfcc"], choices=["log-stft", "log-mel", "mfcc"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="each but 0 has folds of its own")
    parser.add_argument("--store", type=Path, help="folder of answers and frames")
    args = parser.parse_args()
    # the share is given here: the networks that would tell it need not be trained
    _branch_classifier.settle_share = lambda trainer, *args, **kwargs: trainer
    with tempfile.TemporaryDirectory() as folder:
        store = args.store or Path(folder)
        kept = store / "late-fusion"
        kept.mkdir(parents=True, exist_ok=True)
        y, parts, _ = bench_heads.clips(args.data / "bst-real", store / "real", False, args.vectors)
        folds = {seed: bench_heads.resplit(y, parts, None, seed) for seed in args.seeds}
        for branch in args.branches:
            answers = {}
            for seed, each in folds.items():
                for k, fold in enumerate(each):
                    bundle, train, test = fold
                    path = kept / f"{branch}-{seed}-{k}.npz"
                    words, frames, own, classes = experts(branch, bundle, y, train, test, seed, path)
                    logits = {"words": words, "words, frames": words + frames}
                    logits |= {f"words, frames, {s} of branch": words + frames + s * own for s in SHARES}
                    for name, rows in logits.items():
                        answer = bench_heads.answered(y[test], softmax(rows, axis=1), classes)
                        answers.setdefault(name, []).append(answer)
            print(f"\n{branch}")
            for reference in ("words", "words, frames"):
                bench_heads.report(y, folds, None, answers, reference, np.nan)


if __name__ == "__main__":
    main()
