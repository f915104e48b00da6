"""How many of the real corrections of BSD10k a label audit finds in its first rows, beside cleanlab on the same folds.

    python benchmarks/bench_audit.py DATA [--draws 4] [--answers] [--noise]

DATA holds bsd10k-v1.0 (labels and uploaders), bsd10k-v1.2-public-runs/folds.csv (labels after correction) and
real-encoders (MiniLM vectors of title and tags; of bst-real also those of a sound encoder). 140 of 10,309 labels were
changed in between. ``--draws`` repeats it with other random folds, ``--answers`` lets a person who knows them
answer ten rows at a time, and ``--noise`` plants wrong labels of three kinds in bst-real.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression

from skbst.curation import LabelAudit

LOOKS = (100, 250, 500, 1000, 2000)
ANSWERED = (100, 250, 500, 650, 850, 1000)


def real_corrections(data):
    """Vectors, labels, uploaders and labels after correction of BSD10k."""
    table = pd.read_csv(data / "bsd10k-v1.0" / "BSD10k_metadata.csv")
    after = pd.read_csv(data / "bsd10k-v1.2-public-runs" / "folds.csv").set_index("sound_id")["ground_truth"]
    X = np.load(data / "real-encoders" / "bsd10k_v1.0.npz", allow_pickle=True)["text_minilm_title_tags"]
    truth = after.reindex(table["sound_id"]).to_numpy(dtype=object)
    return X.astype(np.float32), table["class"].to_numpy(), table["uploader"], truth


def rankings(audit, y):
    """Order of the rows by each ranking, all on the same out-of-fold probabilities."""
    label = np.searchsorted(audit.classes_, y)
    orders = {"LabelAudit": audit.ranking_["position"].to_numpy()}
    orders["self-confidence"] = np.argsort(audit.proba_[np.arange(len(y)), label], kind="stable")
    try:
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores
    except ImportError:
        return orders
    for method in ("self_confidence", "normalized_margin"):
        order = np.argsort(get_label_quality_scores(label, audit.proba_, method=method), kind="stable")
        orders[f"cleanlab {method}"] = order
    confident = find_label_issues(label, audit.proba_, return_indices_ranked_by="self_confidence")
    rest = orders["cleanlab self_confidence"]
    orders["cleanlab find_label_issues"] = np.r_[confident, rest[~np.isin(rest, confident)]]
    return orders


def found(order, wrong, looks):
    return [int(wrong[order[:n]].sum()) for n in looks]


def show_real(data, draws):
    X, y, groups, truth = real_corrections(data)
    changed = pd.notna(truth) & (truth != y)
    print(f"{changed.sum()} of {len(y)} labels were changed; found in the first {LOOKS}, {draws} draws of the folds:")
    print(f"{'by chance':28s}", [round(float(changed.mean() * n), 1) for n in LOOKS])
    counts = {}
    for seed in range(draws):
        audit = LabelAudit(LogisticRegression(C=10, max_iter=300), random_state=seed).fit(X, y, groups=groups)
        for name, order in rankings(audit, y).items():
            counts.setdefault(name, []).append(found(order, changed, LOOKS))
    for name, rows in counts.items():
        print(f"{name:28s}", np.mean(rows, axis=0).round(1).tolist(), "each draw:", rows)


def show_answers(data, draws, at_once=10):
    X, y, groups, truth = real_corrections(data)
    changed = pd.notna(truth) & (truth != y)
    right = np.where(changed, truth, y)
    print(f"found among the first {ANSWERED} looks, {at_once} answers at a time:")
    for seed in range(draws):
        audit = LabelAudit(LogisticRegression(C=10, max_iter=300), random_state=seed).fit(X, y, groups=groups)
        fixed, seen = audit.ranking_["position"].to_numpy(), []
        while len(seen) < max(ANSWERED):
            asked = audit.ranking_.index[:at_once]
            seen += asked.tolist()
            audit = audit.answer(asked, right[asked])
        print("fixed", found(fixed, changed, ANSWERED), "answered", found(np.array(seen), changed, ANSWERED))


def planted(kind, y, groups, rng, share=0.08):
    """Labels with some wrong ones, and where they are."""
    wrong = y.copy()
    if kind == "packs":
        pairs = pd.DataFrame({"group": groups, "label": y}).groupby(["group", "label"]).size()
        pairs = pairs[(pairs >= 3) & (pairs <= 12)].sample(frac=1, random_state=int(rng.integers(2**31)))
        chosen = pairs[pairs.cumsum() <= share * len(y)].index
        rows = [np.flatnonzero((groups == group) & (y == label)) for group, label in chosen]
    else:
        rows = [np.array([row]) for row in rng.choice(len(y), int(share * len(y)), replace=False)]
    for members in rows:
        label = y[members[0]]
        others = np.setdiff1d(np.unique(y), [label])
        if kind == "sibling":
            others = others[[code.split("-")[0] == label.split("-")[0] for code in others]]
        wrong[members] = rng.choice(others)
    return wrong, wrong != y


def bst_real_vectors(file, which):
    """Vectors of bst-real, each part divided by its length."""
    parts = {"text": ["text_minilm_title_tags"], "audio": ["audio_aisfx"]}
    names = parts.get(which) or [*parts["audio"], *parts["text"]]
    vectors = [file[name].astype(np.float32) for name in names]
    return np.hstack([part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9) for part in vectors])


def show_noise(data, which, seeds=8):
    table = pd.read_csv(data / "bst-real" / "metadata" / "BSD10k_metadata.csv", dtype={"sound_id": str})
    file = np.load(data / "real-encoders" / "bst_real.npz", allow_pickle=True)
    assert file["sound_id"].astype(str).tolist() == table["sound_id"].tolist()
    X, y = bst_real_vectors(file, which), table["class"].to_numpy(dtype=object)
    groups = table["uploader"].to_numpy(dtype=object)
    for kind in ("uniform", "sibling", "packs"):
        shares = {}
        for seed in range(seeds):
            wrong_y, wrong = planted(kind, y, groups, np.random.default_rng(seed))
            audit = LabelAudit(LogisticRegression(C=10, max_iter=300), random_state=seed)
            audit.fit(X, wrong_y, groups=groups)
            orders = rankings(audit, wrong_y)
            packs = audit.packs_
            where = [np.flatnonzero((groups == g) & (wrong_y == c)) for g, c in zip(packs["group"], packs["label"])]
            whole = np.concatenate([*where, np.zeros(0, int)]).astype(int)
            orders["packs_, clip by clip"] = np.r_[whole, np.setdiff1d(orders["LabelAudit"], whole)]
            for name, order in orders.items():
                shares.setdefault(name, []).append(wrong[order[: wrong.sum()]].mean())
        print(f"{which}, {kind}: share of the planted in as many first rows, mean of {seeds} seeds (95 %)")
        ours = np.array(shares["LabelAudit"])
        for name, values in shares.items():
            gap = ours - np.array(values)
            half = stats.t.ppf(0.975, seeds - 1) * gap.std(ddof=1) / np.sqrt(seeds)
            print(f"  {name:28s} {np.mean(values):.3f}  audit better by {gap.mean():+.3f} +- {half:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--draws", type=int, default=1, help="default: 1")
    parser.add_argument("--answers", action="store_true", help="answers rank what is left")
    parser.add_argument("--noise", action="store_true", help="planted noise on bst-real")
    parser.add_argument(
        "--vectors", choices=["text", "audio", "both"], default="text", help="for --noise; default: text"
    )
    arguments = parser.parse_args()
    if arguments.noise:
        show_noise(arguments.data, arguments.vectors)
    elif arguments.answers:
        show_answers(arguments.data, arguments.draws)
    else:
        show_real(arguments.data, arguments.draws)


if __name__ == "__main__":
    main()
