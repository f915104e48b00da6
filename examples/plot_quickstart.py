"""
Quickstart: from a folder of sounds to a scored, saved model
============================================================

Loads a dataset, makes features, runs five folds for four systems, searches the neighbour prior, saves the best system
and uses it in a fresh process. Without arguments it makes its own clips; ``--data ROOT`` takes any folder in the layout
of BSD10k (``audio/``, ``metadata/*_metadata.csv``)::

    python examples/plot_quickstart.py
    python examples/plot_quickstart.py --data path/to/BSD10k-v1.2 --embeddings shipped --size report
"""

# %%
# The command line. ``--embeddings builtin`` needs no download; ``clap`` computes CLAP embeddings, ``shipped`` reads
# those of the folder.

import argparse
import subprocess
import sys
import time
from pathlib import Path

import joblib
import matplotlib as mpl
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import Normalizer
from tqdm import tqdm

from skbst.datasets import load_bsd, make_bst_clips
from skbst.features import BlockSelector
from skbst.metrics import (
    hierarchical_accuracy_score,
    hierarchical_classification_report,
    hierarchical_f1_score,
    hierarchical_f1_scorer,
)
from skbst.model_selection import KNNBlendSearchCV, compare_paired, official_folds
from skbst.neural import Recipe
from skbst.plotting import HierarchicalConfusionMatrixDisplay
from skbst.systems import baseline, system_1

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, help="folder in the layout of BSD10k; default: made clips")
parser.add_argument("--out", type=Path, default=Path("quickstart-output"), help="where files go")
parser.add_argument("--embeddings", choices=["builtin", "shipped", "clap"], default="builtin")
parser.add_argument("--size", choices=["small", "report"], default="small")
parser.add_argument("--grouped", action="store_true", help="keep each uploader on one side of every fold")
parser.add_argument("--jobs", type=int, default=min(2, joblib.cpu_count()), help="processes")
parser.add_argument("--fast", action="store_true", help="fewer and shorter clips, few epochs, two of the folds")
arguments = parser.parse_args()
arguments.out.mkdir(parents=True, exist_ok=True)
if "agg" not in mpl.get_backend().lower():
    mpl.use("Agg")
started = time.perf_counter()


# %%
# The clips. One row is one clip; the index is the sound_id.

root = arguments.data
if root is None:
    n_clips = 161 if arguments.fast else 230
    print(f"Making {n_clips} clips of all 23 classes (made sounds: scores on them say nothing about real ones).")
    root = make_bst_clips(
        arguments.out / f"clips-{n_clips}",
        n_clips=n_clips,
        max_duration=1.5 if arguments.fast else 6.0,
        random_state=0,
        verbose=1,
    )
clips = load_bsd(root)
X, y = clips.data, clips.target
groups = clips.metadata["uploader"] if arguments.grouped else None
print(f"{len(X)} clips, {y.nunique()} classes. The first:\n{X.iloc[0].to_string()}\n")

# %%
# The systems. Both are ordinary pipelines: featurizers, then a classifier. Spectra are kept in a folder, so that they
# are computed once for all folds; whatever is learnt (statistics, vocabulary) is learnt on each fold's training rows.

settings = {"embeddings": arguments.embeddings, "size": arguments.size, "store": arguments.out / "frames"}
system = system_1(**settings, random_state=0)
plain = baseline(**settings, random_state=0)
if arguments.fast:
    short = Recipe.small().set_params(max_epochs=5, branch_start=5, branch_max_epochs=10)
    system.set_params(classifier__estimator__recipe=short)
# the linear model gets both embeddings in one row, each of length 1
rows = make_union(*(make_pipeline(BlockSelector(name), Normalizer()) for name, _ in plain[0].featurizers))
linear = make_pipeline(rows, LogisticRegression(C=30.0, max_iter=2000))
print("Computing spectra (kept in a folder, once for all folds):")
clone(system[0]).set_params(n_jobs=arguments.jobs, verbose=1).fit_transform(X)


# %%
# Five folds, as in the challenge, side by side in processes. The log-STFT model without and with its neighbours comes
# from one fit.

names = ["logistic regression", "baseline", "log-STFT", "log-STFT + KNN"]


