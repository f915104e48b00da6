"""How many labels a model needs when it chooses the clips to ask about, beside chance, the margin and scikit-activeml.

    python benchmarks/bench_questions.py DATA [--folds 0 1 2 3 4] [--starts 2] [--strategies ...]

DATA holds bsd10k-v1.0 (labels) and real-encoders/bsd10k_v1.0.npz (MiniLM vectors of title and tags). The training part
of each official fold is the pool, its test part is scored. From 100 clips drawn at random, clips are asked about in
batches of 100, from 500 on of 250. The labels that are needed are read from the learning curve made monotone; what
needs more than the last batch is given as that (and is more). Uploaders are not used: any strategy may ask for
any number of clips of one.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.exceptions import ConvergenceWarning
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from skbst.curation import next_questions
from skbst.metrics import hierarchical_f1_score
from skbst.model_selection import official_folds

START, MOST = 100, 2500
SCIKIT_ACTIVEML = ("CoreSet", "TypiClust", "DropQuery", "Falcun")


def learner():
    return LogisticRegression(C=10, max_iter=100, tol=1e-3)


def margin(model, X, y, known, n, seed):
    proba = np.sort(model.predict_proba(X), axis=1)
    return np.argsort(np.where(known, np.inf, proba[:, -1] - proba[:, -2]), kind="stable")[:n]


def at_random(model, X, y, known, n, seed):
    return np.random.default_rng([seed, known.sum()]).choice(np.flatnonzero(~known), n, replace=False)


def ours(model, X, y, known, n, seed):
    return next_questions(model, X, n=n, y=np.where(known, y, None))["position"].to_numpy()


def scikit_activeml(name):
    """Query a strategy of scikit-activeml; it fits its own copy of the classifier where it wants one."""
    import skactiveml.pool as strategies
    from skactiveml.classifier import SklearnClassifier

    def choose(model, X, y, known, n, seed):
        classes, label = np.unique(y, return_inverse=True)
        labels = np.where(known, label, np.nan)
        strategy = getattr(strategies, name)(random_state=seed)
        uses_model = "clf" in strategy.query.__code__.co_varnames
        wrapped = SklearnClassifier(learner(), classes=np.arange(len(classes)), random_state=seed)
        return strategy.query(X=X.astype(float), y=labels, batch_size=n, **({"clf": wrapped} if uses_model else {}))

    return choose


def curve(choose, X, y, test, seed):
    """Number of labels and score after each batch."""
    known = np.zeros(len(y), dtype=bool)
    known[np.random.default_rng(seed).choice(len(y), START, replace=False)] = True
    points = []
    while True:
        model = learner().fit(X[known], y[known])
        points.append((known.sum(), hierarchical_f1_score(test[1], model.predict(test[0]), zero_division=0)))
        if known.sum() >= MOST:
            return np.array(points)
        known[choose(model, X, y, known, 100 if known.sum() < 500 else 250, seed)] = True


def needed(points, level):
    score = IsotonicRegression().fit_transform(*points.T)
    reached = np.flatnonzero(score >= level)
    if not len(reached):
        return float(points[-1, 0])
    at = max(reached[0], 1)
    return float(np.interp(level, score[at - 1 : at + 1], points[at - 1 : at + 1, 0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", type=int, nargs="+", default=range(5))
    parser.add_argument("--starts", type=int, default=2, help="draws of the first clips; default: 2")
    parser.add_argument("--strategies", nargs="+", default=["next_questions", "random", "margin", *SCIKIT_ACTIVEML])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    table = pd.read_csv(arguments.data / "bsd10k-v1.0" / "BSD10k_metadata.csv")
    file = np.load(arguments.data / "real-encoders" / "bsd10k_v1.0.npz", allow_pickle=True)
    X, y = file["text_minilm_title_tags"].astype(np.float32), table["class"].to_numpy()
    folds, rows = list(official_folds(y, validation_size=None)), []
    own = {"random": at_random, "margin": margin, "next_questions": ours}
    for fold in arguments.folds:
        train, test = folds[fold][0], folds[fold][-1]
        held_out = (X[test], y[test])
        full = hierarchical_f1_score(y[test], learner().fit(X[train], y[train]).predict(X[test]), zero_division=0)
        for name in arguments.strategies:
            start = time.process_time()
            choose = own.get(name) or scikit_activeml(name)
            seeds = [10 * fold + number for number in range(arguments.starts)]
            # one curve is rough: the labels that are needed are read from the mean over starts
            points = np.mean([curve(choose, X[train], y[train], held_out, seed) for seed in seeds], axis=0)
            figures = [needed(points, share * full) for share in (0.9, 0.95)]
            seconds = (time.process_time() - start) / arguments.starts
            rows.append((name, fold, *figures, points[:, 1].mean(), seconds))
            said = f"labels for 90 and 95 %: {figures[0]:.0f}, {figures[1]:.0f}; mean hF {points[:, 1].mean():.3f}"
            print(name, f"fold {fold}: full {full:.3f};", said, flush=True)
    show(pd.DataFrame(rows, columns=["strategy", "fold", "90 %", "95 %", "mean hF", "CPU s"]))


def show(rows):
    """Means over folds, and paired differences to next_questions with 95 % intervals."""
    print(rows.groupby("strategy", sort=False).mean().drop(columns="fold").round(3).to_string())
    for column in ("95 %", "mean hF"):
        wide = rows.pivot_table(index="fold", columns="strategy", values=column)
        if "next_questions" not in wide or len(wide) < 2:
            return
        for name in wide.columns.drop("next_questions"):
            gap = wide[name] - wide["next_questions"]
            half = stats.t.ppf(0.975, len(gap) - 1) * gap.std() / np.sqrt(len(gap))
            print(f"{column}: {name} minus next_questions {gap.mean():+.3f} +- {half:.3f}")


if __name__ == "__main__":
    main()
