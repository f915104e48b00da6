"""Neighbour search side by side with scikit-learn and faiss, and its growth with the bank.

    python benchmarks/bench_neighbors.py [--fast]

The peers get a bank that is prepared as they like it (a fitted NearestNeighbors, a filled IndexFlatIP), ours gets rows
of norm 1; all run with the same number of threads, in turn, and the best of the rounds counts. CPU seconds are the
sum over threads and suffer less from other processes than wall seconds. Peak memory is the resident size of a fresh
process per engine, libraries loaded (Linux only). faiss-cpu is a peer only, and installed by hand.
"""

import argparse
import os
import subprocess
import sys
import threading
import time

import numpy as np

from skbst.neighbors import top_k_cosine
from skbst.neighbors._products import BFloat16Products, has_fast_bfloat16
from skbst.neighbors._rows import normalized_rows

ENGINES = ("skbst", "scikit-learn brute", "faiss flat")


def make_rows(n_rows, n_features, seed):
    rng = np.random.default_rng(seed)
    return normalized_rows(rng.standard_normal((n_rows, n_features), dtype=np.float32))


def prepare(engine, bank, k):
    """A function from queries to positions in the bank."""
    if engine == "skbst":
        return lambda queries: top_k_cosine(queries, bank, k, normalize=False)[1]
    if engine == "scikit-learn brute":
        from sklearn.neighbors import NearestNeighbors

        peer = NearestNeighbors(n_neighbors=k, algorithm="brute", metric="cosine").fit(bank)
        return lambda queries: peer.kneighbors(queries, return_distance=True)[1]
    import faiss

    index = faiss.IndexFlatIP(bank.shape[1])
    index.add(bank)
    return lambda queries: index.search(queries, k)[1]


def seconds(function):
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - cpu


def side_by_side(n_bank, n_queries, n_features, k, rounds):
    bank, queries = make_rows(n_bank, n_features, 0), make_rows(n_queries, n_features, 1)
    search = {engine: prepare(engine, bank, k) for engine in ENGINES}
    expected = search["skbst"](queries)
    same = {engine: (run(queries) == expected).mean() for engine, run in search.items()}
    times = {engine: [] for engine in (*ENGINES, "matrix product alone")}
    for _ in range(rounds):
        for engine, run in search.items():
            times[engine].append(seconds(lambda run=run: run(queries)))
        times["matrix product alone"].append(seconds(lambda: queries @ bank.T))
    best = {engine: np.min(values, axis=0) for engine, values in times.items()}
    best_peer = np.minimum(best["scikit-learn brute"], best["faiss flat"])
    print(f"top {k} of {n_queries:,} queries in {n_bank:,} x {n_features}, best of {rounds} rounds:")
    print(f"  {'':22s} {'wall':>7} {'ratio':>6} {'CPU':>8} {'ratio':>6}   to the better peer")
    for engine, (wall, cpu) in best.items():
        share = f"{100 * same[engine]:.2f} % same positions" if engine in same else ""
        print(f"  {engine:22s} {wall:7.3f} {wall / best_peer[0]:6.2f} {cpu:8.3f} {cpu / best_peer[1]:6.2f}   {share}")


def growth(sizes, n_queries, n_features, k):
    print(f"growth, {n_queries:,} queries, best of 3:")
    bank, queries = make_rows(max(sizes), n_features, 0), make_rows(n_queries, n_features, 1)
    for size in sizes:
        runs = [seconds(lambda part=bank[:size]: top_k_cosine(queries, part, k, normalize=False)) for _ in range(3)]
        wall, cpu = np.min(runs, axis=0)
        unit = 1e9 / size / n_queries
        print(f"  {size:>9,} rows: wall {wall:7.3f} s, CPU {cpu:7.3f} s, {unit * cpu:6.1f} ns per query and row")


def peak_memory(n_bank, n_queries, n_features, k, engines=ENGINES):
    print(f"peak memory of one search in {n_bank:,} x {n_features} (bank {n_bank * n_features * 4 / 1e6:.0f} MB):")
    for engine in engines:
        numbers = [str(n) for n in (n_bank, n_queries, n_features, k)]
        command = [sys.executable, __file__, "--child", engine, *numbers]
        used = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        print(f"  {engine:22s} {int(used) / 1e3:7.0f} MB above bank and queries")


def resident():
    """Resident kilobytes of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def child(engine, n_bank, n_queries, n_features, k):
    bank, queries = make_rows(n_bank, n_features, 0), make_rows(n_queries, n_features, 1)
    prepare(engine, bank[:100], k)(queries[:2])
    if engine == "skbst":
        BFloat16Products(queries[:2]).fill(np.empty((2, 100), dtype=np.float32), bank[:100])  # loads torch
    before, seen, done = resident(), [], threading.Event()

    def watch():
        while not done.wait(0.002):
            seen.append(resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    prepare(engine, bank, k)(queries)
    done.set()
    watcher.join()
    print(round(max(seen, default=before) - before))


def corrections(n_bank, n_features, rounds=9):
    from sklearn.dummy import DummyClassifier

    from skbst.neighbors import KNNPriorBlender

    rng = np.random.default_rng(0)
    labels = rng.choice(list("abcdefghijklmnopqrstuvw"), n_bank)
    blender = KNNPriorBlender(DummyClassifier()).fit(make_rows(n_bank, n_features, 0), labels)
    rows, right = rng.permutation(n_bank), rng.permutation(labels)
    wall = [seconds(lambda: blender.correct(rows, right))[0] for _ in range(rounds)]
    print(f"{n_bank:,} corrections of a bank: {1e3 * np.median(wall):.0f} ms, at most {1e3 * max(wall):.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="smaller banks, fewer rounds")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        engine, *numbers = arguments.child
        child(engine, *map(int, numbers))
        return
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(
        f"{threads} thread(s), {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, bfloat16: {has_fast_bfloat16()}"
    )
    if arguments.fast:
        side_by_side(5_000, 500, 512, 20, 3)
        growth([10_000, 20_000, 40_000], 200, 512, 20)
        corrections(5_000, 512)
        peak_memory(10_000, 500, 512, 20)
        peak_memory(40_000, 500, 512, 20, ENGINES[:1])
    else:
        side_by_side(20_000, 2_000, 1_280, 20, 9)
        growth([25_000, 50_000, 100_000, 200_000], 500, 1_280, 20)
        corrections(20_000, 1_280)
        peak_memory(20_000, 2_000, 1_280, 20)
        peak_memory(200_000, 2_000, 1_280, 20, ENGINES[:1])


if __name__ == "__main__":
    main()
