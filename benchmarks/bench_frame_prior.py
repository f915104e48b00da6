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
from scipy.special import log_softmax
from sklearn.base import clone

from skbst.metrics import hierarchical_f1_score
from skbst.model_selection import compare_paired
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
    """Means over seeds; intervals are of a bootstrap of clips, or of groups, each with its answers under every seed."""
    classes, tests = np.unique(y), [test for _, _, test in folds]
    truth = [np.searchsorted(classes, y[test]) for test in tests]
    rows = np.concatenate(tests)
    fold_of_row = np.concatenate([np.full(len(test), k) for k, test in enumerate(tests)])
    fold_of_row = (len(tests) * np.arange(len(runs))[:, None] + fold_of_row).ravel()
    told = np.tile((np.arange(len(y)) if groups is None else groups)[rows], len(runs))

    def labels(run):
        return [classes[row.argmax(axis=1)] for row in run]

    def figures(logits):
        pairs = [pair for run in logits for pair in zip((y[test] for test in tests), labels(run))]
        hf = np.mean([hierarchical_f1_score(*pair, zero_division=np.nan) for pair in pairs])
        loss = np.mean([_log_loss(*pair) for run in logits for pair in zip(run, truth)])
        right = np.mean(np.concatenate([a == b for a, b in pairs]))
        return f"{100 * hf:.1f}, log loss {loss:.3f}, right {100 * right:.1f}"

    def difference(both):
        new, old = (np.concatenate([part for run in logits for part in labels(run)]) for logits in (both, text))
        known = np.tile(y[rows], len(runs))
        found = compare_paired(known, new, old, folds=fold_of_row, groups=told, zero_division=np.nan, random_state=0)
        low, high = (100 * limit for limit in found.interval)
        return f"{100 * found.difference:+.1f} [{low:+.1f}, {high:+.1f}]"

    text, frames, shares = zip(*runs)
    both = [joined(*run) for run in runs]
    print(f"{name}: text {figures(text)}; frames {figures(frames)}; both {figures(both)}; hF {difference(both)}")
    given = [[joined(*run[:2], [share] * len(tests)) for run in runs] for share in SHARES]
    given = "; ".join(f"{share}: {difference(both)}" for share, both in zip(SHARES, given))
    print(f"  shares {np.round(shares, 2).tolist()}; given: {given}", flush=True)


def joined(text, frames, shares):
    return [words + share * own for words, own, share in zip(text, frames, shares)]


def _log_loss(logits, target):
    return -log_softmax(logits, axis=1)[np.arange(len(target)), target].mean()


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
                runs = []
                for seed in args.seeds:
                    paths = [store / f"prior-{protocol}-{seed}-{k}.npy" for k in range(len(folds))]
                    settings = groups, seed, BLOCKS[branch]
                    heard = [sound(bundle, y, *rest, *settings, path) for (bundle, *rest), path in zip(folds, paths)]
                    runs.append((texts[seed], *zip(*heard)))
                report(f"{branch}, {protocol}, seeds {args.seeds}", y, folds, groups, runs)


if __name__ == "__main__":
    main()
