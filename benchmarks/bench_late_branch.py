"""What an acoustic branch does that joins late: hF before it joined, at the end, and at the end without its frames.

The small networks of `skbst.systems` on DATA/bst-real, five folds, uploader-grouped (or stratified). One fit gives all
three figures, so that they share everything but what the branch did: another seed alone moves a row by a point.
The small systems freeze the trunk when the branch joins; with --together all goes on training.

    python benchmarks/bench_late_branch.py [BRANCH ...] --data DATA [--protocol grouped] [--seeds 0 1] [--together]
        [--store FOLDER]
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from bench_heads import PROTOCOLS, clips, small
from skorch.callbacks import Callback

from skbst.metrics import hierarchical_f1_score
from skbst.neural import Recipe
from skbst.neural._inference import forward_rows
from skbst.neural._rows._inputs import BRANCH_BLOCKS, read_bundle


class Watch(Callback):
    """hF of the test rows after the last epoch without the branch, and after the last with and without frames."""

    def __init__(self, bundle, y, classes, block, epochs):
        self.without, self.whole = (
            read_bundle(bundle, {"audio": "audio", "text": "text", "frames": frames}) for frames in (None, block)
        )
        self.y, self.classes, self.epochs = y, classes, epochs
        self.found = []

    def on_epoch_end(self, net, **kwargs):
        late, last = self.epochs
        if len(net.history) == late:
            self.found.append(self._score(net, self.without))
        elif len(net.history) == last:
            self.found += [self._score(net, self.whole), self._score(net, self.without)]

    def _score(self, net, inputs):
        leaf, _ = forward_rows(net.module_, inputs, chunk_size=32, device=net.device)
        return 100 * hierarchical_f1_score(self.y, self.classes[leaf.argmax(axis=1)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "branches", nargs="*", default=list(BRANCH_BLOCKS), metavar="branch", help=", ".join(BRANCH_BLOCKS)
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of bst-real")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="grouped")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--together", action="store_true", help="train the trunk with the branch, too")
    parser.add_argument("--store", type=Path, help="folder of features")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = args.store or Path(folder)
        y, folds, groups = clips(args.data / "bst-real", store, args.protocol == "grouped")
        for branch in args.branches:
            found = []
            for seed in args.seeds:
                for bundle, train, test in folds:
                    model = small(branch, neighbours=False, random_state=seed)
                    recipe = Recipe.small().set_params(freeze_trunk=not args.together)
                    model.set_params(recipe=recipe)
                    epochs = recipe.branch_start, recipe.branch_max_epochs
                    watch = Watch(bundle[test], y[test], np.unique(y[train]), BRANCH_BLOCKS[branch], epochs)
                    model.set_params(callbacks=[watch])
                    model.fit(bundle[train], y[train], groups=None if groups is None else groups[train])
                    found.append(watch.found)
                by_seed = np.reshape(found, (-1, len(folds), 3)).mean(axis=1)
                before, after, without = by_seed.mean(axis=0)
                line = f"epoch {epochs[0]} {before:.2f}, epoch {epochs[1]} {after:.2f}, without frames {without:.2f}"
                line = f"{branch}, {args.protocol}, seeds {args.seeds[: len(by_seed)]}: {line}"
                print(f"{line}; seed {seed} alone {by_seed[-1].round(1)}", flush=True)


if __name__ == "__main__":
    main()