def run_fold(train, test):
    """What each model, trained on the training rows, says of the test rows."""
    features = clone(system[0]).fit(X.iloc[train])
    bundle_train, bundle_test = features.transform(X.iloc[train]), features.transform(X.iloc[test])
    told = {} if groups is None else {"groups": groups.iloc[train]}  # networks keep an uploader on one side inside, too
    with_neighbours = clone(system[-1]).fit(bundle_train, y.iloc[train], **told)
    others = [clone(linear).fit(bundle_train, y.iloc[train]), clone(plain[-1]).fit(bundle_train, y.iloc[train], **told)]
    return test, [model.predict(bundle_test) for model in [*others, with_neighbours.estimator_, with_neighbours]]


folds = official_folds(y, groups=groups)
splits = list(folds.split(X, y))[: 2 if arguments.fast else None]
parallel = joblib.Parallel(n_jobs=arguments.jobs, return_as="generator")
predictions = {name: pd.Series(index=y.index, dtype=object) for name in names}
lines, tested = [], []
for test, answers in tqdm(parallel(joblib.delayed(run_fold)(*split) for split in splits), "Folds", len(splits)):
    cells = []
    for name, answer in zip(names, answers):
        predictions[name].iloc[test] = answer
        scores = hierarchical_f1_score(y.iloc[test], answer), hierarchical_accuracy_score(y.iloc[test], answer)
        cells.append(f"{100 * scores[0]:.1f} / {100 * scores[1]:.1f}")
    tested.append(test)
    lines.append(f"{len(tested):<6}" + "".join(f"{cell:>22}" for cell in cells))

print(f"\nhF / hierarchical accuracy in %, {'uploader-grouped' if arguments.grouped else 'official'} folds")
print("fold  " + "".join(f"{name:>22}" for name in names), *lines, sep="\n")

tested = np.sort(np.concatenate(tested))
truth = y.iloc[tested]
predicted = {name: values.iloc[tested].astype(str) for name, values in predictions.items()}
overall = [
    f"{100 * hierarchical_f1_score(truth, values):.1f} / {100 * hierarchical_accuracy_score(truth, values):.1f}"
    for values in predicted.values()
]
print(f"{'all':<6}" + "".join(f"{cell:>22}" for cell in overall))
compared = {"groups": None if groups is None else groups.iloc[tested], "random_state": 0}
comparison = compare_paired(truth, predicted[names[3]], predicted[names[0]], **compared)
print(f"\n{names[3]} against {names[0]}:\n{comparison}\n")
print(hierarchical_classification_report(truth, predicted[names[3]], digits=1))

# %%
# Where it goes wrong: the confusion matrix with the top levels as blocks.

display = HierarchicalConfusionMatrixDisplay.from_predictions(truth, predicted[names[3]])
display.figure_.savefig(arguments.out / "confusion.png", dpi=110)

# %%
# The neighbour prior: alpha, k and the temperature are searched at the cost of one fit per fold.

grid = {
    "classifier__alpha": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
    "classifier__k": [5, 10, 20, 40],
    "classifier__temperature": [0.05, 0.1, 0.2],
}
cv = splits[: 1 if arguments.fast else 2]
search = KNNBlendSearchCV(system, grid, scoring=hierarchical_f1_scorer, cv=cv, n_jobs=arguments.jobs, verbose=1).fit(
    X, y
)
print(f"\nBest of {len(search.cv_results_['params'])} cells with {search.n_fits_} fits: {search.best_params_},")
print(f"hF {100 * search.best_score_:.1f} (chosen on these folds, so a little too good)")

# %%
# Save the best system, and use it in a fresh process on single files with their words.

path = arguments.out / "model.joblib"
joblib.dump(search.best_estimator_, path, compress=3)
X.head(3).to_csv(arguments.out / "new_sounds.csv")
code = f"""
import joblib, pandas as pd
model = joblib.load({str(path)!r})
sounds = pd.read_csv({str(arguments.out / "new_sounds.csv")!r}, index_col="sound_id", dtype=str, keep_default_na=False)
for sound_id, row, p in zip(sounds.index, sounds.itertuples(), model.predict_proba(sounds)):
    print(f"  {{sound_id}} {{row.title!r}}: {{model.classes_[p.argmax()]}} ({{p.max():.2f}})")
"""
print(f"\nSaved to {path} ({path.stat().st_size / 1e6:.1f} MB). In a fresh process it says:", flush=True)
subprocess.run([sys.executable, "-c", code], check=True)
print(f"\nPictures and model are in {arguments.out}. {time.perf_counter() - started:.0f} s.")
