"""Speed, memory and guarantees of ``skbst.library``.

    python benchmarks/bench_label_library.py vectors [--clips 1000 10000 100000]      # from shipped vectors
    python benchmarks/bench_label_library.py sounds [--data ROOT] [--clips 500 2000]  # MFCC of 2 s, a linear model
    python benchmarks/bench_label_library.py stored [--data ROOT] [--clips 1000 10000]  # descriptors that were kept
    python benchmarks/bench_label_library.py together [--rounds 20]                   # two and three runs on one folder
    python benchmarks/bench_label_library.py kills [--rounds 100] [--seed 0]          # killed, then run again

Each run is a process of its own; peak memory is its highest resident size, libraries included. On a machine that does
other things too, compare clips a second of the processor, from which the slope is taken as well. ``vectors`` makes a
random vector of 512 numbers for each clip, which says nothing about labels and all about the way there. ROOT is a data
set such as ``bst-real``; without it clips are made, and repeated until there are as many as asked. ``--dask local``
(or an address) hands the parts of ``vectors``, ``sounds`` and ``stored`` to the workers of a cluster.
"""

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbst.datasets import load_bsd, make_bst_clips
from skbst.features import (
    AudioStatisticsFeaturizer,
    BlockSelector,
    ClipFeaturizer,
    MFCCFeaturizer,
    ShippedEmbeddingFeaturizer,
)
from skbst.library import embed_library
from skbst.taxonomy import BST

CHILD = """
import sys, time
from skbst.library import label_library
model, clips, out, rows, dask = sys.argv[1:]
start, worked = time.perf_counter(), time.process_time()
if __name__ == "__main__":
    summary = label_library(model, clips, out, rows=int(rows), dask=dask or None)
seconds, worked = time.perf_counter() - start, time.process_time() - worked
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(summary.n_clips, summary.n_computed, seconds, worked, int(peak) / 1e3)
"""


def command(root, manifest, out, rows=512, dask=None):
    words = [root / "model.joblib", manifest, out, rows, dask or ""]
    return [sys.executable, "-W", "ignore", "-c", CHILD, *map(str, words)]


def measure(root, n_clips, dask):
    """Seconds by the clock and of the processor, and peak megabytes, of one run."""
    words = command(root, root / "clips.csv", root / f"out-{n_clips}", dask=dask)
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    n_found, _, *figures = done.stdout.split()
    assert int(n_found) == n_clips
    return map(float, figures)


def make_vectors(root, n_clips):
    """A vector and a line of the manifest for each clip, and a model on vectors."""
    folder = root / "features" / "clap_audio_embeddings"
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for start in range(0, n_clips, 10_000):
        vectors = rng.normal(size=(min(10_000, n_clips - start), 512)).astype(np.float32)
        for row, vector in enumerate(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)):
            np.save(folder / f"{start + row}.npy", vector)
    ids = [str(row) for row in range(230)]
    data = pd.DataFrame({"audio": "", "title": "rain"}, index=ids)
    shipped = ClipFeaturizer([("clap_audio", ShippedEmbeddingFeaturizer(root=root))])
    model = make_pipeline(shipped, BlockSelector(), LogisticRegression(max_iter=50))
    joblib.dump(model.fit(data, np.tile(BST.leaves, 10)), root / "model.joblib")


def write_vector_manifest(root, n_clips):
    table = pd.DataFrame({"sound_id": np.arange(n_clips), "audio": "", "title": "rain on a roof"})
    table.to_csv(root / "clips.csv", index=False)


def get_sounds(root, data):
    if data is None:
        make_bst_clips(root / "clips", n_clips=115, max_duration=4.0, random_state=0)
    return load_bsd(data or root / "clips")


def fit_linear(root, clips, features):
    """A linear model on features of sounds."""
    linear = (BlockSelector("audio"), StandardScaler(), LogisticRegression(C=0.01, max_iter=50))
    model = make_pipeline(ClipFeaturizer([("audio", features)]), *linear)
    joblib.dump(model.fit(clips.data.iloc[:200], clips.target.iloc[:200]), root / "model.joblib")


def fill_store(root, data):
    """Describe each sound once, and say how fast that was."""
    start, worked = time.perf_counter(), time.process_time()
    embed_library(AudioStatisticsFeaturizer(), data, root / "store")
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    rates = f"{len(data) / seconds:.0f} clips/s, {len(data) / worked:.0f} a second of the processor"
    print(f"{len(data):7,} sounds described: {rates}", flush=True)


