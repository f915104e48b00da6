"""What alpha, k and temperature of the neighbour prior are worth on real vectors, under both protocols.

    python benchmarks/bench_neighbour_defaults.py VECTORS.npz METADATA.csv [--block text_minilm_title_tags] [--rows N]
        [--network]

VECTORS.npz holds one array of vectors per block, METADATA.csv the columns ``class`` and ``uploader`` of the same rows
in the same order. The model is a logistic regression, and neighbours are found by the vectors themselves; with
--network it is the small network of the systems, and they are found by its scores and the vectors. Each cell is
scored on the five official folds, and on the five by uploader, from one fit per fold. Intervals are paired: rows of
the official folds, whole uploaders of the others.
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from skbst.features import FeatureBundle
from skbst.metrics import hierarchical_f1_scorer
from skbst.model_selection import KNNBlendSearchCV, OfficialKFold, compare_paired
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier

ALPHAS, KS, TEMPERATURES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8), (5, 10, 20, 50), (0.05, 0.1, 0.2)
SHOWN = [(0.3, 10, 0.1), (0.3, 20, 0.1), (0.5, 10, 0.1), (0.5, 20, 0.1), (0.5, 20, 0.05)]


def predictions(search, cell):
    """Answers of one cell and the fold of each row."""
    alpha, k, temperature = cell
    n_rows = sum(len(parts.rows) for parts in search.fold_parts_)
    answer, fold = np.empty(n_rows, dtype=object), np.empty(n_rows, dtype=int)
    for number, parts in enumerate(search.fold_parts_):
        proba = parts.proba(alpha=alpha, k=k, temperature=temperature)
        answer[parts.rows], fold[parts.rows] = parts.classes[proba.argmax(axis=1)], number
    return answer.astype(str), fold


def run(name, model, X, y, groups):
    blender = KNNPriorBlender(model)
    grid = {"alpha": list(ALPHAS), "k": list(KS), "temperature": list(TEMPERATURES)}
    search = KNNBlendSearchCV(blender, grid, scoring=hierarchical_f1_scorer, cv=OfficialKFold(), refit=False)
    search.fit(X, y, groups=groups)
    table = pd.DataFrame(search.cv_results_["params"]).assign(hF=100 * search.cv_results_["mean_test_score"])
    print(f"\n{name}: best cells of {len(table)}, {type(model).__name__}")
    print(table.sort_values("hF", ascending=False).head(5).round(2).to_string(index=False))
    alone, fold = predictions(search, (0.0, 10, 0.1))
    best = table.loc[table["hF"].idxmax(), ["alpha", "k", "temperature"]]
    for cell in [*SHOWN, (best["alpha"], int(best["k"]), best["temperature"])]:
        answer, _ = predictions(search, cell)
        found = compare_paired(y, answer, alone, folds=fold, groups=groups, n_permutations=200, random_state=0)
        low, high = found.interval
        print(
            f"  alpha {cell[0]:.1f} k {cell[1]:2d} T {cell[2]:.2f}: hF {100 * found.score_a:.2f}, to the model alone "
            f"{100 * found.difference:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors")
    parser.add_argument("metadata")
    parser.add_argument("--block", nargs="+", default=["text_minilm_title_tags"], help="arrays; text first")
    parser.add_argument("--network", action="store_true", help="the small network in the place of a linear model")
    parser.add_argument("--rows", type=int, default=None, help="only the first rows")
    parser.add_argument("--c", type=float, default=10.0, help="inverse regularisation of the logistic regression")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message="All rows of")
    table = pd.read_csv(arguments.metadata).iloc[: arguments.rows]
    with np.load(arguments.vectors) as file:
        blocks = [normalize(file[name][: len(table)].astype(np.float32)) for name in arguments.block]
    y, uploader = table["class"].to_numpy().astype(str), table["uploader"]
    X, model = np.hstack(blocks), LogisticRegression(C=arguments.c, max_iter=300)
    if arguments.network:
        X = FeatureBundle(dict(zip(("text", "audio"), blocks)))
        model = BranchClassifier(size="small", recipe="small", random_state=0)
    run("official folds", model, X, y, None)
    run("folds by uploader", model, X, y, uploader)


if __name__ == "__main__":
    main()
