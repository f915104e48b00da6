"""What a class prior gives the small network, and what one that knows nothing costs it.

The 10,309 real titles and tags of BSD10k v1.0 with MiniLM's vectors of them (DATA/real-encoders), the official folds.
Priors: right for every clip; of a random class for every clip; the tag rules of the package; with --minilm, a zero-shot
of that encoder against names and descriptions of the classes; none. Each network is also
asked without its prior; the first of these stands for the one without, which it is to the bit (tests/neural). hF and
accuracy in per cent; a difference is that of accuracy to the network of the same seed without a prior, with a 95 %
interval over test clips.

    python benchmarks/bench_network_prior.py --data DATA --folds 1 --seeds 0
"""

import argparse
from pathlib import Path

import bench_heads
import bench_priors
import numpy as np

from skbst.features import ClassPriorFeaturizer, FeatureBundle, TagRules
from skbst.metrics import hierarchical_f1_score
from skbst.model_selection import official_folds
from skbst.neural import BranchClassifier, Recipe


def load(data, minilm=None):
    table, y, _, blocks = bench_priors.text(data)
    right = (y[:, None] == np.unique(y)).astype(np.float32)
    draws = np.random.default_rng(0).integers(right.shape[1], size=len(y))
    priors = {
        "right": right,
        "random": np.eye(right.shape[1], dtype=np.float32)[draws],
        "tag rules": ClassPriorFeaturizer(TagRules()).fit_transform(table[["title", "tags"]]),
    }
    if minilm is not None:
        priors["zero-shot"] = bench_priors.priors_of(table, blocks, minilm)["MiniLM zero-shot"]
    return FeatureBundle({"clap_text": blocks["text"]}), y, priors


def interval(one, other):
    """Difference of the accuracies of two answers to the same clips, with its interval, in points."""
    difference = 100.0 * (one.astype(float) - other)
    mean, low, high = bench_heads.mean_interval(difference, np.arange(len(difference)), n_draws=1000)
    return f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]"


def predict(X, priors, y, train, test, settings):
    """Answers to the test rows by each network; one that is asked without its prior is the one without to the bit."""
    answers = {}
    for name, prior in priors.items():
        known, nothing = X.with_block("prior", prior), X.with_block("prior", 0 * prior)
        model = BranchClassifier(**settings).fit(known[train], y[train])
        answers[name] = model.predict(known[test])
        answers[f"{name}, asked without"] = model.predict(nothing[test])
    answers["none"] = answers[f"{next(iter(priors))}, asked without"]
    return answers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minilm", help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--store", type=Path, default=Path("bench_network_prior"))
    parser.add_argument("--folds", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, help="at most; the recipe's own number by default")
    parser.add_argument("--priors", nargs="+", default=["random", "tag rules", "right"])
    parser.add_argument("--plain", action="store_true", help="without the linear models")
    arguments = parser.parse_args()
    arguments.store.mkdir(parents=True, exist_ok=True)
    X, y, priors = load(arguments.data, arguments.minilm)
    chosen = {name: priors[name] for name in arguments.priors}
    recipe = Recipe.small().set_params(linear_prior=not arguments.plain)
    settings = {"size": "small", "recipe": recipe, **({"max_epochs": arguments.epochs} if arguments.epochs else {})}
    answers, truths = {}, []
    for seed in arguments.seeds:
        for number, (train, _, test) in enumerate(official_folds(y, validation_size=None)[: arguments.folds]):
            name = "_".join(map(str, [seed, number, arguments.epochs, arguments.plain, *arguments.priors]))
            path = arguments.store / f"{name.replace(' ', '-')}.npz"
            if not path.exists():
                np.savez(path, **predict(X, chosen, y, train, test, {**settings, "random_state": seed}))
            truths.append(y[test])
            with np.load(path) as file:
                for key in file.files:
                    answers.setdefault(key, []).append(file[key])
            tell(answers, np.concatenate(truths))


def tell(answers, truth):
    found = {name: np.concatenate(parts) for name, parts in answers.items()}
    for name, guess in found.items():
        line = f"{name:26s} hF {100 * hierarchical_f1_score(truth, guess):.2f}  acc {100 * (guess == truth).mean():.2f}"
        print(f"{line}  {interval(guess == truth, found['none'] == truth)}", flush=True)


if __name__ == "__main__":
    main()
