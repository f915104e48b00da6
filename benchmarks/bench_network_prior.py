"""What a class prior gives the small network, and what one that knows nothing costs it.

The 10,309 real titles and tags of BSD10k v1.0 with MiniLM's vectors of them (DATA/real-encoders), the official folds.
Priors: none; right for every clip; of a random class for every clip; the tag rules of the package. The network with the
right one is also asked without it. hF and accuracy in per cent; a difference is that to the network of the same
seed without a prior, with a 95 % interval over test clips.

    python benchmarks/bench_network_prior.py --data DATA --folds 1 --seeds 0
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from skbst.features import ClassPriorFeaturizer, FeatureBundle, TagRules
from skbst.metrics import hierarchical_f1_score
from skbst.model_selection import official_folds
from skbst.neural import BranchClassifier, Recipe


def load(data):
    table = pd.read_csv(data / "bsd10k-v1.0" / "BSD10k_metadata.csv", keep_default_na=False, dtype={"sound_id": str})
    table = table.set_index("sound_id")
    with np.load(data / "real-encoders" / "bsd10k_v1.0.npz") as file:
        vectors = file["text_minilm_title_tags"].astype(np.float32)
    y = table["class"].to_numpy(str)
    right = (y[:, None] == np.unique(y)).astype(np.float32)
    draws = np.random.default_rng(0).integers(right.shape[1], size=len(y))
    priors = {
        "right": right,
        "random": np.eye(right.shape[1], dtype=np.float32)[draws],
        "tag rules": ClassPriorFeaturizer(TagRules()).fit_transform(table[["title", "tags"]]),
    }
    return FeatureBundle({"clap_text": vectors}), y, priors


def interval(one, other, *, n_draws=1000):
    """Difference of the accuracies of two answers to the same clips, with its interval, in points."""
    difference = 100.0 * (one.astype(float) - other)
    rng = np.random.default_rng(0)
    means = [difference[rng.integers(len(difference), size=len(difference))].mean() for _ in range(n_draws)]
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{difference.mean():+.2f} [{low:+.2f}, {high:+.2f}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--priors", nargs="+", default=["random", "tag rules", "right"])
    parser.add_argument("--plain", action="store_true", help="without the linear models")
    arguments = parser.parse_args()
    X, y, priors = load(arguments.data)
    recipe = Recipe.small().set_params(linear_prior=not arguments.plain)
    hits, truths, answers = {}, [], {}

    def note(name, predicted, test):
        hits.setdefault(name, []).append(predicted == y[test])
        answers.setdefault(name, []).append(predicted)

    for seed in arguments.seeds:
        for train, _, test in official_folds(y, validation_size=None)[: arguments.folds]:
            truths.append(y[test])
            settings = {"size": "small", "recipe": recipe, "max_epochs": arguments.epochs, "random_state": seed}
            note("none", BranchClassifier(**settings).fit(X[train], y[train]).predict(X[test]), test)
            for name in arguments.priors:
                known, nothing = (X.with_block("prior", prior) for prior in (priors[name], 0 * priors[name]))
                model = BranchClassifier(**settings).fit(known[train], y[train])
                note(name, model.predict(known[test]), test)
                note(f"{name}, asked without", model.predict(nothing[test]), test)
            for name in hits:
                found, none = np.concatenate(hits[name]), np.concatenate(hits["none"])
                hF = hierarchical_f1_score(np.concatenate(truths), np.concatenate(answers[name]))
                print(
                    f"{name:26s} hF {100 * hF:.2f}  acc {100 * found.mean():.2f}  {interval(found, none)}", flush=True
                )


if __name__ == "__main__":
    main()
