"""What free class priors know of real titles and tags, and what they add to classifiers that read the same words.

``text``: the 10,309 titles and tags of BSD10k v1.0 with MiniLM's vectors; ``real``: the 652 recordings of DATA/bst-real
with the vectors of a sound-effects encoder and MiniLM. Two priors that anyone has: zero-shot of MiniLM against names
and descriptions of the classes, and the small table of `TagRules`.

Alone: how many clips a prior knows, its top-1 among all, and its hF among those. As a gain, under the official folds
and folds by uploader: a block of columns beside the vectors of linear discriminants (shrinkage .1); one more voice in
`KNNPriorBlender` around it (all numbers searched inside the training part, without and with ``prior_weight``); one more
member of a vote of discriminants and 20 neighbours (weights searched inside, too); or, with ``--network``, in the small
network's own slot and nothing else. hF in per cent, differences with 95 % intervals of draws of rows, or of whole
uploaders where folds keep them.

    python benchmarks/bench_priors.py text --data DATA --store FOLDER --minilm MODEL_FOLDER
    python benchmarks/bench_priors.py real --data DATA --store FOLDER --minilm MODEL_FOLDER --network
"""

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pandas as pd
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer

from skbst.datasets import load_bsd
from skbst.ensemble import ClassPriorClassifier, HierarchicalVotingClassifier, out_of_fold_log_proba, search_weights
from skbst.features import (
    BlockSelector,
    ClassPriorFeaturizer,
    FeatureBundle,
    PrecomputedFeaturizer,
    SentenceTransformerFeaturizer,
    TagRules,
)
from skbst.metrics import hierarchical_f1_score, hierarchical_f1_scorer
from skbst.model_selection import KNNBlendSearchCV, OfficialKFold, compare_paired, official_folds
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier

GRID = {"alpha": [0.0, 0.25, 0.5], "k": [20], "temperature": [0.1]}
WEIGHTS = [0.0, 0.1, 0.2, 0.3, 0.5]


def text(data):
    """Clips, labels, uploaders and embeddings of the titles and tags."""
    table = pd.read_csv(data / "bsd10k-v1.0" / "BSD10k_metadata.csv", keep_default_na=False, dtype={"sound_id": str})
    with np.load(data / "real-encoders" / "bsd10k_v1.0.npz") as file:
        blocks = {"text": file["text_minilm_title_tags"].astype(np.float32)}
    return table.set_index("sound_id"), table["class"].to_numpy(str), table["uploader"].to_numpy(str), blocks


def real(data):
    """The same of the recordings."""
    clips = load_bsd(data / "bst-real")
    with np.load(data / "real-encoders" / "bst_real.npz", allow_pickle=True) as file:
        rows = pd.Series(range(len(file["sound_id"])), index=file["sound_id"].astype(str))
        rows = rows[clips.data.index.astype(str)].to_numpy()
        names = {"audio": "audio_aisfx", "text": "text_minilm_title_tags"}
        blocks = {name: file[own].astype(np.float32)[rows] for name, own in names.items()}
    return clips.data, clips.target.to_numpy(str), np.asarray(clips.groups), blocks


def priors_of(X, blocks, minilm):
    clips = PrecomputedFeaturizer(blocks["text"], sound_ids=X.index)
    prompts = SentenceTransformerFeaturizer(minilm, n_jobs=1, cleaner=None)
    sources = {"MiniLM zero-shot": (clips, prompts), "TagRules": TagRules()}
    return {name: ClassPriorFeaturizer(source).fit(X).transform(X) for name, source in sources.items()}


def alone(y, priors, classes):
    for name, prior in priors.items():
        known, guess = prior.any(axis=1), classes[prior.argmax(axis=1)]
        right, hf = guess == y, hierarchical_f1_score(y[known], guess[known])
        print(
            f"{name} alone: knows {100 * known.mean():.1f} %; top-1 {100 * (right & known).mean():.1f} % of all, "
            f"{100 * right[known].mean():.1f} % and hF {100 * hf:.1f} of those",
            flush=True,
        )


def linear(blocks, prior=False):
    """Linear discriminants of vectors of length 1, side by side, and the prior as it is."""
    parts = [(name, make_pipeline(BlockSelector(name), Normalizer())) for name in blocks]
    if prior:
        parts.append(("prior", make_pipeline(BlockSelector("prior"), FunctionTransformer())))
    return make_pipeline(FeatureUnion(parts), LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1))


