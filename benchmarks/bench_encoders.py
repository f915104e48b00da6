"""What free class priors know of the 10,309 real titles and tags of BSD10k v1.0, and what they add to a classifier.

    SKBST_DATA=... python benchmarks/bench_encoders.py MODEL_FOLDER

MODEL_FOLDER holds all-MiniLM-L6-v2. Text vectors are those of ``real-encoders/bsd10k_v1.0.npz`` (title + tags).
Intervals are 95 % of 1,000 draws of whole uploaders. N_FOLDS folds (2), drawn here: not the official ones.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold

from skbst.features import ClassPriorFeaturizer, SentenceTransformerFeaturizer, TagRules
from skbst.features._priors._zero_shot import similarity_prior
from skbst.metrics import hierarchical_f1_score


def main(model):
    n_folds = int(os.environ.get("N_FOLDS", "2"))
    root = Path(os.environ["SKBST_DATA"])
    table = pd.read_csv(root / "bsd10k-v1.0" / "BSD10k_metadata.csv", keep_default_na=False)
    vectors = np.load(root / "real-encoders" / "bsd10k_v1.0.npz")["text_minilm_title_tags"].astype(np.float32)
    y, groups = table["class"].to_numpy(dtype=str), table["uploader"].to_numpy(dtype=str)
    zero_shot = ClassPriorFeaturizer(SentenceTransformerFeaturizer(model, n_jobs=1)).fit(["x"])
    rules = TagRules().fit(table)
    priors = {
        "MiniLM zero-shot": similarity_prior(vectors, zero_shot.class_embeddings_, 0.05),
        "TagRules": rules.transform(table),
    }
    for name, prior in priors.items():
        known = prior.any(axis=1)
        guess = rules.classes_[prior.argmax(axis=1)]
        print(f"{name}: knows {known.mean():.1%} of the clips", flush=True)
        share = (guess == y)[known].sum() / len(y)
        print(f"  alone: top-1 {share:.1%} of all; of those known {describe(y, guess, groups, known)}")
    for protocol, splits in {
        "random": StratifiedKFold(n_folds, shuffle=True, random_state=0).split(vectors, y),
        "by uploader": GroupKFold(n_folds).split(vectors, y, groups),
    }.items():
        compare(protocol, list(splits), vectors, y, groups, priors)


def compare(protocol, splits, vectors, y, groups, priors):
    """Logistic regression on the text vectors, without and with each prior beside them."""
    right = {}
    for name, block in {"none": np.zeros((len(y), 0)), **priors}.items():
        guess = np.empty(len(y), dtype=object)
        X = np.hstack([vectors, block])
        for train, test in splits:
            guess[test] = LogisticRegression(C=10, max_iter=200).fit(X[train], y[train]).predict(X[test])
        right[name] = guess == y
        gain = right[name].astype(float) - right["none"]
        low, high = interval(gain, groups)
        hf = hierarchical_f1_score(y, guess.astype(str))
        print(
            f"{protocol}, prior {name}: top-1 {right[name].mean():.1%}, hF {hf:.1%}; gain {100 * gain.mean():+.2f} "
            f"[{100 * low:+.2f}, {100 * high:+.2f}] points",
            flush=True,
        )


def describe(y, guess, groups, rows):
    low, high = interval((guess == y)[rows].astype(float), groups[rows])
    return (
        f"{(guess == y)[rows].mean():.1%} [{low:.1%}, {high:.1%}], hF {hierarchical_f1_score(y[rows], guess[rows]):.1%}"
    )


def interval(values, groups, n_draws=1000):
    _, codes = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(codes, values), np.bincount(codes)
    drawn = np.random.default_rng(0).integers(0, len(sums), (n_draws, len(sums)))
    return np.percentile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [2.5, 97.5])


if __name__ == "__main__":
    main(sys.argv[1])
