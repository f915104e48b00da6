"""How many of the real corrections of BSD10k a label audit finds in its first rows, beside cleanlab on the same folds.

    python benchmarks/bench_audit.py DATA

DATA holds bsd10k-v1.0 (labels and uploaders), bsd10k-v1.2-public-runs/folds.csv (labels after correction) and
real-encoders/bsd10k_v1.0.npz (MiniLM vectors of title and tags). 140 of 10,309 labels were changed in between.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from skbst.curation import LabelAudit

LOOKS = (100, 250, 500, 1000, 2000)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    table = pd.read_csv(data / "bsd10k-v1.0" / "BSD10k_metadata.csv")
    after = pd.read_csv(data / "bsd10k-v1.2-public-runs" / "folds.csv").set_index("sound_id")["ground_truth"]
    X = np.load(data / "real-encoders" / "bsd10k_v1.0.npz", allow_pickle=True)["text_minilm_title_tags"]
    X, y = X.astype(np.float32), table["class"].to_numpy()
    truth = after.reindex(table["sound_id"]).to_numpy(dtype=object)
    changed = pd.notna(truth) & (truth != y)
    print(f"{changed.sum()} of {len(y)} labels were changed; found in the first {LOOKS}:")
    print("by chance   ", [round(float(changed.mean() * n), 1) for n in LOOKS])
    model = LogisticRegression(C=10, max_iter=300)
    start = time.process_time()
    audit = LabelAudit(model, random_state=0).fit(X, y, groups=table["uploader"])
    found = audit.score(truth, LOOKS).tolist()
    print("LabelAudit  ", found, f"{time.process_time() - start:.0f} s of CPU time")
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    proba = cross_val_predict(model, X, y, cv=folds, method="predict_proba")
    _, label = np.unique(y, return_inverse=True)
    own = proba[np.arange(len(y)), label]
    print("self-confid.", [int(changed[np.argsort(own, kind="stable")[:n]].sum()) for n in LOOKS])
    try:
        from cleanlab.rank import get_label_quality_scores
    except ImportError:
        return
    for method in ("self_confidence", "normalized_margin"):
        order = np.argsort(get_label_quality_scores(label, proba, method=method), kind="stable")
        print(f"cleanlab, {method}", [int(changed[order[:n]].sum()) for n in LOOKS])


if __name__ == "__main__":
    main()
