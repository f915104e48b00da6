"""Clips per second from sound files to frames, against decoding alone, torchaudio and librosa; and resident memory.

Everything runs on the same files in one process, in turns, so that other load on the machine falls on all alike. CPU
time is the smallest of the repeats. ``--memory`` featurizes N clips into a store on disk, then reads all rows once in
random batches as training does, and cross-validates a small log-STFT network on them (two folds, one epoch each), each
N in a fresh process.

    python benchmarks/bench_featurize.py [--data ROOT] [--clips 200] [--jobs 2] [--memory 500 2000] [--fast]
    python benchmarks/bench_featurize.py --filters [--data ROOT]    how far torchaudio's Mel filters would move frames
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import librosa
import numpy as np
import soundfile
import soxr
import torch
import torchaudio
from sklearn.model_selection import cross_validate

from skbst.audio import load_clips
from skbst.datasets import load_bsd, make_bst_clips
from skbst.features import ClipFeaturizer, FeatureBundle, LogMelFeaturizer, LogSTFTFeaturizer, MFCCFeaturizer
from skbst.features._spectra import _mel
from skbst.neural import BranchClassifier
from skbst.taxonomy import BST

SECONDS, RATE, FRAME = 5.0, 16000, {"n_fft": 512, "win_length": 400, "hop_length": 160}
FEATURIZERS = {"log_stft": LogSTFTFeaturizer, "log_mel": LogMelFeaturizer, "mfcc": MFCCFeaturizer}


def decode(path):
    with soundfile.SoundFile(path) as file:
        return file.read(round(SECONDS * file.samplerate), dtype="float32", always_2d=True), file.samplerate


def decode_and_resample(path):
    frames, rate = decode(path)
    return soxr.resample(frames.mean(axis=1), rate, RATE)


def fixed(waveform):
    return np.pad(waveform[: int(RATE * SECONDS)], (0, max(0, int(RATE * SECONDS) - len(waveform))))


class Torchaudio:
    """What one writes with torchaudio: its transforms, kept, one clip at a time."""

    def __init__(self):
        self.resamplers = {}
        self.transforms = {
            "log_stft": torchaudio.transforms.Spectrogram(**FRAME),
            "log_mel": torchaudio.transforms.MelSpectrogram(RATE, n_mels=128, **FRAME),
            "mfcc": torchaudio.transforms.MFCC(RATE, 13, log_mels=True, melkwargs={**FRAME, "n_mels": 40}),
        }

    def __call__(self, path, name):
        frames, rate = decode(path)
        waveform = torch.from_numpy(frames).mean(dim=1)
        if rate != RATE:
            self.resamplers.setdefault(rate, torchaudio.transforms.Resample(rate, RATE))
            waveform = self.resamplers[rate](waveform)
        waveform = torch.from_numpy(fixed(waveform.numpy()))
        features = self.transforms[name](waveform)
        return features.T if name == "mfcc" else torch.log(features + 1e-6).T


def with_librosa(path, name):
    waveform, _ = librosa.load(path, sr=RATE, duration=SECONDS)
    waveform = fixed(waveform)
    if name == "log_stft":
        return np.log(np.abs(librosa.stft(waveform, **FRAME)) ** 2 + 1e-6).T
    n_mels = 128 if name == "log_mel" else 40
    mel = np.log(
        librosa.feature.melspectrogram(y=waveform, sr=RATE, n_mels=n_mels, htk=True, norm=None, **FRAME) + 1e-6
    )
    return mel.T if name == "log_mel" else librosa.feature.mfcc(S=mel, n_mfcc=13).T


def candidates(paths, n_jobs):
    """Name -> function that works through all paths."""
    torchaudio_way = Torchaudio()
    runs = {
        "decode (soundfile)": lambda: [decode(path) for path in paths],
        "decode + soxr": lambda: [decode_and_resample(path) for path in paths],
        "skbst load_clips": lambda: load_clips(paths),
    }
    for name, featurizer in FEATURIZERS.items():
        runs[f"skbst {name}"] = lambda f=featurizer: f().fit(paths).transform_frames(paths)
        runs[f"torchaudio {name}"] = lambda n=name: [torchaudio_way(path, n) for path in paths]
        runs[f"librosa {name}"] = lambda n=name: [with_librosa(path, n) for path in paths]
    three = [(name, featurizer()) for name, featurizer in FEATURIZERS.items()]
    runs["skbst all three, one by one"] = lambda: [f.fit(paths).transform_frames(paths) for _, f in three]
    runs["skbst all three, ClipFeaturizer"] = lambda: ClipFeaturizer(three).fit_transform(paths)
    if n_jobs > 1:
        runs[f"skbst load_clips, {n_jobs} threads"] = lambda: load_clips(paths, n_jobs=n_jobs)
        runs[f"skbst all three, {n_jobs} threads"] = lambda: ClipFeaturizer(three, n_jobs=n_jobs).fit_transform(paths)
    return runs


def measure_speed(paths, repeats, n_jobs):
    runs = candidates(paths, n_jobs)
    wall, cpu = {name: [] for name in runs}, {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(repeats):
        for name, run in runs.items():
            start, start_cpu = time.perf_counter(), time.process_time()
            run()
            wall[name].append(time.perf_counter() - start)
            cpu[name].append(time.process_time() - start_cpu)
    floor = min(cpu["decode + soxr"])
    print(f"{len(paths)} clips, {repeats} repeats, torch {torch.get_num_threads()} thread(s)")
    print(f"{'':36}{'clips/s':>9}{'CPU ms a clip':>15}{'x decode + soxr':>17}")
    for name in runs:
        clips, least = len(paths) / min(wall[name]), min(cpu[name])
        print(f"{name:36}{clips:9.0f}{1e3 * least / len(paths):15.2f}{least / floor:17.2f}")


def peak():
    """Largest resident size of this process so far, in MB (getrusage would count that of the parent as well)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return next(int(line.split()[1]) / 1e3 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def measure_memory(paths, n_clips):
    """Featurize links to the files, as many as asked for, and read every row once; prints megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        links = [Path(folder, f"{i}{Path(paths[i % len(paths)]).suffix}") for i in range(n_clips)]
        for i, link in enumerate(links):
            link.symlink_to(paths[i % len(paths)])
        load_clips(links[:2])
        LogSTFTFeaturizer().fit(links[:2]).transform(links[:2])
        before = peak()
        start = time.perf_counter()
        clips = ClipFeaturizer([("log_stft", LogSTFTFeaturizer())], store=Path(folder, "store"), n_jobs=2)
        bundle = clips.fit_transform(links)
        made, seconds = peak(), time.perf_counter() - start
        read_all(bundle)
        read = peak()
        cross_validate_on(bundle)
        size = sum(file.stat().st_size for file in Path(folder, "store").rglob("*")) / 1e6
        print(
            f"{n_clips:6d} clips: {size:6.0f} MB on disk; peak resident {before:.0f} MB with the libraries, "
            f"{made:.0f} after featurizing ({n_clips / seconds:.0f} clips/s), {read:.0f} after reading all, "
            f"{peak():.0f} after cross-validation"
        )


def read_all(bundle: FeatureBundle):
    order = np.random.default_rng(0).permutation(len(bundle))
    for first in range(0, len(order), 32):
        bundle.take("log_stft", order[first : first + 32])


def cross_validate_on(bundle):
    rng = np.random.default_rng(0)
    audio = rng.standard_normal((len(bundle), 512), dtype=np.float32)
    network = BranchClassifier("log-stft", size="small", max_epochs=1, validation_fraction=None, random_state=0)
    cross_validate(network, bundle.with_block("audio", audio), BST.leaves[rng.integers(23, size=len(bundle))], cv=2)


def compare_filters(paths):
    """Largest difference of frames with filters of single precision, torchaudio's, from ours of double precision."""

    def of_torchaudio(*, n_fft, sample_rate, n_mels, f_min, f_max, mel_scale, mel_norm):
        high = sample_rate / 2 if f_max is None else f_max
        options = {"norm": mel_norm, "mel_scale": mel_scale}
        filters = torchaudio.functional.melscale_fbanks(n_fft // 2 + 1, f_min, high, n_mels, sample_rate, **options)
        return filters.numpy()

    ours = {name: FEATURIZERS[name]().fit_transform(paths) for name in ("log_mel", "mfcc")}
    _mel.mel_filters, own = of_torchaudio, _mel.mel_filters
    for name, frames in ours.items():
        theirs = FEATURIZERS[name]().fit_transform(paths)
        print(f"{name}: frames of {len(paths)} clips move by up to {np.abs(theirs - frames).max():.1e}")
    _mel.mel_filters = own


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="a folder in the layout of BSD10k; default: generated clips")
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--memory", type=int, nargs="*", default=[500, 2000])
    parser.add_argument("--filters", action="store_true", help="compare Mel filters only")
    parser.add_argument("--fast", action="store_true", help="fewer clips, one repeat")
    parser.add_argument("--only-memory", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fast:
        options.clips, options.repeats, options.memory = 40, 1, [50, 200]
    warnings.filterwarnings("ignore", message="At least one mel filterbank")
    with tempfile.TemporaryDirectory() as folder:
        root = options.data or make_bst_clips(Path(folder, "clips"), n_clips=options.clips, random_state=0)
        paths = load_bsd(root).data["audio"].tolist()[: options.clips]
        if options.filters:
            compare_filters(paths)
            return
        if options.only_memory:
            measure_memory(paths, options.only_memory)
            return
        measure_speed(paths, options.repeats, options.jobs)
        for n_clips in options.memory:
            command = [sys.executable, __file__, "--data", str(root), "--clips", str(options.clips)]
            subprocess.run([*command, "--only-memory", str(n_clips)], check=True)


if __name__ == "__main__":
    main()
