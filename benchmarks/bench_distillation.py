"""Why distillation from neighbours gains little: what the targets say, and what students make of them.

The small network on vectors of real encoders, no branch, official folds or folds by uploader. In each fold a teacher is
fitted and then, by the same teacher, neighbours for its answers (`KNNPriorBlender`) and students of several settings
(`KNNDistillationClassifier`). Printed are the gains over the teacher with paired 95 % intervals, and of the targets the
mean share of the clip's own label, and how many favour another one: on training rows, the row itself left out, and on
test rows, were they given any; by all that neighbours are found by, and by the encoders' vectors alone.

    python benchmarks/bench_distillation.py VECTORS.npz --data FOLDER_OF_THE_SET [--blocks audio_aisfx ...] [--grouped]
        [--folds 5] [--students NAME ...] [--max-epochs N]
"""

import argparse
import os
import warnings
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import normalize

from skbst.datasets import load_bsd
from skbst.features import FeatureBundle
from skbst.metrics import hierarchical_f1_score
from skbst.model_selection import compare_paired, official_folds
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier, KNNDistillationClassifier

STUDENTS = {
    "KD": {},
    "KD, weight 0.3": {"distillation_weight": 0.3},
    "KD, weight 3": {"distillation_weight": 3.0},
    "KD, neighbours by the encoders alone": {"embedding": "blocks"},
    "KD, by the encoders, k 50": {"embedding": "blocks", "k": 50},
    "KD, no neighbour of the own uploader": {"exclude_own_group": True},
}


def load(args):
    """Bundle of the vectors, labels, and uploaders."""
    clips = load_bsd(args.data)
    with np.load(args.vectors) as file:
        places = {str(name): row for row, name in enumerate(file["sound_id"])}
        kept = np.array([places[name] for name in clips.data.index.astype(str)])
        blocks = {name: normalize(file[name][kept].astype(np.float32)) for name in args.blocks}
    renamed = {name.split("_")[0]: block for name, block in blocks.items()}
    return FeatureBundle(renamed), np.asarray(clips.target), np.asarray(clips.groups)


def own_share(prior, classes, y):
    """Mean share of the own label in rows of neighbours' labels, and how often another label has more."""
    own = prior[np.arange(len(y)), np.searchsorted(classes, y)]
    return own.mean(), np.mean(classes[prior.argmax(axis=1)] != y)


def fold_answers(network, names, X, y, groups, X_new, y_new):
    """Answers of each model on the new rows; shares of the targets on rows of the fold and on new ones."""
    teacher = clone(network).fit(X, y)
    frozen, answers, shares = FrozenEstimator(teacher), {"network": teacher.predict(X_new)}, {}
    for embedding in ("auto", "blocks"):
        blender = KNNPriorBlender(frozen, embedding=embedding).fit(X, y)
        answers[f"neighbours, {embedding}"] = blender.predict(X_new)
        quick = KNNDistillationClassifier(clone(network).set_params(max_epochs=1), teacher=frozen, embedding=embedding)
        targets = quick.fit(X, y).neighbour_targets_
        known = own_share(targets, teacher.classes_, y)
        prior = blender.neighbour_proba(X_new)
        shares[embedding] = [*known, *own_share(prior, teacher.classes_, y_new)]
        answers[f"neighbours alone, {embedding}"] = teacher.classes_[prior.argmax(axis=1)]
    for name in names:
        student = KNNDistillationClassifier(network, teacher=frozen, **STUDENTS[name])
        known = {"groups": groups} if student.exclude_own_group else {}
        answers[name] = student.fit(X, y, **known).predict(X_new)
    return answers, shares


def report(answers, shares, tests, y, groups):
    rows = np.concatenate(tests)
    fold = np.repeat(np.arange(len(tests)), [len(test) for test in tests])
    joined = {name: np.concatenate([each[name] for each in answers]) for name in answers[0]}
    settings = {"folds": fold, "groups": None if groups is None else groups[rows], "zero_division": np.nan}
    for name, answer in joined.items():
        by_fold = [
            hierarchical_f1_score(y[rows[fold == k]], answer[fold == k], zero_division=np.nan) for k in set(fold)
        ]
        line = f"{name:40s} hF {100 * np.mean(by_fold):.1f}"
        if name != "network":
            paired = compare_paired(y[rows], answer, joined["network"], random_state=0, **settings)
            low, high = (100 * limit for limit in paired.interval)
            line += f"  {100 * paired.difference:+.1f} [{low:+.1f}, {high:+.1f}]"
        print(line)
    said = joined["neighbours alone, auto"]
    apart = said != joined["network"]
    print(f"of {apart.sum()} test rows where network and neighbours disagree, answered as the neighbours do:")
    followers = ["neighbours, auto", *(name for name in STUDENTS if name in joined)]
    print("  " + ", ".join(f"{name} {np.mean(joined[name][apart] == said[apart]):.2f}" for name in followers))
    print("share of the own label among neighbours, and rows where another has more: training rows, test rows")
    for embedding in shares[0]:
        known, wrong, new, new_wrong = np.mean([each[embedding] for each in shares], axis=0)
        print(f"  by {embedding:6s}  {known:.3f}, {100 * wrong:.1f} %   {new:.3f}, {100 * new_wrong:.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--blocks", nargs="+", default=["audio_aisfx", "text_minilm_title_tags"])
    parser.add_argument("--grouped", action="store_true", help="folds that keep uploaders together")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--students", nargs="+", choices=STUDENTS, default=list(STUDENTS))
    parser.add_argument("--max-epochs", type=int)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    bundle, y, groups = load(args)
    network = BranchClassifier(size="small", recipe="small", random_state=0)
    if args.max_epochs:
        network.set_params(max_epochs=args.max_epochs)
    uploaders, groups = groups, groups if args.grouped else None
    folds = list(official_folds(y, groups=groups).split(bundle, y))[: args.folds]
    answers, shares = [], []
    for number, (train, test) in enumerate(folds):
        found = fold_answers(network, args.students, bundle[train], y[train], uploaders[train], bundle[test], y[test])
        answers.append(found[0])
        shares.append(found[1])
        print(f"fold {number} done", flush=True)
    report(answers, shares, [test for _, test in folds], y, groups)


if __name__ == "__main__":
    main()
