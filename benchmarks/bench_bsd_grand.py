"""
What the BSD-Grand recipe does to labels and scores where the truth is known.

Real metadata of BSD10k v1.0 (titles and tags, no sound) is divided by uploader into a base half and a candidate half.
A share of the candidates' labels is moved to a class that a listener could argue for. Then a text classifier is
trained, fold by fold, on the base alone, on base and all candidates, on base and the recipe's selection for that fold,
and on base and all candidates with their true labels; it is always tested on base rows.

    python benchmarks/bench_bsd_grand.py --data DATA [--noise 0.3] [--agreement all|majority] [--fast]
    python benchmarks/bench_bsd_grand.py --real-size

DATA holds ``bsd10k-v1.0/BSD10k_metadata.csv``. Without ``--data`` made tables stand in. ``--real-size`` runs the recipe
once on made tables as long as BSD10k v1.2 and BSD35k-CS, labels of the latter wrong where
``make_bst_table`` makes them so.
"""

import argparse
import resource
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbst.datasets import make_bst_table
from skbst.datasets._synth._neighbours import NEIGHBOURS
from skbst.metrics import hierarchical_f1_score
from skbst.model_selection import compare_paired, official_folds
from skbst.sampling import make_bsd_grand
from skbst.sampling._teachers import default_teacher, rows_of_view

FIELDS = ["title", "tags", "description"]


def read(data, rng):
    """Table of all rows with the column "candidate": half of the uploaders."""
    if data is None:
        table = make_bst_table(3000, random_state=0)
    else:
        table = pd.read_csv(Path(data) / "bsd10k-v1.0" / "BSD10k_metadata.csv", dtype=str, keep_default_na=False)
        table["description"] = ""
    table = table.set_index("sound_id")
    names = np.sort(table["uploader"].unique())
    return table.assign(candidate=table["uploader"].isin(rng.permutation(names)[: len(names) // 2]))


def bunch(table, labels):
    return Bunch(data=table[FIELDS], target=pd.Series(labels, index=table.index, name="class"), metadata=table)


def predict(train, labels, test):
    X = pd.concat([train, test])
    rows = np.arange(len(X))
    texts = rows_of_view(X, "title+tags", rows[: len(train)], rows[len(train) :])
    teacher = default_teacher(text=True).fit(texts[0], labels)
    return teacher.predict(texts[1])


def at_real_size(agreement):
    """Run the recipe once on made tables of 10,956 and 33,829 rows."""
    base = make_bst_table(10_956, random_state=0).set_index("sound_id")
    more, truth = make_bst_table(33_829, flavour="bsd35k", random_state=1, return_truth=True)
    more = more.set_index("sound_id")
    start = time.process_time()
    grand = make_bsd_grand(bunch(base, base["class"]), bunch(more, more["class"]), agreement=agreement)
    seconds = time.process_time() - start
    manifest, labels = grand.manifest, more["class"].to_numpy()
    wrong, kept = labels != truth.to_numpy(), manifest["kept"].to_numpy()
    uploads = manifest[kept].groupby(["uploader", "class"]).size()
    print(f"{len(base):,} base rows, {len(more):,} candidates, {wrong.mean():.1%} of their labels wrong")
    print(
        f"{kept.sum():,} kept, {wrong[kept].mean():.1%} of them wrong; {kept[~wrong].mean():.1%} of the right ones kept"
    )
    rarest = pd.Series(labels[kept]).value_counts().min()
    print(f"rarest class {rarest} rows, most of one uploader and class {uploads.max()}")
    print(f"{seconds:.0f} CPU seconds, peak resident {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--noise", type=float, default=0.3)
    parser.add_argument("--agreement", default="all", choices=["all", "majority"])
    parser.add_argument("--fast", action="store_true", help="two folds")
    parser.add_argument("--real-size", action="store_true", help="one run on made tables of the real sizes")
    args = parser.parse_args()
    if args.real_size:
        at_real_size(args.agreement)
        return
    rng = np.random.default_rng(0)
    table = read(args.data, rng)
    base, more = table[~table["candidate"]], table[table["candidate"]]
    truth = more["class"].to_numpy()
    wrong = rng.random(len(more)) < args.noise
    noisy = np.array([rng.choice(NEIGHBOURS[code]) if bad else code for code, bad in zip(truth, wrong)])
    y = base["class"].to_numpy()
    print(f"{len(base)} base rows, {len(more)} candidates, {wrong.mean():.1%} of their labels wrong")
    names = ["base", "+ all candidates", "+ BSD-Grand selection", "+ all, true labels"]
    predicted = {name: np.full(len(base), "", dtype=object) for name in names}
    tested = np.zeros(len(base), dtype=bool)
    for number, fold in enumerate(official_folds(y)):
        if args.fast and number == 2:
            break
        train, test = np.sort(np.r_[fold.train, fold.validation]), fold.test
        start = time.perf_counter()
        grand = make_bsd_grand(bunch(base, y), bunch(more, noisy), fold=number, agreement=args.agreement)
        seconds = time.perf_counter() - start
        kept = grand.manifest["kept"].to_numpy()
        naive = grand.manifest["votes"].fillna(0).astype(int).to_numpy()
        print(
            f"fold {number}: {kept.sum()} kept, wrong among them {wrong[kept].mean():.1%}, "
            f"right ones kept {kept[~wrong].mean():.1%}, rarest class {pd.Series(noisy[kept]).value_counts().min()} "
            f"(without its least number {pd.Series(noisy[naive == naive.max()]).value_counts().min()}), {seconds:.0f} s"
        )
        sets = [(more.iloc[:0], truth[:0]), (more, noisy), (more[kept], noisy[kept]), (more, truth)]
        for name, (rows, labels) in zip(names, sets):
            X = pd.concat([base.iloc[train], rows])
            predicted[name][test] = predict(X, np.concatenate([y[train], labels]), base.iloc[test])
        tested[test] = True
    for name in names:
        print(f"{name:24s} hF {100 * hierarchical_f1_score(y[tested], predicted[name][tested]):.2f}")
    for a, b in ((names[2], names[0]), (names[2], names[1])):
        pair = (predicted[a][tested].astype(str), predicted[b][tested].astype(str))
        print(f"{a} against {b}:", compare_paired(y[tested], *pair, random_state=0), sep="\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
