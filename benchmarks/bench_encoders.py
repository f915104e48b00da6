"""Real encoders alone, two and three together, under both protocols.

``real``: the 652 recordings of DATA/bst-real with the vectors of DATA/real-encoders (a sound-effects encoder and
MiniLM on title and tags) and the descriptors of the sounds. ``text``: the 10,309 real titles and tags of BSD10k v1.0:
MiniLM on the title, MiniLM on title and tags, and latent semantic analysis.

Linear discriminants (shrinkage .1) on blocks of length 1 side by side; with ``--network`` the small network with a
linear model of each block, and its neighbours. What learns from rows is fitted inside the fold. hF is the mean over
five folds; a difference is that to the best encoder alone, or to the set that ``--over`` names, with a 95 % interval of
draws of rows, or of whole uploaders where folds keep them. The network's second difference is that to the discriminants
of the same set. Answers lie in the store: other comparisons of them cost seconds.

    python benchmarks/bench_encoders.py real --data DATA --store FOLDER --network
    python benchmarks/bench_encoders.py real --data DATA --store FOLDER --over aisfx_audio+minilm_text
    python benchmarks/bench_encoders.py text --data DATA --store FOLDER
    python benchmarks/bench_encoders.py text --data DATA --store FOLDER --network --protocols official \
        --sets minilm_text minilm_text+lsa_text
    python benchmarks/bench_encoders.py missing --data DATA --store FOLDER

``missing``: small networks that lose an embedding at prediction, beside those that never had it; three official folds.
"""

import argparse
import hashlib
import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import log_loss
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import Normalizer

from skbst.datasets import load_bsd
from skbst.features import (
    AudioStatisticsFeaturizer,
    BlockSelector,
    ClipFeaturizer,
    PrecomputedFeaturizer,
    TextLSAFeaturizer,
)
from skbst.metrics import hierarchical_f1_score
from skbst.model_selection import compare_paired, official_folds
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier

SETS = {
    "real": [
        ("aisfx_audio",),
        ("minilm_text",),
        ("statistics_audio",),
        ("aisfx_audio", "statistics_audio"),
        ("aisfx_audio", "minilm_text"),
        ("statistics_audio", "minilm_text"),
        ("aisfx_audio", "statistics_audio", "minilm_text"),
    ],
    "text": [
        ("title_text",),
        ("minilm_text",),
        ("lsa_text",),
        ("title_text", "minilm_text"),
        ("minilm_text", "lsa_text"),
        ("title_text", "minilm_text", "lsa_text"),
    ],
}


def real(data, store):
    """Clips, labels, uploaders and featurizers of the recordings."""
    clips = load_bsd(data / "bst-real")
    with np.load(data / "real-encoders" / "bst_real.npz", allow_pickle=True) as file:
        ids = file["sound_id"].astype(str)
        vectors = {name: file[name].astype(np.float32) for name in ("audio_aisfx", "text_minilm_title_tags")}
    featurizers = [
        ("aisfx_audio", PrecomputedFeaturizer(vectors["audio_aisfx"], sound_ids=ids)),
        ("statistics_audio", AudioStatisticsFeaturizer(store=store)),
        ("minilm_text", PrecomputedFeaturizer(vectors["text_minilm_title_tags"], sound_ids=ids)),
    ]
    return clips.data, clips.target.to_numpy(str), np.asarray(clips.groups), featurizers


def text(data, store):
    """The same of the titles and tags."""
    table = pd.read_csv(data / "bsd10k-v1.0" / "BSD10k_metadata.csv", keep_default_na=False, dtype={"sound_id": str})
    table = table.set_index("sound_id")
    with np.load(data / "real-encoders" / "bsd10k_v1.0.npz") as file:
        vectors = {name: file[f"text_minilm_{name}"].astype(np.float32) for name in ("title", "title_tags")}
    featurizers = [
        ("title_text", PrecomputedFeaturizer(vectors["title"], sound_ids=table.index)),
        ("minilm_text", PrecomputedFeaturizer(vectors["title_tags"], sound_ids=table.index)),
        ("lsa_text", TextLSAFeaturizer(random_state=0)),
    ]
    return table[["title", "tags"]], table["class"].to_numpy(str), table["uploader"].to_numpy(str), featurizers


def linear(blocks):
    parts = [(name, make_pipeline(BlockSelector(name), Normalizer())) for name in blocks]
    return make_pipeline(FeatureUnion(parts), LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1))


def predict(bundle, y, train, test, blocks, groups, network):
    """Predictions of the test rows by each model."""
    found = {"linear": linear(blocks).fit(bundle[train], y[train]).predict(bundle[test])}
    if network:
        chosen = bundle.select(list(blocks))
        net = BranchClassifier(size="small", recipe="small", random_state=0)
        blender = KNNPriorBlender(net).fit(chosen[train], y[train], groups=None if groups is None else groups[train])
        found["network"] = blender.estimator_.predict(chosen[test])
        found["network + neighbours"] = blender.predict(chosen[test])
    return found


