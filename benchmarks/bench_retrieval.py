"""By what the nearest clips should be found: hF of the neighbours alone, and what they add to the network.

The network is the small one of `skbst.systems` without a branch, which adds to linear models. Neighbours are found by
its latent vectors, by its scores (what `embed` gives), by the embeddings that come with the clips, and by these with
either; k=10, temperature .1. ``standin``: two official folds of DATA/bsd10k-v1.0/standin_embeddings.npz; ``real``:
DATA/bst-real, stratified and uploader-grouped folds, with --vectors on those of pretrained encoders (bench_heads.py).
Intervals are of the default alpha, paired: rows of the stratified folds, whole uploaders of the others.

    python benchmarks/bench_retrieval.py [standin] [real] --data DATA [--vectors FILE] [--seeds 0 1] [--store FOLDER]
"""

import argparse
import os
import tempfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from bench_heads import PROTOCOLS, STANDIN, clips, small, standin
from sklearn.base import clone

from skbst.metrics import hierarchical_f1_score
from skbst.model_selection import compare_paired
from skbst.neighbors import blend, neighbour_prior, retrieval_embedding, top_k_cosine

ALPHAS = (0.1, 0.3, 0.5)
DEFAULT = 0.5  # of KNNPriorBlender
BLOCKS = ["audio", "text"]


def latent(model, bundle):
    net = model.net_.module_.eval()
    with torch.inference_mode():
        return net.embed(*(torch.from_numpy(np.asarray(bundle[name])) for name in BLOCKS)).numpy()


def features(model, bundle):
    """Each kind of retrieval embedding, rows of norm 1."""
    kinds = {"embeddings": retrieval_embedding(bundle, embedding="blocks", blocks=BLOCKS)}
    own = {"latent vectors": SimpleNamespace(embed=partial(latent, model)), "scores": model}
    for name, source in own.items():
        kinds[name] = retrieval_embedding(bundle, source, embedding="model")
        kinds[f"{name} and embeddings"] = retrieval_embedding(bundle, source, embedding="both", blocks=BLOCKS)
    return kinds


def percent(y, classes, proba):
    return 100 * hierarchical_f1_score(y, classes[proba.argmax(axis=1)])


def compare(title, y, folds, groups, model, seeds):
    scores, told = {}, {}
    for seed in seeds:
        for number, (bundle, train, test) in enumerate(folds):
            fitted = clone(model).set_params(random_state=seed)
            fitted.fit(bundle[train], y[train], groups=None if groups is None else groups[train])
            labels = np.searchsorted(fitted.classes_, y[train])
            proba = fitted.predict_proba(bundle[test])
            bank, queries = features(fitted, bundle[train]), features(fitted, bundle[test])
            hf = partial(percent, y[test], fitted.classes_)
            scores.setdefault("", []).append([hf(proba)])
            answers = {"": proba, "fold": np.full(len(test), seed * len(folds) + number), "row": test}
            for name, rows in queries.items():
                similarities, found = top_k_cosine(rows, bank[name], 10)
                prior = neighbour_prior(similarities, labels[found], len(fitted.classes_), 0.1)
                gains = [hf(blend(proba, prior, alpha)) - hf(proba) for alpha in ALPHAS]
                scores.setdefault(name, []).append([hf(prior), *gains])
                answers[name] = blend(proba, prior, DEFAULT)
            for name, rows in answers.items():
                rows = rows if rows.ndim == 1 else fitted.classes_[rows.argmax(axis=1)]
                told.setdefault(name, []).append(rows)
    told = {name: np.concatenate(parts) for name, parts in told.items()}
    rows = told["row"]
    drawn = rows if groups is None else groups[rows]  # a row, or an uploader, with its answers under every seed
    (network,) = np.mean(scores.pop(""), axis=0)
    print(f"\n{title}: {len(folds)} folds, {len(seeds)} seeds; the network alone {network:.1f}")
    columns = "".join(f"  alpha={alpha}" for alpha in ALPHAS)
    print(f"{'neighbours by':28s} {'alone':>6s}{columns}  95 % interval of alpha={DEFAULT}")
    for name, values in scores.items():
        alone, *gains = np.mean(values, axis=0)
        line = f"{name:28s} {alone:6.1f}" + "".join(f"  {gain:+9.2f}" for gain in gains)
        low, high = compare_paired(
            y[rows], told[name], told[""], folds=told["fold"], groups=drawn, n_permutations=20, random_state=0
        ).interval
        print(f"{line}  [{100 * low:+.2f}, {100 * high:+.2f}]", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["standin", "real"], metavar="part", help="standin, real")
    parser.add_argument("--data", type=Path, required=True, help="folder of bsd10k-v1.0 and bst-real")
    parser.add_argument("--vectors", type=Path, help="vectors of pretrained encoders for `real`")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--store", type=Path, help="folder of features")
    args = parser.parse_args()
    if unknown := set(args.parts) - {"standin", "real"}:
        parser.error(f"no part is called {sorted(unknown)}")
    torch.set_num_threads(1)
    if "standin" in args.parts:
        y, folds, groups = standin(args.data)
        compare("stand-in embeddings", y, folds[:2], groups, STANDIN["baseline, small"], args.seeds)
    if "real" in args.parts:
        with tempfile.TemporaryDirectory() as folder:
            for protocol in PROTOCOLS:
                store, grouped = args.store or Path(folder), protocol == "grouped"
                y, folds, groups = clips(args.data / "bst-real", store, grouped, args.vectors, heard=False)
                compare(f"bst-real, {protocol}", y, folds, groups, small(neighbours=False), args.seeds)


if __name__ == "__main__":
    main()
