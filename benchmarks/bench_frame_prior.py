"""What a model of the frames adds to a network of the words: late fusion without the branch's own network.

For each fold of bst-real: the small network of the text, the kernel model of frame statistics (`skbst.nn.FramePrior`)
beside it, and its share by the held-out answers of the training rows, all as in a fit of "text, BRANCH". The branch
itself, which takes minutes a fold, is left out. Printed are hF of the words, of the frames and of both, the paired
difference with its 95 % interval, log loss, share of right answers, and the difference for shares that are given.

What is made of the words is kept in --store, fold by fold.

    python benchmarks/bench_frame_prior.py --data DATA --vectors FILE.npz [--branches mfcc ...]
        [--protocol stratified grouped] [--seeds 0 1] [--store FOLDER]
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

import bench_heads
import numpy as np
import torch
from scipy.special import softmax
from sklearn.base import clone

from skbst.neural._training._fit_linear_prior import fit_linear_prior
from skbst.neural._training._late_fusion import cautious_share
from skbst.nn import FramePrior, FrameStandardizer, LinearPrior

BLOCKS = {"log-stft": "log_stft", "log-mel": "log_mel", "mfcc": "mfcc"}
SHARES = (0.1, 0.2, 0.3)
CHUNK = 64


def spread(log_proba, known, classes):
    """Columns of all classes; one that was not trained on has the least that any has."""
    whole = np.full((len(log_proba), len(classes)), min(log_proba.min(), -10.0))
    whole[:, np.searchsorted(classes, known)] = log_proba
    return whole


def words(bundle, y, train, test, groups, seed, path):
    """Log-probabilities of the text's network for the test rows."""
    if not path.exists():
        model = clone(bench_heads.REAL["text"]).set_params(random_state=seed)
        model.fit(bundle[train], y[train], groups=None if groups is None else groups[train])
        np.save(path, spread(model.predict_log_proba(bundle[test]), model.classes_, np.unique(y)))
    return np.load(path)


def read_frames(bundle, block, rows):
    for chunk in np.array_split(rows, -(-len(rows) // CHUNK)):
        frames = torch.from_numpy(np.asarray(bundle.take(block, chunk), dtype=np.float32))
        yield frames, torch.from_numpy(np.asarray(bundle.lengths(block, chunk), dtype=np.int64))


@torch.no_grad()
def sound(bundle, y, train, test, groups, seed, block, path):
    """Weighted log-probabilities of the model of the frames for the test rows, and its share beside the text's."""
    known, target = np.unique(y[train], return_inverse=True)
    weight = np.ones(len(train))
    told = None if groups is None else np.unique(groups[train], return_inverse=True)[1]
    solve = partial(fit_linear_prior, target=target, weight=weight, groups=told, n_threads=1)
    standardizer = FrameStandardizer(bundle.block_shape(block)[2])
    for part in read_frames(bundle, block, train):
        standardizer.update(*part)
    model = FramePrior(standardizer.mean.numel(), len(known))

    def statistics(rows):
        parts = read_frames(bundle, block, rows)
        return torch.cat([model.statistics(standardizer(*part), part[1]) for part in parts])

    learnt = statistics(train)
    model.standardizer.update(learnt[None])
    own = solve(model.linear, {"frames": model.features(learnt).numpy()}, rng=np.random.RandomState(seed + 1))
    if not path.exists():
        text = np.asarray(bundle["text"])[train]
        others = LinearPrior(None, text.shape[1], len(known))
        np.save(path, solve(others, {"text": text}, rng=np.random.RandomState(seed)))
    share = cautious_share(np.load(path), own, target, weight)
    return spread(model.linear(frames=model.features(statistics(test))).numpy(), known, np.unique(y)), share


def report(name, y, folds, groups, runs):
    """Words, frames, and both with the share of the fit and with given ones, as `bench_heads.report` compares them."""
    classes, answers = np.unique(y), {}
    for run in runs.values():
        for words, own, share, (_, _, test) in zip(*run, folds):
            logits = {"text": words, "frames": own, "text, frames": words + share * own}
            logits |= {f"text, {given} of frames": words + given * own for given in SHARES}
            for key, rows in logits.items():
                answer = bench_heads.answered(y[test], softmax(rows, axis=1), classes)
                answers.setdefault(key, []).append(answer)
    print(f"\n{name}; shares {np.round([shares for _, _, shares in runs.values()], 2).tolist()}")
    bench_heads.report(y, dict.fromkeys(runs, folds), groups, answers, "text", np.nan)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of bst-real")
    parser.add_argument("--vectors", type=Path, required=True, help="of pretrained encoders")
    parser.add_argument("--branches", nargs="+", choices=BLOCKS, default=list(BLOCKS))
    parser.add_argument("--protocol", nargs="+", choices=bench_heads.PROTOCOLS, default=bench_heads.PROTOCOLS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--store", type=Path, help="folder of probabilities and frames")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = args.store or Path(folder)
        for protocol in args.protocol:
            loaded = bench_heads.clips(args.data / "bst-real", store / "real", protocol == "grouped", args.vectors)
            y, folds, groups = loaded
            texts = {}
            for seed in args.seeds:
                paths = [store / f"text-{protocol}-{seed}-{k}.npy" for k in range(len(folds))]
                texts[seed] = [
                    words(bundle, y, *rest, groups, seed, path) for (bundle, *rest), path in zip(folds, paths)
                ]
            for branch in args.branches:
                runs = {}
                for seed in args.seeds:
                    paths = [store / f"prior-{protocol}-{seed}-{k}.npy" for k in range(len(folds))]
                    settings = groups, seed, BLOCKS[branch]
                    heard = [sound(bundle, y, *rest, *settings, path) for (bundle, *rest), path in zip(folds, paths)]
                    runs[seed] = (texts[seed], *zip(*heard))
                report(f"{branch}, {protocol}, seeds {args.seeds}", y, folds, groups, runs)


if __name__ == "__main__":
    main()
