"""Can skops keep our models, and what does it do with files that were altered? Beside skbst.persistence, in one run.

    python benchmarks/bench_skops.py [--fast]

Models: a linear model and its pipeline from clips, a vote, a network, the same with neighbours, the small baseline
and Systems 1 to 4, fitted on made clips for one epoch (--fast leaves the systems out). Then files that were altered,
each read in a process with 2 GB of memory, with everything trusted that skops asks about: what trust lets in is the
question, since a user who wants to load a network has to grant it.
"""

import argparse
import io
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skbst import systems
from skbst.datasets import load_bsd, make_bst_clips
from skbst.ensemble import HierarchicalVotingClassifier
from skbst.features import AudioStatisticsFeaturizer, ClipFeaturizer, TextLSAFeaturizer
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier
from skbst.persistence import load_model, save_model

MEMORY = 2_000_000_000
SYSTEMS = ("baseline", "system_1", "system_2", "system_3", "system_4")


def models(clips, fast):
    """Names, fitted models and the rows that they answer."""
    featurizer = ClipFeaturizer(
        [("audio", AudioStatisticsFeaturizer()), ("text", TextLSAFeaturizer(32, random_state=0))]
    )
    linear = make_pipeline(featurizer, LogisticRegression()).fit(clips.data, clips.target)
    bundle = linear[:-1].transform(clips.data)
    network = BranchClassifier(branch=None, max_epochs=1, device="cpu", random_state=0)
    vectors, vote = (
        np.hstack([bundle["audio"], bundle["text"]]),
        HierarchicalVotingClassifier([("a", LogisticRegression())]),
    )
    yield "logistic regression", linear[-1], bundle
    yield "its pipeline, from clips", linear, clips.data
    yield "HierarchicalVotingClassifier", vote.fit(vectors, clips.target), vectors
    yield "BranchClassifier", network.fit(bundle, clips.target), bundle
    yield "KNNPriorBlender around it", KNNPriorBlender(network).fit(bundle, clips.target), bundle
    for name in () if fast else SYSTEMS:
        system = getattr(systems, name)(embeddings="builtin", size="small", random_state=0, device="cpu")
        epochs = [parameter for parameter in system.get_params() if parameter.endswith("max_epochs")]
        yield name, system.set_params(**dict.fromkeys(epochs, 1)).fit(clips.data, clips.target), clips.data


def skops_save(model, path):
    import skops.io

    skops.io.dump(model, path)
    return path


def skops_load(path):
    import skops.io

    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


def kept(model, X, path, save, load):
    """One line on a round trip: CPU milliseconds and megabytes, or the error."""
    try:
        start = time.process_time()
        saved = save(model, path)
        middle = time.process_time()
        loaded = load(saved)
        end = time.process_time()
        if not np.array_equal(loaded.predict_proba(X), model.predict_proba(X)):
            return "other answers"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:60].replace("\n", " ")
    files = [saved] if saved.is_file() else list(saved.iterdir())
    size = sum(file.stat().st_size for file in files) / 1e6
    return f"save {1000 * (middle - start):.0f} ms, load {1000 * (end - middle):.0f} ms, {size:.2f} MB"


def rezip(path, change):
    """Write a zip again with other contents, its checksums right."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    change(contents)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)


def array_of(contents):
    return max((name for name in contents if name.endswith(".npy")), key=lambda name: len(contents[name]))


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 64
    path.write_bytes(data)


def long_header(contents):
    """An array that says it has 80 GB, and has eight bytes."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (10**10,)})
    contents[array_of(contents)] = stream.getvalue() + bytes(8)


def swap(contents):
    """Another model's array, of the same shape."""
    name = array_of(contents)
    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(1).normal(size=np.load(io.BytesIO(contents[name])).shape))
    contents[name] = stream.getvalue()


