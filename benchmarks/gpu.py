"""What the networks do on a GPU: one command, no network, under 8 minutes.

An epoch of each network at the report's size against a bare loop (same network, same augmentation, same tensors in host
memory, fused AdamW), in float32 and bfloat16; the most memory that the device held; an epoch of log-STFT over 20,529
rows of 5 s that lie in a memory map; and whether a trained network predicts, pickles and loads on a CPU, where it must
say the same. Prints tables for the guide. What there is no time left for is named and left out.

    python benchmarks/gpu.py [--device cuda] [--rounds 3] [--minutes 8]
    python benchmarks/gpu.py --tiny                       # a few clips on a CPU: does it run?
"""

import argparse
import os
import pickle
import resource
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from bench_training import BINS, make_clips, new_module
from skorch.callbacks import Callback
from torch.nn import functional as F

from skbst.exceptions import FewClipsWarning
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier
from skbst.neural._rows._inputs import BRANCH_BLOCKS
from skbst.neural._training._augmentation import make_augmentation

NETWORKS = [(None, "baseline"), (None, "flat"), (None, "gc"), (None, "lcl"), *((branch, "baseline") for branch in BINS)]
N_ROWS = 20_529  # of BSD-Grand (report, section 3.1), 5 s each


class Budget:
    """Minutes that are left."""

    def __init__(self, minutes):
        self.end = time.perf_counter() + 60 * minutes
        self.longest = 0.0

    def allows(self, name):
        """Whether a further step of the kind may begin; says so where not."""
        if time.perf_counter() + self.longest < self.end:
            self.begun = time.perf_counter()
            return True
        print(f"left out, no time: {name}", flush=True)
        return False

    def spent(self):
        """Note how long the step took."""
        self.longest = max(self.longest, time.perf_counter() - self.begun)


class InTurns(Callback):
    """After each epoch of the estimator one of the bare loop; wall times, with the device idle at both ends."""

    def __init__(self, rival, device):
        self.rival = rival
        self.device = device

    def on_train_begin(self, net, **kwargs):
        self.ours, self.bare = [], []
        if net.module_.branch is not None:
            net.module_.branch.requires_grad_(True)  # held for its first steps it would be cheaper than the rival's

    def on_epoch_begin(self, net, **kwargs):
        self.start = now(self.device)

    def on_epoch_end(self, net, **kwargs):
        self.ours.append(now(self.device) - self.start)
        if self.rival is not None:
            start = now(self.device)
            self.rival()
            self.bare.append(now(self.device) - start)


