"""What a search over alpha, k and temperature costs, against a GridSearchCV that fits for every cell.

    python benchmarks/bench_search.py [--data ROOT] [--classifier network|linear|mlp] [--rows N] [--skip-naive] [--fast]

With ``--data`` pointing at a folder that holds ``bsd10k-v1.0/standin_embeddings.npz`` the rows are real (10,309 titles
and tags of BSD10k v1.0 as embeddings, real labels); otherwise they are made.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neural_network import MLPClassifier

from skbst.features import FeatureBundle
from skbst.metrics import hierarchical_f1_scorer
from skbst.model_selection import KNNBlendSearchCV
from skbst.neighbors import KNNPriorBlender
from skbst.taxonomy import BST

GRID = {"alpha": [0.0, 0.15, 0.3, 0.45, 0.6], "k": [5, 10, 20, 50]}


class Counted(MLPClassifier):
    """Counts fits over the whole run, as long as they happen in this process."""

    n_fits = 0

    def fit(self, X, y):
        Counted.n_fits += 1
        return super().fit(np.asarray(X), y)

    def predict_proba(self, X):
        return super().predict_proba(np.asarray(X))


def rows(data, n_rows):
    if data is None:
        rng = np.random.default_rng(0)
        y = rng.choice(BST.leaves, n_rows)
        centres = rng.standard_normal((23, 64))[BST.leaf_index(y)]
        noise = rng.standard_normal((2, n_rows, 64)) * 3
        return FeatureBundle({"audio": (centres + noise[0]).astype("f4"), "text": (centres + noise[1]).astype("f4")}), y
    shipped = np.load(Path(data) / "bsd10k-v1.0" / "standin_embeddings.npz", allow_pickle=False)
    chosen = np.random.default_rng(0).permutation(len(shipped["class"]))[:n_rows]
    blocks = {name: shipped[f"{name}_emb"][chosen].astype("f4") for name in ("audio", "text")}
    return FeatureBundle(blocks), shipped["class"][chosen].astype(str)


def classifier(name, fast):
    if name == "network":
        from skbst.neural import BranchClassifier

        return BranchClassifier(size="small", max_epochs=3 if fast else 10, random_state=0)
    if name == "mlp":
        return Counted((64,), max_iter=30, random_state=0)
    return LogisticRegression(C=10, max_iter=300)


def timed(search, X, y):
    start = time.perf_counter()
    search.fit(X, y)
    return search, time.perf_counter() - start


def compare(X, y, model, name, skip_naive):
    settings = {"scoring": hierarchical_f1_scorer, "cv": StratifiedKFold(5, shuffle=True, random_state=1821)}
    n_cells = len(GRID["alpha"]) * len(GRID["k"])
    fast_search, fast = timed(KNNBlendSearchCV(KNNPriorBlender(model), GRID, refit=False, **settings), X, y)
    if skip_naive:
        print(f"KNNBlendSearchCV, {n_cells} cells x 5 folds, {len(y):,} rows, {name}: {fast:.1f} s")
        return fast_search
    naive_search, naive = timed(GridSearchCV(KNNPriorBlender(model), GRID, refit=False, **settings), X, y)
    difference = np.abs(fast_search.cv_results_["mean_test_score"] - naive_search.cv_results_["mean_test_score"]).max()
    print(f"{n_cells} cells x 5 folds, {len(y):,} rows, {name}:")
    print(f"  GridSearchCV               {naive:8.1f} s   {5 * n_cells} fits")
    print(f"  KNNBlendSearchCV           {fast:8.1f} s   {fast_search.n_fits_} fits    {naive / fast:5.1f} x faster")
    print(f"  largest difference of mean scores: {difference:.1e}")
    return fast_search


def many_cells(search):
    grid = {
        "alpha": np.linspace(0, 1, 41),
        "k": [1, 2, 3, 5, 7, 10, 15, 20, 30, 50],
        "temperature": [0.02, 0.05, 0.1, 0.2, 0.5],
    }
    start = time.perf_counter()
    table = search.score_cells(grid)
    taken = time.perf_counter() - start
    best = table.loc[table["mean_test_score"].idxmax()]
    model = table.loc[table["alpha"] == 0, "mean_test_score"].iloc[0]
    print(f"{len(table):,} further cells on the same folds: {taken:.1f} s, {len(table) / taken:.0f} cells/s, no fit")
    print(
        f"  hF of the model alone {100 * model:.2f}, best cell {100 * best['mean_test_score']:.2f} (alpha "
        f"{best['alpha']:.2f}, k {best['k']:.0f}, T {best['temperature']:.2f}); chosen on the same folds"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=None, help="folder with bsd10k-v1.0/standin_embeddings.npz")
    parser.add_argument("--classifier", choices=["network", "linear", "mlp"], default="mlp")
    parser.add_argument("--rows", type=int, default=None, help="number of rows (default 4,000; 1,000 with --fast)")
    parser.add_argument("--fast", action="store_true", help="fewer rows")
    parser.add_argument("--skip-naive", action="store_true", help="only the search that fits once per fold")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(f"{threads} thread(s), {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    X, y = rows(arguments.data, arguments.rows or (1_000 if arguments.fast else 4_000))
    model = classifier(arguments.classifier, arguments.fast)
    search = compare(X, y, model, arguments.classifier, arguments.skip_naive)
    if arguments.classifier == "mlp":
        print(f"  fits counted in both searches together: {Counted.n_fits}")
    many_cells(search)


if __name__ == "__main__":
    main()