def quality(kind, data, store, network, limit, sets, protocols, over):
    X, y, uploaders, featurizers = {"real": real, "text": text}[kind](data, store)
    models = ["linear", "network", "network + neighbours"] if network else ["linear"]
    for protocol in protocols:
        groups = None if protocol == "official" else uploaders
        folds = official_folds(y, groups=groups, validation_size=None)
        found = {(blocks, model): np.empty(len(y), dtype=y.dtype) for blocks in sets for model in models}
        for number, (train, _, test) in enumerate(folds):
            bundle = None
            for blocks in sets:
                name = hashlib.sha256(f"{kind} {protocol} {number} {blocks} {network}".encode()).hexdigest()[:16]
                path = store / f"{name}.npz"
                if not path.exists():
                    if time.process_time() > limit:
                        sys.exit(f"Stopped before {protocol}, fold {number}, {blocks}; run it again to go on.")
                    if bundle is None:
                        bundle = ClipFeaturizer(featurizers).fit(X.iloc[train], y[train]).transform(X)
                    np.savez(path, **predict(bundle, y, train, test, blocks, groups, network))
                with np.load(path) as file:
                    for model in models:
                        found[blocks, model][test] = file[model]
        tell(kind, protocol, y, folds, groups, found, models, sets, over)


def tell(kind, protocol, y, folds, groups, found, models, sets, over):
    def difference(first, second):
        pair = found[first], found[second]
        paired = compare_paired(y, *pair, folds=folds, groups=groups, n_permutations=1, random_state=0)
        low, high = paired.interval
        return f"  {100 * paired.difference:+5.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"

    for model in models:
        scores = {blocks: fold_scores(y, found[blocks, model], folds) for blocks in sets}
        alone = [blocks for blocks in sets if len(blocks) == 1]
        rival = over or max(alone, key=lambda blocks: scores[blocks].mean())
        print(f"\n{kind}, {protocol}, {model}: hF in per cent, difference to {' + '.join(rival)}", flush=True)
        for blocks, values in scores.items():
            line = f"  {' + '.join(blocks):45} {100 * values.mean():5.1f} +- {100 * values.std():3.1f}"
            line += difference((blocks, model), (rival, model)) if blocks != rival else " " * 22
            if model != "linear":
                line += "  to discriminants" + difference((blocks, model), (blocks, "linear"))
            print(line.rstrip(), flush=True)


def fold_scores(y, guess, folds):
    return np.array([hierarchical_f1_score(y[test], guess[test]) for _, _, test in folds])


def missing(data, store):
    """hF and log loss of networks that lose an embedding, mean of three folds."""
    X, y, _, featurizers = real(data, store)
    bundle = ClipFeaturizer([item for item in featurizers if item[0] != "statistics_audio"]).fit_transform(X)
    network = BranchClassifier(size="small", recipe="small", random_state=0)
    scores = {}
    for train, _, test in list(official_folds(y, validation_size=None))[:3]:
        net = clone(network).fit(bundle[train], y[train])
        found = {"both": net.predict_proba(bundle[test])}
        for lost, left in (("minilm_text", "aisfx_audio"), ("aisfx_audio", "minilm_text")):
            zeros = np.zeros_like(bundle[lost])
            found[f"{lost} lost"] = net.predict_proba(bundle.with_block(lost, zeros)[test])
            only = bundle.select([left])
            found[f"{lost} never there"] = clone(network).fit(only[train], y[train]).predict_proba(only[test])
        for name, proba in found.items():
            guess = net.classes_[proba.argmax(axis=1)]
            score = 100 * hierarchical_f1_score(y[test], guess), log_loss(y[test], proba, labels=net.classes_)
            scores.setdefault(name, []).append(score)
    for name, values in scores.items():
        print("{:30} hF {:.1f}  log loss {:.3f}".format(name, *np.mean(values, axis=0)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=["real", "text", "missing"])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SKBST_DATA", ".")))
    parser.add_argument("--store", type=Path, default=Path("bench_encoders"))
    parser.add_argument("--network", action="store_true")
    parser.add_argument("--sets", nargs="+", help="such as minilm_text minilm_text+lsa_text; all by default")
    parser.add_argument("--over", metavar="SET", help="compare with this set; the best encoder alone by default")
    parser.add_argument("--protocols", nargs="+", default=["official", "by uploader"])
    parser.add_argument("--limit", type=float, default=np.inf, help="seconds of CPU after which to stop; run again")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    arguments.store.mkdir(parents=True, exist_ok=True)
    if arguments.kind == "missing":
        missing(arguments.data, arguments.store)
        return
    sets = [tuple(name.split("+")) for name in arguments.sets or []] or SETS[arguments.kind]
    over = tuple(arguments.over.split("+")) if arguments.over else None
    if over not in (None, *sets):
        parser.error(f"--over {arguments.over} is none of {', '.join('+'.join(blocks) for blocks in sets)}.")
    if over is None and not any(len(blocks) == 1 for blocks in sets):
        parser.error("--sets names no encoder alone: say with --over what the sets are compared with.")
    settings = arguments.network, arguments.limit, sets, arguments.protocols, over
    quality(arguments.kind, arguments.data, arguments.store, *settings)


if __name__ == "__main__":
    main()
