"""Networks and linear models under the same folds, with paired intervals.

``standin``: DATA/bsd10k-v1.0/standin_embeddings.npz, two embeddings of 10,309 clips without their sound, under the
official folds. Networks without a branch against logistic regression, on the text embedding alone (its best view) and
on both.
``real``: DATA/bst-real, recordings, under stratified and uploader-grouped folds; every branch and head, on statistics
of the sound and text vectors made inside each fold, or with --vectors on those of pretrained encoders. ``made``: the
same on generated clips. Names that begin with "text" have no audio embedding, those with "sound" hear frames alone;
those with "small" are the small network without a branch and without neighbours, less or plus one part.

Predictions are kept in --store, model by model and fold by fold, so that a run can be broken off and taken up again.

With --resplit each seed has folds of its own, so that a difference is less that of one division of the clips.

    python benchmarks/bench_heads.py standin --data DATA [--folds 5] [--seeds 0 1] [--models NAME ...]
        [--store FOLDER] [--vectors FILE.npz] [--resplit] [--fast]
"""

import argparse
import os
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler, normalize
from sklearn.utils.validation import has_fit_parameter

from skbst.datasets import load_bsd, make_bst_clips
from skbst.features import (
    AudioStatisticsFeaturizer,
    BlockSelector,
    ClipFeaturizer,
    FeatureBundle,
    LogMelFeaturizer,
    LogSTFTFeaturizer,
    MFCCFeaturizer,
    TextLSAFeaturizer,
)
from skbst.metrics import hierarchical_accuracy_score, hierarchical_f1_score
from skbst.model_selection import compare_paired, official_folds
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier, Recipe
from skbst.systems import make_system

# arrays of --vectors: a sound-effects encoder's and a sentence encoder's
VECTORS = {"audio": "audio_aisfx", "text": "text_minilm_title_tags"}
SEED = 0  # replaced by those of --seeds
OFFICIAL_SEED = 1821  # of the official folds (`skbst.model_selection.official_folds`)
LEAST_PROBA = 1e-6
PROTOCOLS = ["stratified", "grouped"]
# all rows down a cosine: nothing is set aside, and no epoch is chosen
COSINE = {"schedule": "cosine", "validation_fraction": None}
ADDING = {"input_norm": "auto", "linear_prior": True}


def linear(*blocks):
    return make_pipeline(BlockSelector(list(blocks)), LogisticRegression(C=10.0, max_iter=1000))


def linear_on_lengths(audio_length):
    """Both embeddings side by side, each brought to a length."""
    parts = [(name, make_pipeline(BlockSelector(name), Normalizer())) for name in ("audio", "text")]
    rows = FeatureUnion(parts, transformer_weights={"audio": audio_length})
    return make_pipeline(rows, LogisticRegression(C=30.0, max_iter=1000))


def linear_on_frames(block):
    """What a linear model hears: the mean of each bin over the frames of a clip."""
    means = make_pipeline(FunctionTransformer(frame_means, kw_args={"block": block}), StandardScaler())
    return make_pipeline(means, LogisticRegression(C=0.03, max_iter=2000))


def frame_means(bundle, block):
    kept = (bundle.take(block, [row])[0][:length] for row, length in enumerate(bundle.lengths(block)))
    return np.stack([frames.mean(axis=0, dtype=np.float64) for frames in kept])


def small(branch=None, head="baseline", neighbours=True, **kwargs):
    """A network with the settings that the systems have for few clips, its neighbours around it."""
    blocks = kwargs.pop("blocks", None)
    kwargs = {"neighbours": neighbours, "size": "small", "embeddings": "builtin", "random_state": SEED, **kwargs}
    model = make_system(branch, head, **kwargs)[-1]
    return model if blocks is None else model.set_params(blocks=blocks)


def network(branch=None, head="baseline", *, size="report", **recipe):
    return BranchClassifier(branch, head, size=size, recipe=Recipe(**recipe), random_state=SEED)