def deep(contents):
    """A list of lists, 100,000 deep."""
    contents["schema.json"] = contents["schema.json"][:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def altered(folder, model):
    """What was altered, the skops file and the folder of ours."""
    for name in ("a flipped bit of a weight", "another model's array", "an array that says 80 GB", "JSON 100,000 deep"):
        theirs, ours = skops_save(model, folder / f"{name}.skops"), save_model(model, folder / name)
        stored = ours / "arrays.safetensors"
        if name.startswith("a flipped"):
            flip(theirs), flip(stored)
        elif name.startswith("another"):
            rezip(theirs, swap)
            other = LogisticRegression().fit(
                np.random.default_rng(1).normal(size=(230, model.n_features_in_)), np.resize(model.classes_, 230)
            )
            shutil.copy(save_model(other, folder / "other", overwrite=True) / "arrays.safetensors", stored)
        elif name.startswith("an array"):
            rezip(theirs, long_header)
            data = stored.read_bytes()
            head = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
            largest = max((key for key in head if key != "__metadata__"), key=lambda key: head[key]["data_offsets"][1])
            head[largest] |= {"shape": [10**10], "data_offsets": [0, 8 * 10**10]}
            text = json.dumps(head).encode()
            stored.write_bytes(len(text).to_bytes(8, "little") + text)
        else:
            rezip(theirs, deep)
            (ours / "model.json").write_text("[" * 100_000 + "]" * 100_000, encoding="utf-8")
        if not name.startswith(("a flipped", "another")):  # whoever alters a file on purpose writes the checksums, too
            write_checksums(ours)
        yield name, theirs, ours


def write_checksums(folder):
    import hashlib

    path = folder / "checksums.json"
    sums = json.loads(path.read_text(encoding="utf-8"))
    for name in [name for name in sums if (folder / name).exists()]:
        sums[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    path.write_text(json.dumps(sums), encoding="utf-8")


def read(path):
    """In a child of little memory: how reading ends."""
    code = (
        "import sys, warnings, resource; warnings.simplefilter('ignore'); sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\nfrom bench_skops import MEMORY, load_model, skops_load\n"
        "path = Path(sys.argv[1])\nbase = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (base + MEMORY, base + MEMORY))\n"
        "try:\n    model = (load_model if path.is_dir() else skops_load)(path)\n    print('loads, and says nothing')\n"
        "except BaseException as error:\n    print(type(error).__name__)"
    )
    command = [sys.executable, "-c", code, str(path), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() or f"the process dies ({done.returncode})"


def failed_write(folder, model):
    """What is left of an old model when the disk is full while a new one is written over it."""
    theirs, ours = skops_save(model, folder / "full.skops"), save_model(model, folder / "full")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    said = []
    for path, write in ((theirs, skops_save), (ours, lambda model, path: save_model(model, path, overwrite=True))):
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            write(model, path)
        except OSError:
            pass
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        said.append(f"old model gone ({read(path)})" if "loads" not in read(path) else "old model whole")
    return said


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="without the systems")
    options = parser.parse_args()
    skops_save(LogisticRegression(), Path(tempfile.gettempdir()) / "warm.skops").unlink()  # imports are not timed
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = load_bsd(
            make_bst_clips(folder / "clips", n_clips=115, max_duration=0.5, class_weights="balanced", random_state=0)
        )
        linear = None
        for title, model, X in models(clips, options.fast):
            linear = linear or model
            theirs = kept(model, X, folder / f"{title}.skops", skops_save, skops_load)
            ours = kept(model, X, folder / title, save_model, load_model)
            print(f"{title:30s} skops: {theirs}\n{'':30s} skbst: {ours}", flush=True)
        print()
        for title, theirs, ours in altered(folder, linear):
            print(f"{title:30s} skops: {read(theirs):32s} skbst: {read(ours)}", flush=True)
        print(
            f"{'disk full while overwriting':30s} "
            + " ".join(f"{who}: {what:32s}" for who, what in zip(("skops", "skbst"), failed_write(folder, linear)))
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
