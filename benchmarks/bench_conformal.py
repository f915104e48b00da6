"""What the promises of skbst.conformal come to on real data, and what they cost.

    python benchmarks/bench_conformal.py runs|texts|unlike|speed [--data FOLDER] [--splits 200]

``runs``: the published predictions of 61 runs on the real BSD10k-v1.2. Each run gives its top class and its
probability; what it leaves is spread evenly over the other classes, and the mean over the runs is the distribution.
``texts``: logistic regression on sentence vectors of the 10,309 real titles and tags of BSD10k v1.0, out of fold by
uploader. Both: thresholds from the clips of some uploaders, everything else measured on the other uploaders' clips.
``unlike``: each class is held out of the training in turn; how well do scores tell its clips from the others'?
``speed``: 11,000 rows, with MAPIE and crepes where they are installed.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from skbst.conformal import (
    class_coverage_scores,
    class_thresholds,
    conformal_quantile,
    lac_scores,
    node_answer_report,
    node_answers,
    node_cover,
    node_threshold,
    prediction_sets,
)
from skbst.conformal._unlike import column_spread, neighbour_distance, standardized_vectors
from skbst.taxonomy import BST

PARENT, LEAVES = BST.parent_of_leaf, np.arange(BST.n_leaves)
SPEECH = int(BST.leaf_index(["sp-s"])[0])
BELOW = {"?": np.ones(BST.n_leaves, dtype=bool)}
BELOW.update({str(top): i == PARENT for i, top in enumerate(BST.tops)})
BELOW.update({str(leaf): i == LEAVES for i, leaf in enumerate(BST.leaves)})


def group_numbers(uploaders):
    """A number for each uploader; clips without one are each a group of their own."""
    codes = pd.factorize(uploaders)[0]
    missing = codes < 0
    codes[missing] = codes.max() + 1 + np.arange(missing.sum())
    return codes


def published_runs(data):
    """Mean distribution of the audio + text runs, true classes and groups."""
    folder = data / "bsd10k-v1.2-public-runs"
    clips = pd.read_csv(folder / "folds.csv")
    runs = pd.read_csv(folder / "predictions.csv.gz")
    runs = runs[(runs["mode"] == "both") & (runs["run"] != "bsd35k") & runs["sound_id"].isin(clips["sound_id"])]
    rows = pd.Series(np.arange(len(clips)), index=clips["sound_id"])[runs["sound_id"]].to_numpy()
    said, score = BST.leaf_index(runs["prediction"].to_numpy()), runs["score"].to_numpy()
    rest = (1 - score) / (BST.n_leaves - 1)
    proba = np.zeros((len(clips), BST.n_leaves))
    np.add.at(proba, (rows, said), score - rest)
    proba += np.bincount(rows, rest, minlength=len(clips))[:, None]
    metadata = pd.read_csv(data / "bsd10k-v1.0" / "BSD10k_metadata.csv").set_index("sound_id")
    groups = group_numbers(clips["sound_id"].map(metadata["uploader"]))
    return proba / proba.sum(axis=1, keepdims=True), BST.leaf_index(clips["ground_truth"]), groups


def real_texts(data):
    """Vectors of titles and tags, classes and groups."""
    table = pd.read_csv(data / "bsd10k-v1.0" / "BSD10k_metadata.csv")
    vectors = np.load(data / "real-encoders" / "bsd10k_v1.0.npz")["text_minilm_title_tags"].astype(np.float32)
    return vectors, BST.leaf_index(table["class"]), group_numbers(table["uploader"])


def real_clips(data):
    """Vectors of sound, title and tags of the small real set, each part of norm 1; classes and groups."""
    table = pd.read_csv(data / "bst-real" / "metadata" / "BSD10k_metadata.csv", dtype={"sound_id": str})
    stored = np.load(data / "real-encoders" / "bst_real.npz", allow_pickle=True)
    table = table.set_index("sound_id").loc[stored["sound_id"].astype(str)]
    parts = [stored[name].astype(np.float32) for name in ("audio_aisfx", "text_minilm_title_tags")]
    vectors = np.hstack([part / np.linalg.norm(part, axis=1, keepdims=True) for part in parts])
    return vectors, BST.leaf_index(table["class"]), group_numbers(table["uploader"])


def out_of_fold(X, y, groups, C=10.0):
    proba = np.zeros((len(y), BST.n_leaves))
    for train, test in StratifiedGroupKFold(5, shuffle=True, random_state=0).split(X, y, groups):
        proba[test] = LogisticRegression(C=C, max_iter=300).fit(X[train], y[train]).predict_proba(X[test])
    return proba


def calibration_part(groups, share, seed, by_group):
    """Rows to calibrate on: those of random groups, or random rows."""
    rng = np.random.default_rng(seed)
    if not by_group:
        return np.isin(np.arange(len(groups)), rng.permutation(len(groups))[: int(share * len(groups))])
    order = rng.permutation(groups.max() + 1)
    n_groups = np.searchsorted(np.bincount(groups)[order].cumsum(), share * len(groups)) + 1
    return np.isin(groups, order[:n_groups])


def one_split(proba, y, part, level, condition, max_nodes):
    """Figures of one split, and coverage by class of sets and of nodes."""
    known, new, truth = proba[part], proba[~part], y[~part]
    limits, _ = class_thresholds(lac_scores(known, y[part]), y[part], PARENT, level, condition=condition)
    sets = prediction_sets(new, limits)
    nodes = node_cover(sets, BST, max_nodes=max_nodes)
    below = np.stack([np.any([BELOW[node] for node in row], axis=0) for row in nodes])
    by_class = class_coverage_scores(truth, sets, classes=LEAVES)
    by_class_nodes = class_coverage_scores(truth, below, classes=LEAVES)
    figures = {
        "coverage": sets[np.arange(len(truth)), truth].mean(),
        "classes": sets.sum(axis=1).mean(),
        "single": (sets.sum(axis=1) == 1).mean(),
        "worst": np.nanmin(by_class),
        "sp-s": by_class[SPEECH],
        "nodes": np.mean([len(row) for row in nodes]),
        "below": below.sum(axis=1).mean(),
        "worst of nodes": np.nanmin(by_class_nodes),
    }
    return figures, by_class, by_class_nodes


def sets_table(proba, y, groups, splits, share, max_nodes):
    print(
        f"sets; {share:.0%} of the clips calibrate, {splits} splits; covers of at most {max_nodes} nodes\n"
        "level by       condition  coverage (sd, min)    within 3  classes single worst(mean) sp-s | nodes below "
        "worst(mean)"
    )
    for level, by_group, condition in [
        *((0.9, by, what) for by in (False, True) for what in (None, "top", "class")),
        *((0.95, by, what) for by in (False, True) for what in (None, "class")),
    ]:
        runs = [
            one_split(proba, y, calibration_part(groups, share, seed, by_group), level, condition, max_nodes)
            for seed in range(splits)
        ]
        table = pd.DataFrame([figures for figures, *_ in runs])
        mean = table.mean()
        by_class, by_class_nodes = (np.nanmean([run[i] for run in runs], axis=0) for i in (1, 2))
        coverage = table["coverage"]
        print(
            f"{level:.2f} {'uploader' if by_group else 'random':8s} {condition or 'none':9s}  {mean['coverage']:.3f} "
            f"({coverage.std():.3f}, {coverage.min():.3f})  {(abs(coverage - level) <= 0.03).mean():8.1%} "
            f"{mean['classes']:8.2f} {mean['single']:6.0%}  {by_class.min():.2f} ({mean['worst']:.2f}) "
            f"{mean['sp-s']:.3f} | {mean['nodes']:.2f} {mean['below']:5.2f} {by_class_nodes.min():.2f} "
            f"({mean['worst of nodes']:.2f})",
            flush=True,
        )


def nodes_table(proba, y, groups, splits, share):
    print(f"one answer with back-off; {share:.0%} calibrate, by uploader\n promise   leaf   top  person   wrong (sd)")
    for level in (0.9, 0.95, 0.98):
        found = []
        for seed in range(splits):
            part = calibration_part(groups, share, seed, True)
            threshold = node_threshold(proba[part], y[part], PARENT, level)
            nodes = node_answers(proba[~part], BST, threshold)
            report = node_answer_report(BST.leaves[y[~part]], nodes, taxonomy=BST)
            found.append([*(report[name]["share"] for name in ("leaf", "top", "refused")), report["wrong"]])
        leaf, top, refused, wrong = np.mean(found, axis=0)
        print(f"    {level:.0%} {leaf:6.1%} {top:5.1%} {refused:7.1%}   {wrong:.2%} ({np.std(found, axis=0)[3]:.2%})")


def floor_table(proba, y, groups, splits, share):
    splits *= (
        10  # the last hundredth of the speech is three clips of a split, so 200 splits say no more than .9897 +- .0005
    )
    print(f"a floor for the recall of sp-s; {share:.0%} calibrate")
    for by_group, floor in [(by, floor) for by in (False, True) for floor in (0.98, 0.99, 0.992)]:
        recall, price = [], []
        for seed in range(splits):
            part = calibration_part(groups, share, seed, by_group)
            own = part & (y == SPEECH)
            flagged = 1 - proba[~part, SPEECH] <= conformal_quantile(lac_scores(proba[own], y[own]), floor)
            speech = y[~part] == SPEECH
            recall.append(flagged[speech].mean())
            price.append(flagged[~speech].mean())
        name, error = "by uploader" if by_group else "random", np.std(recall) / splits**0.5
        print(
            f"  {name:11s} {floor:.3f}: recall {np.mean(recall):.4f} (+- {error:.4f}, least {np.min(recall):.3f}), "
            f"others flagged: median {np.median(price):.1%}, mean {np.mean(price):.1%}",
            flush=True,
        )


def promises(proba, y, groups, arguments):
    print(f"{len(y):,} clips, {len(np.unique(groups)):,} groups, accuracy {(proba.argmax(axis=1) == y).mean():.3f}")
    sets_table(proba, y, groups, arguments.splits, arguments.share, arguments.max_nodes)
    nodes_table(proba, y, groups, arguments.splits, arguments.share)
    floor_table(proba, y, groups, arguments.splits, arguments.share)


def unlike(X, y, groups):
    """Each class held out in turn; the other classes' clips of new uploaders are the ordinary ones."""
    new = calibration_part(groups, 0.3, 0, True)
    found = {}
    for held_out in LEAVES:
        train, known = ~new & (y != held_out), new & (y != held_out)
        model = LogisticRegression(C=10.0, max_iter=300).fit(X[train], y[train])
        rows = np.r_[np.flatnonzero(known), np.flatnonzero(y == held_out)]
        strange = np.r_[np.zeros(known.sum()), np.ones((y == held_out).sum())]
        logits, proba = model.decision_function(X[rows]), model.predict_proba(X[rows])
        spread = column_spread(X[train])
        bank, queries = (standardized_vectors(part, *spread) for part in (X[train], X[rows]))
        scores = {
            "1 - probability": 1 - proba.max(axis=1),
            "entropy": -np.sum(proba * np.log(proba), axis=1),
            "energy of logits": -logsumexp(logits, axis=1),
            "distance": neighbour_distance(queries, bank[:: max(1, len(bank) // 1000)]),
            "distance, all rows": neighbour_distance(queries, bank),
        }
        ranks = {name: np.argsort(np.argsort(score)) for name, score in scores.items()}
        scores["energy + distance"] = ranks["energy of logits"] + ranks["distance, all rows"]
        for name, score in scores.items():
            limit = np.quantile(score[strange == 0], 0.95)
            least = np.quantile(score[strange == 1], 0.05)
            figures = roc_auc_score(strange, score), (score[strange == 1] > limit).mean()
            found.setdefault(name, []).append([*figures, (score[strange == 0] >= least).mean()])
    print(f"{len(y):,} clips")
    print("class held out: AUROC (mean, least); share of it told at 95 % of the others kept; false alarms at 95 % told")
    for name, figures in found.items():
        auroc, told, alarms = np.transpose(figures)
        print(f"  {name:20s} {auroc.mean():.3f} ({auroc.min():.3f})  {told.mean():6.1%}  {alarms.mean():6.1%}")


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose rows are its probabilities."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return X

    def predict(self, X):
        return self.classes_[X.argmax(axis=1)]


def best_of(function, rounds=5):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def speed(n_rows=11_000):
    from crepes import ConformalClassifier
    from mapie.classification import SplitConformalClassifier

    rng = np.random.default_rng(0)
    y = np.arange(n_rows) % BST.n_leaves
    proba = np.exp(rng.normal(size=(n_rows, BST.n_leaves)) + 3 * np.eye(BST.n_leaves)[y])
    proba /= proba.sum(axis=1, keepdims=True)
    given = FrozenEstimator(Given().fit(proba, y))

    def ours(condition):
        limits, _ = class_thresholds(lac_scores(proba, y), y, PARENT, 0.9, condition=condition)
        return prediction_sets(proba, limits)

    def nodes():
        node_cover(ours("class"), BST, max_nodes=3)
        return node_answers(proba, BST, node_threshold(proba, y, PARENT, 0.9))

    def mapie():
        model = SplitConformalClassifier(given, confidence_level=0.9, conformity_score="lac", prefit=True)
        return model.conformalize(proba, y).predict_set(proba)[1][:, :, 0]

    def crepes():  # class by class: six times as fast as its WrapClassifier with class_cond=True
        scores, out = lac_scores(proba, y), np.empty(proba.shape, dtype=bool)
        for column in LEAVES:
            known = ConformalClassifier().fit(scores[y == column])
            out[:, column] = known.predict_p(1 - proba[:, [column]], smoothing=False)[:, 0] > 0.1
        return out

    print(f"{n_rows:,} rows calibrate and are answered, {BST.n_leaves} classes, best of 5:")
    named = {"skbst, all rows": lambda: ours(None), "MAPIE, LAC": mapie}
    named |= {"skbst, by class": lambda: ours("class"), "crepes, by class": crepes, "skbst, nodes and covers": nodes}
    for name, function in named.items():
        print(f"  {name:24s} {1000 * best_of(function):8.1f} ms")
    likeliest = np.eye(BST.n_leaves, dtype=bool)[proba.argmax(axis=1)]
    print(f"  same sets: MAPIE {(ours(None) == (mapie() | likeliest)).all()}", end="")
    print(f", crepes {(ours('class') == (crepes() | likeliest)).all()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["runs", "texts", "unlike", "speed"])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SKBST_DATA", ".")))
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--share", type=float, default=0.4, help="share of the clips that calibrate")
    parser.add_argument("--max-nodes", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.what == "speed":
        speed()
    elif arguments.what == "unlike":
        unlike(*real_clips(arguments.data))
        unlike(*real_texts(arguments.data))
    elif arguments.what == "runs":
        promises(*published_runs(arguments.data), arguments)
    else:
        X, y, groups = real_texts(arguments.data)
        promises(out_of_fold(X, y, groups), y, groups, arguments)


if __name__ == "__main__":
    main()