STANDIN = {
    "linear, text": linear("text"),
    "linear, both": linear("audio", "text"),
    "official network": network(),
    "baseline, report's recipe, linear prior": network(**ADDING),
    "flat, report's recipe, linear prior": network(head="flat", **ADDING),
    "baseline, cosine": network(max_epochs=16, **COSINE, **ADDING),
    "flat, cosine": network(head="flat", max_epochs=16, **COSINE, **ADDING),
    "baseline, small": network(size="small", max_epochs=16, dropout=0.3, **COSINE, **ADDING),
    "flat, small": network(head="flat", size="small", max_epochs=16, dropout=0.3, **COSINE, **ADDING),
}
REAL = {
    "linear": linear_on_lengths(1.0),
    "linear, sound at half length": linear_on_lengths(0.5),
    "official network": network(size="small", max_epochs=40, **COSINE),
    **{head: small(head=head) for head in ("baseline", "flat", "gc", "lcl")},
    **{branch: small(branch) for branch in ("log-stft", "mfcc", "log-mel")},
    **{
        f"{branch}, own logits": small(branch).set_params(
            estimator__recipe=Recipe.small().set_params(branch_logits=True)
        )
        for branch in ("log-stft", "mfcc")
    },
    "KD-log-stft": small("log-stft", neighbours=False, distillation=True),
    "KD": small(neighbours=False, distillation=True),
    "text": small(neighbours=False, blocks={"audio": None}),
}
# one part of the recipe at a time as the report has it; the adapter it has beside log-STFT only
for _name, _part in {
    "small": {},
    "small, batch normalisation": {"input_norm": "batch"},
    "small, constant rate": {"schedule": None},
    "small, validation part": {"validation_fraction": 0.2},
    "small, adapter": {"adapter": True},
    "small, dropout .1": {"dropout": 0.1},
    "small, no linear prior": {"linear_prior": False},
}.items():
    REAL[_name] = small(neighbours=False).set_params(recipe=Recipe.small().set_params(**_part))
for _branch in ("log-stft", "mfcc", "log-mel"):
    REAL[f"text, {_branch}"] = small(_branch, neighbours=False, blocks={"audio": None})
    REAL[f"sound, {_branch}"] = small(_branch, neighbours=False, blocks={"audio": None, "text": None})
    REAL[f"sound, linear on {_branch}"] = linear_on_frames(_branch.replace("-", "_"))


def standin(data):
    """Labels, folds (bundle, training rows, test rows) and no groups, of the stand-in embeddings."""
    with np.load(data / "bsd10k-v1.0" / "standin_embeddings.npz") as file:
        blocks = {name: file[f"{name}_emb"].astype(np.float32) for name in ("audio", "text")}
        y = file["class"].astype(str)
    bundle = FeatureBundle(blocks)
    folds = official_folds(y, validation_size=None)
    return y, [(bundle, np.r_[train, valid], test) for train, valid, test in folds], None


def clips(root, store, grouped, vectors=None, heard=True):
    """Labels, folds and groups of a folder of sounds; what learns from rows is fitted inside the fold.

    `vectors` is a file of pretrained encoders' vectors, which have learnt nothing here: they are the same everywhere.
    Where no model has `heard` frames, none are made.
    """
    dataset = load_bsd(root)
    y, data = dataset.target.to_numpy(str), dataset.data
    groups = dataset.metadata["uploader"].to_numpy(str) if grouped else None
    folds = official_folds(y, groups=groups, validation_size=None)

    blocks = {}
    if vectors is not None:
        with np.load(vectors) as file:
            order = pd.Index(file["sound_id"].astype(str)).get_indexer(data.index.astype(str))
            blocks = {name: normalize(file[key].astype(np.float32))[order] for name, key in VECTORS.items()}
    if heard or not blocks:
        frames = [("log_stft", LogSTFTFeaturizer()), ("log_mel", LogMelFeaturizer()), ("mfcc", MFCCFeaturizer())]
        frames = ClipFeaturizer(frames, store=store / "frames").fit_transform(data)
        for name, rows in blocks.items():
            frames = frames.with_block(name, rows)
    else:
        frames = FeatureBundle(blocks)

    def in_fold(train):
        if vectors is not None:
            return frames
        statistics = AudioStatisticsFeaturizer(store=store / "statistics").fit(data.iloc[train])
        text = TextLSAFeaturizer(random_state=0).fit(data.iloc[train])
        return frames.with_block("audio", statistics.transform(data)).with_block("text", text.transform(data))

    folds = [(np.r_[train, valid], test) for train, valid, test in folds]
    return y, [(in_fold(train), train, test) for train, test in folds], groups


