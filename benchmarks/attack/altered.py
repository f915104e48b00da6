"""Saved models and checkpoints with changed bytes: refused, or the same answers.

    python benchmarks/attack/altered.py [--models 300] [--checkpoints 300] [--seed 0]

Files of a saved model are cut, get bits flipped, bytes overwritten or moved, or are exchanged for those of another
model; each result is loaded. *Refused* is UnsafeModelError, *same* is a model with the same answers;
anything else is *other*. Checkpoints of CLAP and folders of encoders are changed likewise; weights have no checksum
there, so that *read* only means that no other error than CheckpointError came.
"""

import argparse
import collections
import json
import shutil
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skbst.ensemble import HierarchicalVotingClassifier
from skbst.exceptions import CheckpointError, UnsafeModelError
from skbst.neighbors import KNNPriorBlender
from skbst.persistence import load_model, save_model

LABELS = np.array(["fx-a", "m-sp", "ss-n"])


def changed(data, generator):
    """Change bytes in one of several ways; never the same bytes."""
    data, n_bytes = bytearray(data), len(data)
    kind = generator.integers(6)
    if n_bytes == 0:
        return b"\0"
    if kind == 0:
        return bytes(data[: generator.integers(0, n_bytes)])
    place = int(generator.integers(0, n_bytes))
    if kind == 1:
        data[place] ^= 1 << int(generator.integers(8))
    elif kind == 2:
        data[place : place + 8] = generator.bytes(8)
    elif kind == 3:
        del data[place : place + int(generator.integers(1, 100))]
    elif kind == 4:
        data[place:place] = generator.bytes(int(generator.integers(1, 100)))
    else:
        data[place : place + 64] = bytes(len(data[place : place + 64]))
    return bytes(data)


def attack_models(n_models, seed, root):
    """Alter files of saved models and load them; returns how often what came."""
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(90, 6))
    y = LABELS[np.arange(90) % 3]
    models = [
        make_pipeline(PCA(4), LogisticRegression()).fit(X, y),
        KNNPriorBlender(LogisticRegression(), k=5).fit(X, y),
        HierarchicalVotingClassifier([(name, LogisticRegression(C=c)) for name, c in (("a", 1), ("b", 9))]).fit(X, y),
    ]
    folders = [Path(save_model(model, root / f"model-{i}")) for i, model in enumerate(models)]
    found = collections.Counter()
    for number in range(n_models):
        which = number % len(models)
        files = sorted(path for path in folders[which].iterdir() if path.is_file() and path.suffix != ".md")
        file = files[generator.integers(len(files))]
        folder = root / "altered"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(folders[which], folder)
        other = folders[(which + 1) % len(models)] / file.name
        if generator.random() < 0.1 and other.exists():
            shutil.copy(other, folder / file.name)
        else:
            (folder / file.name).write_bytes(changed(file.read_bytes(), generator))
        found[_loaded(folder, X, models[which].predict_proba(X))] += 1
    return found


def _loaded(folder, X, expected):
    try:
        # loaded arrays lie otherwise in memory, so that products round otherwise in the last bit
        same = np.allclose(load_model(folder).predict_proba(X), expected, rtol=0, atol=1e-12)
    except UnsafeModelError:
        return "refused"
    except Exception as error:
        return f"other: {error!r}"[:120]
    return "same" if same else "other: other answers"


def attack_checkpoints(n_checkpoints, seed, root):
    """Alter checkpoints of CLAP and settings of encoders, and read them; returns how often what came."""
    import torch

    from skbst.features import SentenceTransformerFeaturizer, TransformersAudioFeaturizer
    from skbst.features._clap._weights import read_state

    generator = np.random.default_rng(seed)
    state = {"audio_branch.patch_embed.proj.weight": torch.zeros(8, 1, 4, 4), "logit_scale_a": torch.tensor(1.0)}
    wholes = []
    for zipped in (True, False):
        torch.save({"epoch": 7, "state_dict": state}, root / "whole.pt", _use_new_zipfile_serialization=zipped)
        wholes.append((root / "whole.pt").read_bytes())
    settings = json.dumps({"model_type": "wav2vec2", "hidden_size": 8, "architectures": ["Wav2Vec2Model"]}).encode()
    sound, found = [(np.ones(4000, dtype=np.float32), 16000)], collections.Counter()
    for number in range(n_checkpoints):
        path, folder = root / "altered.pt", root / "encoder"
        folder.mkdir(exist_ok=True)
        if number % 3 < 2:
            path.write_bytes(changed(wholes[number % 3], generator))
            found[_read(partial(read_state, path))] += 1
            continue
        for name in ("config.json", "preprocessor_config.json", "model.safetensors", "modules.json"):
            (folder / name).write_bytes(changed(settings, generator))
        kind, data = ((TransformersAudioFeaturizer, sound), (SentenceTransformerFeaturizer, ["a"]))[number // 3 % 2]
        found[_read(partial(kind(folder).fit_transform, data))] += 1
    return found


def _read(function):
    try:
        function()
    except CheckpointError:
        return "CheckpointError"
    except ImportError:
        return "not installed"
    except Exception as error:
        return f"other: {error!r}"[:120]
    return "read"


def is_good(found):
    """Whether nothing came but what is promised."""
    return not any(what.startswith("other") for what in found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=300)
    parser.add_argument("--checkpoints", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as root:
        models = attack_models(options.models, options.seed, Path(root))
        print("models:", dict(models))
        checkpoints = attack_checkpoints(options.checkpoints, options.seed, Path(root))
        print("checkpoints:", dict(checkpoints))
    return 0 if is_good(models) and is_good(checkpoints) else 1


if __name__ == "__main__":
    sys.exit(main())