def now(device):
    """Seconds, once everything that was asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def bare_loop(module, bundle, target, branch, batch_size, device, precision):
    """One epoch over tensors in host memory, each batch moved to the device."""
    module = module.to(device)
    inputs = {name: torch.from_numpy(bundle[f"clap_{name}"]) for name in ("audio", "text")}
    if branch is not None:
        inputs["frames"] = torch.from_numpy(bundle[BRANCH_BLOCKS[branch]])
        inputs["lengths"] = torch.from_numpy(bundle.lengths(BRANCH_BLOCKS[branch]))
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3, weight_decay=1e-5, fused=True)
    augment = make_augmentation("default", branch=branch, standardizer=module.standardizer, n_classes=23)

    def epoch():
        module.train()
        for index in torch.randperm(len(target)).split(batch_size):
            batch = {name: value[index].to(device) for name, value in inputs.items()}
            batch, labels = augment(batch, target[index].to(device))
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
                output = module(**batch)
                leaf, *top = output if isinstance(output, tuple) else (output,)
                loss = F.cross_entropy(leaf, labels, label_smoothing=0.05)
                if top:
                    loss = loss + F.cross_entropy(top[0], module.head.parent_of_leaf[labels], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return epoch


def held(device, reset=False):
    """Most memory that the device held since the last reset, as text."""
    if device.type != "cuda":
        return "-"
    most = torch.cuda.max_memory_allocated(device)
    if reset:
        torch.cuda.reset_peak_memory_stats(device)
    return f"{most / 1e9:.2f}"


def model_for(args, branch=None, head="baseline", **settings):
    settings = {"validation_fraction": None, "device": str(args.device), "random_state": 0, **settings}
    return BranchClassifier(branch, head, batch_size=64 if branch is None else 32, **settings)


def epochs(args, budget):
    """Rows of the table of networks and formats."""
    found = []
    for branch, head in NETWORKS:
        n_clips = args.plain if branch is None else args.framed
        bundle, y = make_clips(n_clips, branch, n_frames=args.frames)
        target = torch.from_numpy(np.searchsorted(np.unique(y), y))
        for precision in ("float32", "bfloat16"):
            name = head if branch is None else branch
            if not budget.allows(f"{name}, {precision}"):
                continue
            model = model_for(args, branch, head, precision=precision, max_epochs=args.rounds + 1)
            module = new_module(model, bundle, y)
            rival = bare_loop(module, bundle, target, branch, model.batch_size, args.device, precision)
            held(args.device, reset=True)
            turns = InTurns(rival, args.device)
            model.set_params(callbacks=[turns]).fit(bundle, y)
            ours, bare = (np.array(seconds[1:]) for seconds in (turns.ours, turns.bare))  # the first warms up
            ms = 1e3 * np.median(ours) / n_clips
            found.append([name, precision, f"{ms:.3f}", f"{np.median(ours / bare):.2f}", held(args.device)])
            budget.spent()
    return found


def large(args):
    """An epoch over a memory map of log-STFT."""
    bundle, y = make_clips(args.rows)
    with tempfile.TemporaryDirectory() as folder:
        shape = (args.rows, args.frames, BINS["log-stft"])
        frames = np.memmap(Path(folder) / "frames", dtype=np.float32, mode="w+", shape=shape)
        bundle = bundle.with_block("log_stft", frames, lengths=np.full(args.rows, args.frames))
        held(args.device, reset=True)
        found = []
        for precision in ("float32", "bfloat16"):
            turns = InTurns(None, args.device)
            model_for(args, "log-stft", precision=precision, max_epochs=1, callbacks=[turns]).fit(bundle, y)
            resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
            seconds = turns.ours[0]
            speed = f"{args.rows / seconds:.0f}"
            found.append([precision, f"{seconds:.1f}", speed, held(args.device, reset=True), f"{resident:.2f}"])
    return found


def answers(args):
    """Largest difference of probabilities between the device and a CPU, after a pickle, by network."""
    found = []
    for branch, head in NETWORKS:
        bundle, y = make_clips(args.kept, branch, n_frames=args.frames)
        blender = KNNPriorBlender(model_for(args, branch, head, max_epochs=1)).fit(bundle, y)
        here = blender.predict_proba(bundle)
        moved = pickle.loads(pickle.dumps(blender))
        moved.estimator_.set_params(device="cpu")
        moved = pickle.loads(pickle.dumps(moved))  # the network is built where `device` says
        left = {str(weight.device) for weight in moved.estimator_.net_.module_.state_dict().values()}
        difference = np.abs(moved.predict_proba(bundle) - here).max()
        found.append([head if branch is None else branch, f"{difference:.1e}", ", ".join(sorted(left))])
    return found


def show(title, head, rows):
    """Print an rst table."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    bar = "  ".join("=" * width for width in widths)
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [head, *rows]]
    print("\n".join(["", title, "", bar, lines[0], bar, *lines[1:], bar]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--tiny", action="store_true", help="a few clips on a CPU")
    args = parser.parse_args()
    sizes = {"plain": 10_000, "framed": 2048, "frames": 501, "rows": N_ROWS, "kept": 92}
    if args.tiny:
        args.device, args.rounds = "cpu", 1
        sizes = {"plain": 46, "framed": 46, "frames": 8, "rows": 46, "kept": 46}
    vars(args).update(sizes)
    args.device = torch.device(args.device)
    if args.device.type == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no GPU here; --tiny runs a few clips on a CPU.")
    name = torch.cuda.get_device_name(args.device) if args.device.type == "cuda" else "CPU: says nothing of a GPU"
    print(f"{name}, torch {torch.__version__}, rows of {args.frames} frames", flush=True)
    warnings.simplefilter("ignore", FewClipsWarning)  # nothing is learnt here
    budget = Budget(args.minutes)
    # the map and the answers first: they are few, and the networks take what time is left
    title = f"An epoch of log-STFT over {args.rows:,} rows in a memory map"
    show(title, ["format", "s", "rows/s", "device GB", "resident GB"], large(args))
    show("Pickled, loaded on a CPU", ["network", "largest difference", "weights on"], answers(args))
    title = f"An epoch of {args.plain:,} rows without a branch, {args.framed:,} with one"
    show(title, ["network", "format", "ms a row", "to a bare loop", "device GB"], epochs(args, budget))


if __name__ == "__main__":
    main()