def resplit(y, folds, groups, seed):
    """The official folds for seed 0, others for other seeds; features must be the same in all."""
    found = official_folds(y, groups=groups, validation_size=None, random_state=OFFICIAL_SEED + seed)
    return [(folds[0][0], np.r_[train, valid], test) for train, valid, test in found]


def predictions(name, model, y, folds, groups, store, *, resplit):
    """What `answered` gives, by name, for each fold of each seed; neighbours come without a fit.

    Networks are told the groups of their training rows, by which they divide these for the linear prior. What draws
    nothing is fitted once, unless each seed has folds of its own.
    """
    told = groups is not None and has_fit_parameter(model, "groups")
    random = [key for key in model.get_params() if key.endswith("random_state")]
    predicted = {}
    for seed, parts in folds.items():
        for k, (bundle, train, test) in enumerate(parts):
            path = store / f"{name.replace(' ', '_')}-{seed if random or resplit else 0}-{k}.npz"
            if not path.exists():
                start = time.process_time()
                fitted = clone(model).set_params(**dict.fromkeys(random, seed))
                fitted.fit(bundle[train], y[train], **({"groups": groups[train]} if told else {}))
                answers = {name: fitted.predict_proba(bundle[test])}
                if isinstance(fitted, KNNPriorBlender):
                    answers = {name: fitted.estimator_.predict_proba(bundle[test]), f"{name} + KNN": answers[name]}
                np.savez(path, classes=fitted.classes_, **answers)
                seconds = time.process_time() - start
                print(f"  fitted {name}, seed {seed}, fold {k}: {seconds:.0f} s of CPU", flush=True)
            with np.load(path) as file:
                for key in (key for key in file if key != "classes"):
                    predicted.setdefault(key, []).append(answered(y[test], file[key], file["classes"]))
    return predicted


def answered(y, proba, classes):
    """Predicted labels and log loss of each row; a class that was not trained on has the least probability counted."""
    right = np.where(y[:, None] == classes, proba, 0).sum(axis=1)
    return classes[proba.argmax(axis=1)], -np.log(right.clip(LEAST_PROBA))


def report(y, folds, groups, all_predicted, reference, zero_division):
    """Means over folds and seeds, and the difference to the reference.

    The interval is of a bootstrap of clips, or of groups, each with its predictions under every seed: it speaks of
    these networks on other clips. The deviations are those of folds and of the means of seeds; "unsaid" counts the
    classes of a test part that are never predicted in it.
    """
    tests = [test for parts in folds.values() for _, _, test in parts]
    rows = np.concatenate(tests)
    fold_of_row = np.repeat(np.arange(len(tests)), [len(test) for test in tests])
    told = (np.arange(len(y)) if groups is None else groups)[rows]

    head = (
        f"{'model':28s} {'hF':>6s} {'folds':>5s} {'seeds':>5s} {'hAcc':>6s} {'right':>6s} {'unsaid':>6s} {'loss':>5s}"
    )
    print(f"\n{head}  minus {reference!r}, 95 % interval")
    known, (base, base_loss) = y[rows], map(np.concatenate, zip(*all_predicted[reference]))
    for name, answers in all_predicted.items():
        scores, accuracy = (
            np.reshape([100 * score(y[test], labels) for test, (labels, _) in zip(tests, answers)], (len(folds), -1))
            for score in (partial(hierarchical_f1_score, zero_division=zero_division), hierarchical_accuracy_score)
        )
        labels, loss = map(np.concatenate, zip(*answers))
        line = f"{name:28s} {scores.mean():6.2f} {scores.std(axis=1).mean():5.2f} {scores.mean(axis=1).std():5.2f}"
        unsaid = np.mean([len(np.setdiff1d(y[test], said)) for test, (said, _) in zip(tests, answers)])
        line += f" {accuracy.mean():6.2f} {100 * np.mean(labels == known):6.2f} {unsaid:6.1f}"
        line += f" {np.mean([each.mean() for _, each in answers]):5.3f}"
        if name != reference:
            for title, metric in (("hF", "hierarchical_f1"), ("right", "accuracy")):
                settings = {"metric": metric, "zero_division": zero_division, "random_state": 0}
                paired = compare_paired(known, labels, base, folds=fold_of_row, groups=told, **settings)
                low, high = (100 * limit for limit in paired.interval)
                line += f"  {title} {100 * paired.difference:+.2f} [{low:+.2f}, {high:+.2f}], p {paired.p_value:.3f}"
            line += "  log loss {:+.3f} [{:+.3f}, {:+.3f}]".format(*mean_interval(loss - base_loss, told))
        print(line)