def answers(bundle, y, train, test, names, priors, groups):
    """Predictions of the test rows, by model and prior ("" is none)."""
    own = None if groups is None else groups[train]
    X, labels, cv = bundle[train], y[train], list(OfficialKFold(3).split(train, y[train], own))
    discriminants = linear(names).fit(X, labels)
    near = make_pipeline(BlockSelector(names), KNeighborsClassifier(20, weights="distance", metric="cosine"))
    near.fit(X, labels)
    pair = [("linear", discriminants), ("neighbours", near)]
    inside = out_of_fold_log_proba([discriminants, near], X, labels, cv=cv)
    found = {("linear", ""): discriminants.predict(bundle[test])}
    for name, prior in {"": None, **priors}.items():
        seen = bundle if prior is None else bundle.with_block("prior", prior)
        if prior is not None:
            found["linear", name] = linear(names, prior=True).fit(seen[train], labels).predict(seen[test])
        found["vote", name] = vote(seen, labels, train, test, pair, inside, prior)
    for name, prior in priors.items():
        seen = bundle.with_block("prior", prior)
        blended = blend(seen, labels, train, test, names, cv)
        found["blender", ""], found["blender", name] = blended
    return found


def answers_of_network(bundle, y, train, test, priors, groups):
    """The same of the small network; asked without its prior it is the one without to the bit (tests/neural)."""
    own, found = None if groups is None else groups[train], {}
    for name, prior in priors.items():
        known, nothing = bundle.with_block("prior", prior), bundle.with_block("prior", 0 * prior)
        net = BranchClassifier(size="small", recipe="small", random_state=0)
        found["network", name] = net.fit(known[train], y[train], groups=own).predict(known[test])
        found["network", ""] = net.predict(nothing[test])
    return found


def vote(seen, labels, train, test, pair, inside, prior):
    log_proba, members = list(inside.log_proba), [(name, FrozenEstimator(model)) for name, model in pair]
    if prior is not None:
        known = ClassPriorClassifier().fit(seen[train], labels)
        with np.errstate(divide="ignore"):
            log_proba.append(np.log(known.predict_proba(seen[train])[inside.rows]))
        members.append(("prior", FrozenEstimator(known)))
    result = search_weights(np.stack(log_proba), inside.y, classes=inside.classes, n_bootstrap=0)
    ensemble = HierarchicalVotingClassifier(members, weights=result.weights).fit(seen[train], labels)
    return ensemble.predict(seen[test])


def blend(seen, labels, train, test, names, cv):
    """Without and with the prior, each with the best numbers of one search."""
    blender = KNNPriorBlender(linear(names))
    search = KNNBlendSearchCV(blender, {**GRID, "prior_weight": WEIGHTS}, scoring=hierarchical_f1_scorer, cv=cv)
    search.fit(seen[train], labels)
    table = pd.DataFrame(search.cv_results_["params"]).assign(score=search.cv_results_["mean_test_score"])
    guesses = []
    for cells in (table[table["prior_weight"] == 0], table):
        best = cells.loc[cells["score"].idxmax()]
        chosen = {"alpha": float(best["alpha"]), "prior_weight": float(best["prior_weight"])}
        guesses.append(search.best_estimator_.set_params(**chosen).predict(seen[test]))
    return guesses


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=["text", "real"])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SKBST_DATA", ".")))
    parser.add_argument("--store", type=Path, default=Path("bench_priors"))
    parser.add_argument("--minilm", required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--network", action="store_true")
    parser.add_argument("--limit", type=float, default=np.inf, help="seconds of CPU after which to stop; run again")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    arguments.store.mkdir(parents=True, exist_ok=True)
    X, y, uploaders, blocks = {"text": text, "real": real}[arguments.kind](arguments.data)
    priors, bundle = priors_of(X, blocks, arguments.minilm), FeatureBundle(blocks)
    alone(y, priors, np.unique(y))
    for protocol, groups in {"official": None, "by uploader": uploaders}.items():
        folds, found = official_folds(y, groups=groups, validation_size=None), {}
        for number, (train, _, test) in enumerate(folds):
            path = arguments.store / f"{arguments.kind}_{protocol.split()[-1]}_{number}_{arguments.network:d}.npz"
            if not path.exists():
                if time.process_time() > arguments.limit:
                    sys.exit(f"Stopped before {protocol}, fold {number}; run it again to go on.")
                if arguments.network:
                    made = answers_of_network(bundle, y, train, test, priors, groups)
                else:
                    made = answers(bundle, y, train, test, list(blocks), priors, groups)
                np.savez(path, **{"|".join(key): value for key, value in made.items()})
            with np.load(path) as file:
                for key in file.files:
                    found.setdefault(tuple(key.split("|")), np.empty(len(y), dtype=y.dtype))[test] = file[key]
        tell(protocol, y, folds, groups, found)


def tell(protocol, y, folds, groups, found):
    for (model, name), guess in sorted(found.items()):
        scores = [hierarchical_f1_score(y[test], guess[test]) for _, _, test in folds]
        mean, spread = 100 * np.mean(scores), 100 * np.std(scores)
        line = f"{protocol:12} {model:8} {name or 'no prior':18} hF {mean:.1f} +- {spread:.1f}"
        if name:
            pair = guess, found[model, ""]
            paired = compare_paired(y, *pair, folds=folds, groups=groups, n_permutations=1, random_state=0)
            low, high = paired.interval
            line += f"  gain {100 * paired.difference:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"
        print(line, flush=True)


if __name__ == "__main__":
    main()
