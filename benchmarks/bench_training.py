"""Training and answering of `BranchClassifier`, against plain loops over the same clips and against the matmul floor.

``epoch``: one epoch of the official network on 10,000 clips with two 512-d embeddings. Rivals are a bare torch loop
(same network, same augmentation, tensors in memory, fused AdamW) and the way of the official baseline (a DataLoader
with four workers, as published, that reads a row of a table and one .npy per modality for each sound and draws noise
and mask sound by sound; plain Adam), once more without workers.
``steps``: the bare loop with each way of AdamW: fused after the backward pass, one for each large parameter stepped in
the backward pass, ours, and one without a fused kernel.
``alone``: ours and the official way in processes of their own, one after the other, as a user runs them.
``branches``: the same for each acoustic branch on frames in memory, against the bare loop and the floor.
``heads``: an epoch of each head against the bare loop. ``formats``: float32 and bfloat16.
``growth``: seconds per epoch from 1,000 to 20,000 clips.
``memory``: largest resident memory of a fit on 20,529 clips of 5 s of log-STFT from a memory map.
``answers``: latency of one clip, clips per second of a thousand, and the time of those with `KNNPriorBlender`.

Rivals run epoch by epoch in turns inside one process, so that other load falls on all alike; times are CPU times,
those of worker processes included, and the median of the rounds counts. The floor is the time of the counted
multiply-adds at the rate of a large matrix product.

    python benchmarks/bench_training.py [SECTION ...] [--threads 1] [--rounds 3] [--fast]
"""

import argparse
import copy
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pandas as pd
import torch
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import Callback
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from skbst.features import FeatureBundle
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier
from skbst.neural._architecture import build_module
from skbst.neural._rows._inputs import BRANCH_BLOCKS
from skbst.neural._training._adamw_in_backward import AdamWInBackward
from skbst.neural._training._augmentation import make_augmentation
from skbst.nn import Dropout
from skbst.taxonomy import BST

BINS = {"log-stft": 257, "log-mel": 128, "mfcc": 13}


