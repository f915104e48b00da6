"""Clips and texts per second of the CLAP featurizers, against laion-clap called as its README shows.

Everything runs on the same files and the same random weights in one process, in turns, so that other load on the
machine falls on all alike; the best of the repeats counts. The networks have their real size (HTSAT-tiny with fusion,
RoBERTa of 12 layers); only the weights are random, which changes no time. ``cpu s`` is CPU time per item, all threads
together.

    python benchmarks/bench_clap.py [--data ROOT] [--clips 8] [--threads 1 2] [--repeats 3] [--fast]
"""

import argparse
import contextlib
import importlib.util
import io
import os
import resource
import tempfile
import time
import warnings
from pathlib import Path

CLIPS = {"short": (0.2, 2.0), "5 s": (5.0, 5.0), "30 s": (30.0, 30.0)}
TOKENS = (10, 30, 77)


def load_standin():
    path = Path(__file__).parents[1] / "tests" / "features" / "clap" / "_standin.py"
    spec = importlib.util.spec_from_file_location("skbst_clap_standin", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_random_weight_clap(root):
    """laion-clap's CLAP_Module with random weights, and its checkpoint."""
    os.environ.update(HF_HOME=str(root / "hf"), HF_HUB_OFFLINE="1")
    standin = load_standin()
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        standin.write_hub_cache(root / "hf", n_layers=12)
        import laion_clap

        module = laion_clap.CLAP_Module(enable_fusion=True, amodel="HTSAT-tiny", device="cpu")
    standin.enliven(module.model)
    standin.save_checkpoint(module.model, root / "random.pt")
    return module, root / "random.pt"


def make_clips(folder, n_clips, shortest, longest):
    import numpy as np
    import soundfile

    rng, paths = np.random.default_rng(0), []
    for i in range(n_clips):
        n = int(44100 * rng.uniform(shortest, longest))
        sound = rng.normal(scale=0.1, size=n) * np.exp(-np.arange(n) / 44100)
        paths.append(str(folder / f"{shortest}_{i}.wav"))
        soundfile.write(paths[-1], sound, 44100)
    return paths


def real_clips(root, n_clips):
    import soundfile

    from skbst.datasets import load_bsd

    data = load_bsd(root).data
    seconds = {path: soundfile.info(path).duration for path in data["audio"]}
    groups = {"real, up to 10 s": (0, 10), "real, over 10 s": (10, 1e9)}
    return {
        name: [path for path, length in seconds.items() if low < length <= high][:: max(1, len(seconds) // 64)][
            :n_clips
        ]
        for name, (low, high) in groups.items()
    }


def memory_of_one_call(module, paths):
    """What laion-clap's one call holds per clip: it keeps everything that a gradient would need."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    module.get_audio_embedding_from_filelist(x=paths, use_tensor=False)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(
        f"laion-clap, one call of {len(paths)} clips: {grown / 1024 / len(paths):.0f} MB more for each clip of the call"
    )


def measure(contenders, n_items, repeats):
    """Best items per second and CPU seconds per item of each contender, taking turns."""
    best = {name: [0.0, float("inf")] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            cpu, wall = time.process_time(), time.perf_counter()
            run()
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            best[name] = [max(best[name][0], n_items / wall), min(best[name][1], cpu / n_items)]
    return best


def show(title, best, unit):
    peer, *_ = best.values()
    print(f"\n{title}\n{'':34}{unit + '/s':>10}{'ratio':>8}{'cpu s':>9}{'ratio':>8}")
    for name, (rate, cpu) in best.items():
        print(f"  {name:32}{rate:10.2f}{rate / peer[0]:7.2f}x{cpu:9.3f}{peer[1] / cpu:7.2f}x")


def no_grad(function):
    import torch

    def run():
        with torch.no_grad():
            return function()

    return run


def audio_contenders(module, checkpoint, paths):
    from skbst.features import ClapAudioFeaturizer

    whole = lambda: module.get_audio_embedding_from_filelist(x=paths, use_tensor=False)  # noqa: E731
    single = lambda: [module.get_audio_embedding_from_filelist(x=[path], use_tensor=False) for path in paths]  # noqa: E731
    contenders = {
        "laion-clap, one call": whole,
        "laion-clap, one call, no_grad": no_grad(whole),
        "laion-clap, a call a clip": single,
        "laion-clap, a call a clip, no_grad": no_grad(single),
    }
    for backend in ("laion-clap", "transformers"):
        featurizer = ClapAudioFeaturizer(checkpoint, backend=backend, device="cpu").fit(paths)
        featurizer.transform(paths[:1])
        contenders[f"skbst, {backend}"] = lambda f=featurizer: f.transform(paths)
    return contenders


def text_contenders(module, checkpoint, texts):
    from skbst.features import ClapTextFeaturizer

    whole = lambda: module.get_text_embedding(texts)  # noqa: E731
    single = lambda: [module.get_text_embedding([text]) for text in texts]  # noqa: E731
    contenders = {
        "laion-clap, one call": whole,
        "laion-clap, one call, no_grad": no_grad(whole),
        "laion-clap, a call a text, no_grad": no_grad(single),
    }
    for backend in ("laion-clap", "transformers"):
        featurizer = ClapTextFeaturizer(checkpoint, backend=backend, cleaner=None, device="cpu").fit(texts)
        featurizer.transform(texts[:1])
        contenders[f"skbst, {backend}"] = lambda f=featurizer: f.transform(texts)
    return contenders


def bench_store(checkpoint, root, paths):
    """A second run over stored clips, and 10,000 vectors in the official layout."""
    import numpy as np

    from skbst.features import ClapAudioFeaturizer, EmbeddingStore

    featurizer = ClapAudioFeaturizer(checkpoint, store=root / "store", device="cpu").fit(paths)
    times = []
    for _ in range(2):
        start = time.perf_counter()
        featurizer.transform(paths)
        times.append(time.perf_counter() - start)
    print(f"\nstore: {len(paths)} clips {times[0]:.2f} s, again {times[1]:.4f} s ({times[0] / times[1]:.0f}x)")
    vectors = np.random.default_rng(0).normal(size=(10000, 512)).astype(np.float32)
    store, ids = EmbeddingStore(root / "official"), [str(i) for i in range(10000)]
    start = time.perf_counter()
    store.write(ids, vectors)
    middle = time.perf_counter()
    store.read(ids)
    stop = time.perf_counter()
    for i in ids:
        np.load(store.official_folder / f"{i}.npy")
    loop = time.perf_counter() - stop
    written, read = middle - start, stop - middle
    print(f"official layout, 10,000 files: write {written:.2f} s, read {read:.2f} s, a loop of np.load {loop:.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="root of a data set; takes its sounds instead of made ones")
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--texts", type=int, default=32)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--fast", action="store_true", help="3 clips, 8 texts, one repeat")
    options = parser.parse_args()
    if options.fast:
        options.clips, options.texts, options.repeats, options.threads = 3, 8, 1, options.threads[:1]
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as root:
        run(options, Path(root))


def run(options, root):
    import torch

    start = time.perf_counter()
    module, checkpoint = make_random_weight_clap(root)
    made = time.perf_counter() - start
    print(f"random-weight CLAP made in {made:.0f} s; {os.cpu_count()} cores, torch {torch.__version__}")
    if options.data:
        clips = real_clips(options.data, options.clips)
    else:
        clips = {name: make_clips(root, options.clips, *lengths) for name, lengths in CLIPS.items()}
    memory_of_one_call(module, next(iter(clips.values())))
    for n_threads in options.threads:
        torch.set_num_threads(n_threads)
        for name, paths in clips.items():
            title = f"{len(paths)} clips, {name}, {n_threads} thread(s)"
            show(title, measure(audio_contenders(module, checkpoint, paths), len(paths), options.repeats), "clips")
        for n_tokens in TOKENS:
            texts = [chr(97 + i % 26) * (n_tokens - 2) for i in range(options.texts)]
            texts = [text[:-2] + f"{i:02d}" for i, text in enumerate(texts)]
            title = f"{len(texts)} texts of {n_tokens} tokens, {n_threads} thread(s)"
            show(title, measure(text_contenders(module, checkpoint, texts), len(texts), options.repeats), "texts")
    bench_store(checkpoint, root, next(iter(clips.values())))


if __name__ == "__main__":
    main()