def mean_interval(values, groups, *, n_draws=2000):
    """Mean of rows, and its 95 % interval by a bootstrap of groups."""
    per_group = pd.Series(values).groupby(groups).agg(["sum", "size"]).to_numpy()
    draws = np.random.default_rng(0).integers(len(per_group), size=(n_draws, len(per_group)))
    sums, sizes = per_group[draws].sum(axis=1).T
    return values.mean(), *np.quantile(sums / sizes, (0.025, 0.975))


def run(title, loaded, models, args, store):
    y, parts, groups = loaded
    folds = {seed: (resplit(y, parts, groups, seed) if args.resplit else parts)[: args.folds] for seed in args.seeds}
    print(f"\n{title}: {len(y):,} clips, {args.folds} folds" + (" for each seed" if args.resplit else ""))
    chosen = {name: models[name] for name in args.models or models if name in models}
    store.mkdir(parents=True, exist_ok=True)
    all_predicted = {}
    for name, model in chosen.items():
        told = None if args.untold else groups
        all_predicted.update(predictions(name, model, y, folds, told, store, resplit=args.resplit))
    report(y, folds, groups, all_predicted, next(iter(chosen)), args.zero_division)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["made"], metavar="part", help="standin, real, made (default)")
    parser.add_argument("--data", type=Path, help="folder of bsd10k-v1.0 and bst-real")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--protocol", nargs="*", choices=PROTOCOLS, default=PROTOCOLS, help="folds of `real`")
    parser.add_argument("--models", nargs="*", help="names of models; the first is what the others are compared with")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1], help="random states; figures are their means")
    help_ = "precision of a class that is never predicted: nan leaves it out of hF, as the official evaluation does"
    parser.add_argument("--zero-division", type=float, default=np.nan, help=help_)
    parser.add_argument("--untold", action="store_true", help="do not tell the networks the groups of their rows")
    parser.add_argument("--store", type=Path, help="folder of predictions and features")
    parser.add_argument("--vectors", type=Path, help="vectors of pretrained encoders for `real`")
    parser.add_argument("--resplit", action="store_true", help="folds of its own for each seed; needs --vectors")
    parser.add_argument("--fast", action="store_true", help="two folds, few clips")
    args = parser.parse_args()
    if unknown := set(args.parts) - {"standin", "real", "made"}:
        parser.error(f"no part is called {sorted(unknown)}")
    if unknown := set(args.models or ()) - set(STANDIN) - set(REAL):
        parser.error(f"no model is called {sorted(unknown)}; known are {[*STANDIN, *REAL]}")
    if args.resplit and (args.vectors is None or args.parts != ["real"]):
        parser.error("--resplit is for `real` with --vectors: elsewhere features are fitted inside the fold")
    if args.fast:
        args.folds, args.seeds = 2, args.seeds[:1]
    with tempfile.TemporaryDirectory() as folder:
        store = args.store or Path(folder)
        if "standin" in args.parts:
            run("stand-in embeddings", standin(args.data), STANDIN, args, store / "standin")
        for part in ("real", "made"):
            if part not in args.parts:
                continue
            root = args.data / "bst-real" if part == "real" else make_bst_clips(store / "clips", n_clips=230)
            for protocol in args.protocol if part == "real" else PROTOCOLS[:1]:
                vectors = args.vectors if part == "real" else None
                names = args.models or REAL
                heard = any(branch in name for name in names for branch in ("log-stft", "log-mel", "mfcc"))
                loaded = clips(root, store / part, protocol == "grouped", vectors, heard)
                kept = store / part / (protocol if args.vectors is None else f"{protocol}-vectors")
                kept = kept.with_name(f"{kept.name}-resplit") if args.resplit else kept
                run(f"{part}, {protocol}", loaded, REAL, args, kept)


if __name__ == "__main__":
    main()