def make_clips(n_clips, branch=None, n_frames=501):
    rng = np.random.default_rng(0)
    blocks = {name: rng.normal(size=(n_clips, 512)).astype(np.float32) for name in ("clap_audio", "clap_text")}
    blocks = {name: block / np.linalg.norm(block, axis=1, keepdims=True) for name, block in blocks.items()}
    lengths = None
    if branch is not None:
        blocks[BRANCH_BLOCKS[branch]] = rng.standard_normal((n_clips, n_frames, BINS[branch]), dtype=np.float32)
        lengths = {BRANCH_BLOCKS[branch]: rng.integers(min(50, n_frames // 2), n_frames + 1, size=n_clips)}
    classes = rng.integers(23, size=n_clips)
    classes[:23] = np.arange(23)  # the first rows alone tell the size of a network
    return FeatureBundle(blocks, lengths=lengths), BST.leaves[classes]


class AdamWForEach(torch.optim.AdamW):
    """An AdamW of its own for each large parameter, stepped when its gradient is complete."""

    def __init__(self, params, **kwargs):
        super().__init__(params, **kwargs)
        large = [each for each in self.param_groups[0]["params"] if each.numel() >= 2**14]
        self.own = {each: torch.optim.AdamW([each], **kwargs) for each in large}
        for each in large:
            each.register_post_accumulate_grad_hook(self.update)

    def update(self, parameter):
        self.own[parameter].step()
        parameter.grad = None


def bare_loop(module, bundle, target, branch, batch_size, adamw=torch.optim.AdamW, *, fused=True):
    """One epoch over tensors in memory."""
    inputs = {name: torch.from_numpy(bundle[f"clap_{name}"]) for name in ("audio", "text")}
    if branch is not None:
        inputs["frames"] = torch.from_numpy(bundle[BRANCH_BLOCKS[branch]])
        inputs["lengths"] = torch.from_numpy(bundle.lengths(BRANCH_BLOCKS[branch]))
    optimizer = adamw(module.parameters(), lr=1e-3, weight_decay=1e-5, fused=fused)
    augment = make_augmentation("default", branch=branch, standardizer=module.standardizer, n_classes=23)

    def epoch():
        module.train()
        for index in torch.randperm(len(target)).split(batch_size):
            batch, labels = augment({name: value[index] for name, value in inputs.items()}, target[index])
            output = module(**batch)
            leaf, *top = output if isinstance(output, tuple) else (output,)
            loss = F.cross_entropy(leaf, labels, label_smoothing=0.05)
            if top:
                loss = loss + F.cross_entropy(top[0], module.head.parent_of_leaf[labels], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return epoch


class FilePerSound(Dataset):
    """A row of a table and two .npy for each sound, varied sound by sound, as the official baseline reads them."""

    def __init__(self, folder, bundle, y):
        paths = {name: [str(folder / f"{name}_{i}.npy") for i in range(len(y))] for name in ("audio", "text")}
        for name, files in paths.items():
            for path, row in zip(files, bundle[f"clap_{name}"]):
                np.save(path, row)
        code = np.unique(y, return_inverse=True)[1]
        top = [label.partition("-")[0] for label in y]
        self.table = pd.DataFrame(
            {
                "id": np.arange(len(y)).astype(str),
                "class": y,
                "top": top,
                "class_idx": code,
                "top_idx": code // 5,
                **paths,
            }
        )

    def __len__(self):
        return len(self.table)

    def __getitem__(self, i):
        row = self.table.iloc[i]
        item = {name: row[name] for name in ("id", "class", "top", "class_idx", "top_idx")}
        for name in ("audio", "text"):
            item[name] = self._vary(torch.tensor(np.load(row[name]), dtype=torch.float32))
        return item

    @staticmethod
    def _vary(view):
        view = view + torch.randn_like(view) * 1e-4
        mask = torch.ones_like(view)
        mask[torch.randperm(len(view))[: random.randint(1, int(0.7 * len(view)))]] = 0
        return view * mask


def official_loop(module, dataset, n_workers):
    """One epoch the official way: torch's dropout, plain Adam, the loss read in each step, processes that load."""
    for layer in module.modules():
        if isinstance(layer, Dropout):
            layer.__class__ = nn.Dropout
    loader = DataLoader(dataset, batch_size=64, shuffle=True, drop_last=True, num_workers=n_workers)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3, weight_decay=1e-5)

    def epoch():
        module.train()
        total = 0.0
        for batch in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(module(batch["audio"], batch["text"]), batch["class_idx"], label_smoothing=0.01)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch["id"])

    return epoch


def cpu_seconds():
    """CPU time of this process and of those that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class InTurns(Callback):
    """After each epoch of the estimator, one of each rival."""

    def __init__(self, rivals, rounds):
        self.rivals = rivals
        self.rounds = rounds

    def on_train_begin(self, net, **kwargs):
        self.seconds = {name: [] for name in ("ours", *self.rivals)}
        if net.module_.branch is not None:
            net.module_.branch.requires_grad_(True)  # held for its first steps it would be cheaper than the rival's

    def on_epoch_begin(self, net, **kwargs):
        self.start = cpu_seconds()

    def on_epoch_end(self, net, **kwargs):
        self.seconds["ours"].append(cpu_seconds() - self.start)
        for name, epoch in self.rivals.items():
            start = cpu_seconds()
            epoch()
            self.seconds[name].append(cpu_seconds() - start)

    def medians(self):
        """Median seconds of each, and median ratio to each rival in the same round; the first round warms up."""
        kept = {name: np.array(values[1:]) for name, values in self.seconds.items()}
        ratios = {name: float(np.median(kept[name] / kept["ours"])) for name in self.rivals}
        return {name: float(np.median(values)) for name, values in kept.items()}, ratios


def new_module(model, bundle, y):
    """The untrained network that the estimator would train."""
    probe = BranchClassifier(**{**model.get_params(), "max_epochs": 1, "callbacks": None}).fit(bundle[:92], y[:92])
    return build_module(probe._architecture)


def settings(args, branch=None, **kwargs):
    return {"branch": branch, "validation_fraction": None, "random_state": 0, "n_threads": args.threads, **kwargs}


def matmul_rate():
    """Multiply-adds per second of CPU time of a 1024 x 1024 x 1024 product."""
    a, best = torch.randn(1024, 1024), np.inf
    for _ in range(7):
        start = time.process_time()
        a @ a
        best = min(best, time.process_time() - start)
    return 1024**3 / best


def floor_seconds(module, batch, n_clips, rate):
    """Seconds of an epoch if it were nothing but its multiply-adds at the measured rate."""
    with FlopCounterMode(display=False) as counter:
        output = module.train()(**batch)
        output.sum().backward()
    module.zero_grad(set_to_none=True)
    return counter.get_total_flops() / 2 / len(batch["audio"]) * n_clips / rate


def bench_epoch(args):
    n_clips = 2000 if args.fast else 10_000
    bundle, y = make_clips(n_clips)
    target = torch.from_numpy(np.searchsorted(np.unique(y), y))
    model = BranchClassifier(**settings(args), max_epochs=args.rounds + 1)
    with tempfile.TemporaryDirectory() as folder:
        files = FilePerSound(Path(folder), bundle, y)
        rivals = {
            "bare loop": bare_loop(new_module(model, bundle, y), bundle, target, None, 64),
            "official, 4 workers": official_loop(new_module(model, bundle, y), files, 4),
            "official, no worker": official_loop(new_module(model, bundle, y), files, 0),
        }
        turns = InTurns(rivals, args.rounds)
        model.set_params(callbacks=[turns]).fit(bundle, y)
    seconds, ratios = turns.medians()
    batch = {name: torch.from_numpy(bundle[f"clap_{name}"][:64]) for name in ("audio", "text")}
    floor = floor_seconds(new_module(model, bundle, y), batch, n_clips, matmul_rate())
    print(f"\nepoch, {n_clips:,} clips x 2 x 512, batch 64: ours {seconds['ours']:.2f} s")
    goals = {"bare loop": "ours / it at most 1.3", "official, 4 workers": "it / ours at least 2"}
    for name in rivals:
        goal = f"   (target: {goals[name]})" if name in goals else ""
        print(
            f"  {name:20s} {seconds[name]:7.2f} s   it / ours {ratios[name]:.2f}   ours / it {1 / ratios[name]:.2f}"
            + goal
        )
    print(f"  {'matmul floor':20s} {floor:7.2f} s   ours / it {seconds['ours'] / floor:.1f}")


def bench_steps(args):
    n_clips = 2000 if args.fast else 10_000
    bundle, y = make_clips(n_clips)
    target = torch.from_numpy(np.searchsorted(np.unique(y), y))
    module = new_module(BranchClassifier(**settings(args)), bundle, y)
    ways = {
        "fused": (torch.optim.AdamW, True),
        "one for each, in backward": (AdamWForEach, True),
        "ours": (AdamWInBackward, True),
        "not fused": (torch.optim.AdamW, False),
    }
    epochs = {
        name: bare_loop(copy.deepcopy(module), bundle, target, None, 64, adamw, fused=fused)
        for name, (adamw, fused) in ways.items()
    }
    seconds = {name: [] for name in ways}
    for _ in range(args.rounds + 1):
        for name, epoch in epochs.items():
            seconds[name].append(timed(epoch))
    print(f"\nways of AdamW, {n_clips:,} clips x 2 x 512, batch 64, to fused after the backward pass")
    for name, values in seconds.items():
        ratios = np.divide(values, seconds["fused"])[1:]
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        print(f"  {name:26s} {np.median(values[1:]):7.2f} s   {middle:.2f} [{low:.2f}, {high:.2f}]")


def bench_alone(args):
    n_clips = 1000 if args.fast else 4000
    rivals = {"ours": "ours", "official, 4 workers": "4", "official, no worker": "0"}
    found = {name: [] for name in rivals}
    for _ in range(args.rounds):
        for name, kind in rivals.items():
            code = f"import bench_training as b; b.train_alone({kind!r}, {n_clips}, {args.threads})"
            found[name].append(in_new_process(code))
    found = {name: np.array(values) for name, values in found.items()}
    ours = np.median(found["ours"])
    print(f"\neach in a process of its own, {n_clips:,} clips x 2 x 512, batch 64: ours {ours:.1f} ms a step")
    for name in list(rivals)[1:]:
        ratios = found[name] / found["ours"]
        goal = "   (target: at least 2)" if name.endswith("workers") else ""
        print(
            f"  {name:20s} {np.median(found[name]):7.1f} ms   it / ours {np.median(ratios):.2f} {ratios.round(2)}{goal}"
        )


def train_alone(kind, n_clips, n_threads):
    """Print the CPU milliseconds of a step, of our loop or of the official one with so many workers."""
    torch.set_num_threads(n_threads)
    bundle, y = make_clips(n_clips)
    model = BranchClassifier(validation_fraction=None, random_state=0, n_threads=n_threads, max_epochs=4)
    if kind == "ours":
        turns = InTurns({}, 4)
        model.set_params(callbacks=[turns]).fit(bundle, y)
        seconds, n_steps = turns.seconds["ours"], -(-n_clips // 64)
    else:
        seconds, n_steps = [], n_clips // 64
        with tempfile.TemporaryDirectory() as folder:
            epoch = official_loop(new_module(model, bundle, y), FilePerSound(Path(folder), bundle, y), int(kind))
            for _ in range(4):
                start = cpu_seconds()
                epoch()
                seconds.append(cpu_seconds() - start)
    print(json.dumps(1000 * float(np.median(seconds[1:])) / n_steps))


def in_new_process(code):
    """What a line of Python that imports this file prints last, parsed."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    code = f"import sys; sys.argv = ['x']; {code}"
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def bench_branches(args):
    rate = matmul_rate()
    print("\nepoch with a branch, batch 32, clips of 50 to 501 frames")
    for branch, block in BRANCH_BLOCKS.items():
        n_clips = 64 if args.fast else 256
        bundle, y = make_clips(n_clips, branch)
        target = torch.from_numpy(np.searchsorted(np.unique(y), y))
        model = BranchClassifier(**settings(args, branch), batch_size=32, max_epochs=args.rounds + 1)
        module = new_module(model, bundle, y)
        turns = InTurns({"bare loop": bare_loop(module, bundle, target, branch, 32)}, args.rounds)
        model.set_params(callbacks=[turns]).fit(bundle, y)
        seconds, ratios = turns.medians()
        batch = {name: torch.from_numpy(bundle[f"clap_{name}"][:32]) for name in ("audio", "text")}
        batch["frames"] = torch.from_numpy(bundle[block][:32])
        batch["lengths"] = torch.from_numpy(bundle.lengths(block)[:32])
        floor = floor_seconds(module, batch, n_clips, rate)
        print(
            f"  {branch:8s} ours {1e3 * seconds['ours'] / n_clips:7.1f} ms a clip   ours / bare "
            f"{1 / ratios['bare loop']:.2f} (target <= 1.15)   ours / floor {seconds['ours'] / floor:.1f}"
        )


def bench_growth(args):
    print("\nseconds per epoch")
    for branch, batch_size in ((None, 64), ("mfcc", 32)):
        for n_clips in (500, 1000) if args.fast else (1000, 5000, 20_000):
            bundle, y = make_clips(n_clips, branch)
            turns = InTurns({}, 1)
            chosen = settings(args, branch, size="report" if branch is None else "small")
            BranchClassifier(**chosen, batch_size=batch_size, max_epochs=2, callbacks=[turns]).fit(bundle, y)
            seconds = turns.medians()[0]["ours"]
            print(f"  {branch!s:5s} {n_clips:6,} clips {seconds:7.2f} s   {1e3 * seconds / n_clips:.2f} ms a clip")


def bench_heads(args):
    n_clips = 500 if args.fast else 2000
    bundle, y = make_clips(n_clips)
    target = torch.from_numpy(np.searchsorted(np.unique(y), y))
    print(f"\nepoch of each head, {n_clips:,} clips x 2 x 512, batch 64")
    for head in ("baseline", "flat", "gc", "lcl"):
        model = BranchClassifier(head=head, **settings(args), max_epochs=args.rounds + 1)
        turns = InTurns({"bare": bare_loop(new_module(model, bundle, y), bundle, target, None, 64)}, args.rounds)
        model.set_params(callbacks=[turns]).fit(bundle, y)
        seconds, ratios = turns.medians()
        print(f"  {head:8s} ours {seconds['ours']:.2f} s   ours / bare {1 / ratios['bare']:.2f} (target <= 1.15)")


def bench_formats(args):
    n_clips = 500 if args.fast else 2000
    bundle, y = make_clips(n_clips)
    print(f"\nepoch in each format, {n_clips:,} clips x 2 x 512, batch 64; the first epoch is not counted")
    formats = {"float32": {}, "bfloat16": {"precision": "bfloat16"}}
    for name, chosen in formats.items():
        turns = InTurns({}, args.rounds)
        start = time.perf_counter()
        BranchClassifier(**settings(args, **chosen), max_epochs=args.rounds + 1, batch_size=64, callbacks=[turns]).fit(
            bundle, y
        )
        first = time.perf_counter() - start - sum(turns.seconds["ours"][1:])
        print(f"  {name:9s} {turns.medians()[0]['ours']:.2f} s   before the second epoch {first:.0f} s")


def bench_answers(args):
    print("\nanswers")
    for branch in (None, *BRANCH_BLOCKS):
        bundle, y = make_clips(92, branch)
        model = BranchClassifier(**settings(args, branch), max_epochs=1).fit(bundle, y)
        many = bundle[np.arange(200 if args.fast else 1000) % 92]
        one = min(timed(lambda m=model, b=bundle: m.predict_proba(b[:1])) for _ in range(10))
        blender = KNNPriorBlender(FrozenEstimator(model)).fit(bundle, y)
        alone, blended = (
            min(timed(lambda m=each, b=many: m.predict_proba(b)) for _ in range(3)) for each in (model, blender)
        )
        line = f"  {branch!s:8s} one clip {1e3 * one:6.1f} ms   {len(many) / alone:7.0f} clips/s"
        print(f"{line}   blended with neighbours {blended / alone:.2f} of the time")


def timed(function):
    start = time.process_time()
    function()
    return time.process_time() - start


def bench_memory(args):
    n_clips = 2000 if args.fast else 20_529
    result = in_new_process(f"import bench_training as b; b.fit_from_map({n_clips}, {args.threads})")
    print(
        f"\nmemory, {n_clips:,} clips of log-STFT in a map of {result['map']:.1f} GB: largest resident "
        f"{result['peak']:.2f} GB (target < 3), {result['start']:.2f} GB before the fit"
    )


def fit_from_map(n_clips, n_threads):
    """One epoch of a small log-STFT network over a sparse memory map; prints what the process held at most."""
    bundle, y = make_clips(n_clips)
    with tempfile.TemporaryDirectory() as folder:
        frames = np.memmap(Path(folder) / "frames", dtype=np.float32, mode="w+", shape=(n_clips, 501, 257))
        bundle = bundle.with_block("log_stft", frames, lengths=np.full(n_clips, 501))
        start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        BranchClassifier("log-stft", size="small", max_epochs=1, random_state=0, n_threads=n_threads).fit(bundle, y)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"map": frames.nbytes / 1e9, "start": start * 1024 / 1e9, "peak": peak * 1024 / 1e9}))


def main():
    sections = {
        "epoch": bench_epoch,
        "steps": bench_steps,
        "alone": bench_alone,
        "branches": bench_branches,
        "growth": bench_growth,
        "heads": bench_heads,
        "formats": bench_formats,
        "memory": bench_memory,
        "answers": bench_answers,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", default=list(sections), metavar="section", help="; ".join(sections))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fast", action="store_true", help="few clips")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for name in args.sections:
        sections[name](args)


if __name__ == "__main__":
    main()