def write_sound_manifest(root, data, n_clips):
    table = data.iloc[np.arange(n_clips) % len(data)].reset_index(drop=True)
    table.insert(0, "sound_id", np.arange(n_clips))
    table.to_csv(root / "clips.csv", index=False)


def scaling(root, options, write):
    seen = []
    for n_clips in options.clips:
        write(n_clips)
        seconds, worked, peak = measure(root, n_clips, options.dask)
        seen.append((n_clips, seconds if options.dask else worked))
        core = "" if options.dask else f", {n_clips / worked:.0f} a second of the processor"
        print(f"{n_clips:7,} clips: {n_clips / seconds:.0f} clips/s{core}, peak {peak:.0f} MB", flush=True)
    if len(seen) > 1:
        (n_a, t_a), (n_b, t_b) = seen[-2:]
        print(f"slope of time over clips, last two: {np.log(t_b / t_a) / np.log(n_b / n_a):.3f}")


def content_of(folder):
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def together(root, options):
    """Two and three runs on one folder: every row once, none dies, the bytes of a run alone."""
    write_vector_manifest(root, 600)
    subprocess.run(command(root, root / "clips.csv", root / "alone", 20), check=True, capture_output=True)
    wanted, bad = content_of(root / "alone"), 0
    for number in range(options.rounds):
        out = root / f"together-{number}"
        runs = [
            subprocess.Popen(command(root, root / "clips.csv", out, 20), stdout=-1, stderr=-1)
            for _ in range(2 + number % 2)
        ]
        codes = [run.communicate() and run.returncode for run in runs]
        bad += any(codes) or content_of(out) != wanted
    print(
        f"{options.rounds} rounds of two or three runs at once: {options.rounds - bad} with the bytes of a run alone, "
        f"{bad} not"
    )


def kills(root, options):
    """Killed after any number of parts, then run again: the bytes of a run alone, at most one part made twice."""
    write_vector_manifest(root, 600)
    subprocess.run(command(root, root / "clips.csv", root / "alone", 20), check=True, capture_output=True)
    wanted, rng, bad, again, killed, results = content_of(root / "alone"), random.Random(options.seed), 0, 0, 0, 0
    while killed < options.rounds:
        out = root / f"killed-{results}"
        killed += kill_after(rng.randrange(30), rng.uniform(0, 0.02), command(root, root / "clips.csv", out, 20), out)
        there = n_parts(out)
        if rng.random() < 0.4 or there == 30 or killed == options.rounds:
            done = subprocess.run(command(root, root / "clips.csv", out, 20), capture_output=True, text=True)
            bad += done.returncode != 0 or content_of(out) != wanted
            again += int(done.stdout.split()[1]) - (600 - 20 * there)
            results += 1
    print(f"{killed} kills, {results} results: {bad} with other bytes, {again} rows computed that were there")


def kill_after(n_wanted, seconds, words, out):
    """Kill a run once so many parts are there and some time has passed; whether it had not ended."""
    run = subprocess.Popen(words, stdout=-1, stderr=-1)
    while run.poll() is None and n_parts(out) < n_wanted:
        time.sleep(0.001)
    time.sleep(seconds)
    run.kill()
    run.communicate()
    return run.returncode != 0


def n_parts(out):
    return len(list(out.glob("part-*"))) if out.exists() else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["vectors", "sounds", "stored", "together", "kills"])
    parser.add_argument("--data", help="root of a data set, for sounds and stored")
    parser.add_argument("--clips", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments of kills")
    parser.add_argument("--dask", help="'local' for two worker processes here, or the address of a scheduler")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if options.what in ("sounds", "stored"):
            clips, features = get_sounds(root, options.data), MFCCFeaturizer(duration=2.0)
            data = clips.data
            if options.what == "stored":
                fill_store(root, data)
                features = AudioStatisticsFeaturizer(store=root / "store")
            fit_linear(root, clips, features)
            scaling(root, options, lambda n_clips: write_sound_manifest(root, data, n_clips))
            return
        make_vectors(root, max(options.clips) if options.what == "vectors" else 600)
        if options.what == "vectors":
            scaling(root, options, lambda n_clips: write_vector_manifest(root, n_clips))
        elif options.what == "together":
            together(root, options)
        else:
            kills(root, options)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
