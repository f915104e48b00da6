"""Real encoders alone, two and three together, under both protocols; and their speed against their own libraries.

``real``: the 652 recordings of DATA/bst-real with the vectors of DATA/real-encoders (a sound-effects encoder and
MiniLM on title and tags) and the descriptors of the sounds. ``text``: the 10,309 real titles and tags of BSD10k v1.0:
MiniLM on the title, MiniLM on title and tags, and latent semantic analysis.

Linear discriminants (shrinkage .1) on blocks of length 1 side by side; with ``--network`` the small network with a
linear model of each block, and its neighbours. What learns from rows is fitted inside the fold. hF is the mean over
five folds; a difference is that to the best encoder alone, with a 95 % interval of draws of rows, or of whole uploaders
where folds keep them.

    python benchmarks/bench_encoders.py real --data DATA --store FOLDER --network
    python benchmarks/bench_encoders.py text --data DATA --store FOLDER
    python benchmarks/bench_encoders.py missing --data DATA --store FOLDER
    python benchmarks/bench_encoders.py speed --minilm MODEL_FOLDER --data DATA

``missing``: small networks that lose an embedding at prediction, beside those that never had it; three official folds.
"""

import argparse
import hashlib
import os
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pandas as pd
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import Normalizer

from skbst.datasets import load_bsd
from skbst.features import (
    AudioStatisticsFeaturizer,
    BlockSelector,
    ClipFeaturizer,
    PrecomputedFeaturizer,
    SentenceTransformerFeaturizer,
    TextLSAFeaturizer,
    TransformersAudioFeaturizer,
)
from skbst.metrics import hierarchical_f1_score
from skbst.model_selection import compare_paired, official_folds
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier

SETS = {
    "real": [
        ("aisfx_audio",),
        ("minilm_text",),
        ("statistics_audio",),
        ("aisfx_audio", "statistics_audio"),
        ("aisfx_audio", "minilm_text"),
        ("statistics_audio", "minilm_text"),
        ("aisfx_audio", "statistics_audio", "minilm_text"),
    ],
    "text": [
        ("title_text",),
        ("minilm_text",),
        ("lsa_text",),
        ("title_text", "minilm_text"),
        ("minilm_text", "lsa_text"),
        ("title_text", "minilm_text", "lsa_text"),
    ],
}


def real(data, store):
    """Clips, labels, uploaders and featurizers of the recordings."""
    clips = load_bsd(data / "bst-real")
    with np.load(data / "real-encoders" / "bst_real.npz", allow_pickle=True) as file:
        ids = file["sound_id"].astype(str)
        vectors = {name: file[name].astype(np.float32) for name in ("audio_aisfx", "text_minilm_title_tags")}
    featurizers = [
        ("aisfx_audio", PrecomputedFeaturizer(vectors["audio_aisfx"], sound_ids=ids)),
        ("statistics_audio", AudioStatisticsFeaturizer(store=store)),
        ("minilm_text", PrecomputedFeaturizer(vectors["text_minilm_title_tags"], sound_ids=ids)),
    ]
    return clips.data, clips.target.to_numpy(str), np.asarray(clips.groups), featurizers


def text(data, store):
    """The same of the titles and tags."""
    table = pd.read_csv(data / "bsd10k-v1.0" / "BSD10k_metadata.csv", keep_default_na=False, dtype={"sound_id": str})
    table = table.set_index("sound_id")
    with np.load(data / "real-encoders" / "bsd10k_v1.0.npz") as file:
        vectors = {name: file[f"text_minilm_{name}"].astype(np.float32) for name in ("title", "title_tags")}
    featurizers = [
        ("title_text", PrecomputedFeaturizer(vectors["title"], sound_ids=table.index)),
        ("minilm_text", PrecomputedFeaturizer(vectors["title_tags"], sound_ids=table.index)),
        ("lsa_text", TextLSAFeaturizer(random_state=0)),
    ]
    return table[["title", "tags"]], table["class"].to_numpy(str), table["uploader"].to_numpy(str), featurizers


def linear(blocks):
    parts = [(name, make_pipeline(BlockSelector(name), Normalizer())) for name in blocks]
    return make_pipeline(FeatureUnion(parts), LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1))


def predict(bundle, y, train, test, blocks, groups, network):
    """Predictions of the test rows by each model."""
    found = {"linear": linear(blocks).fit(bundle[train], y[train]).predict(bundle[test])}
    if network:
        chosen = bundle.select(list(blocks))
        net = BranchClassifier(size="small", recipe="small", random_state=0)
        blender = KNNPriorBlender(net).fit(chosen[train], y[train], groups=None if groups is None else groups[train])
        found["network"] = blender.estimator_.predict(chosen[test])
        found["network + neighbours"] = blender.predict(chosen[test])
    return found


def quality(kind, data, store, network, limit):
    X, y, uploaders, featurizers = {"real": real, "text": text}[kind](data, store)
    models = ["linear", "network", "network + neighbours"] if network else ["linear"]
    for protocol, groups in {"official": None, "by uploader": uploaders}.items():
        folds = official_folds(y, groups=groups, validation_size=None)
        found = {(blocks, model): np.empty(len(y), dtype=y.dtype) for blocks in SETS[kind] for model in models}
        for number, (train, _, test) in enumerate(folds):
            bundle = None
            for blocks in SETS[kind]:
                name = hashlib.sha256(f"{kind} {protocol} {number} {blocks} {network}".encode()).hexdigest()[:16]
                path = store / f"{name}.npz"
                if not path.exists():
                    if time.process_time() > limit:
                        sys.exit(f"Stopped before {protocol}, fold {number}, {blocks}; run it again to go on.")
                    if bundle is None:
                        bundle = ClipFeaturizer(featurizers).fit(X.iloc[train], y[train]).transform(X)
                    np.savez(path, **predict(bundle, y, train, test, blocks, groups, network))
                with np.load(path) as file:
                    for model in models:
                        found[blocks, model][test] = file[model]
        tell(kind, protocol, y, folds, groups, found, models)


def tell(kind, protocol, y, folds, groups, found, models):
    for model in models:
        scores = {blocks: fold_scores(y, found[blocks, model], folds) for blocks in SETS[kind]}
        best = max((blocks for blocks in scores if len(blocks) == 1), key=lambda blocks: scores[blocks].mean())
        print(f"\n{kind}, {protocol}, {model}: hF in per cent, difference to {best[0]} alone", flush=True)
        for blocks, values in scores.items():
            line = f"  {' + '.join(blocks):45} {100 * values.mean():5.1f} +- {100 * values.std():3.1f}"
            if blocks != best:
                pair = found[blocks, model], found[best, model]
                paired = compare_paired(y, *pair, folds=folds, groups=groups, n_permutations=1, random_state=0)
                low, high = paired.interval
                line += f"  {100 * paired.difference:+5.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
            print(line, flush=True)


def fold_scores(y, guess, folds):
    return np.array([hierarchical_f1_score(y[test], guess[test]) for _, _, test in folds])


def missing(data, store):
    """hF of networks that lose an embedding, mean of three folds."""
    X, y, _, featurizers = real(data, store)
    bundle = ClipFeaturizer([item for item in featurizers if item[0] != "statistics_audio"]).fit_transform(X)
    scores = {}
    for train, _, test in list(official_folds(y, validation_size=None))[:3]:
        net = BranchClassifier(size="small", recipe="small", random_state=0).fit(bundle[train], y[train])
        found = {"both": net.predict(bundle[test])}
        for lost, left in (("minilm_text", "aisfx_audio"), ("aisfx_audio", "minilm_text")):
            zeros = np.zeros_like(bundle[lost])
            found[f"{lost} lost"] = net.predict(bundle.with_block(lost, zeros)[test])
            alone = BranchClassifier(size="small", recipe="small", random_state=0)
            only = bundle.select([left])
            found[f"{lost} never there"] = alone.fit(only[train], y[train]).predict(only[test])
        for name, guess in found.items():
            scores.setdefault(name, []).append(hierarchical_f1_score(y[test], guess))
    for name, values in scores.items():
        print(f"{name:30} hF {100 * np.mean(values):.1f}")


def speed(minilm, data):
    """Clips or texts a second, and peak memory beyond the weights, against the library called directly."""
    print("processor time on one thread")
    speed_of_texts(minilm, data)
    for model_type in ("wav2vec2", "audio-spectrogram-transformer", "whisper"):
        speed_of_sounds(model_type)


def speed_of_texts(minilm, data, n_texts=1024):
    """In turns, three times; the first is told apart: ours loads weights there and looks whether groups round alike."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    table = pd.read_csv(data / "bsd10k-v1.0" / "BSD10k_metadata.csv", keep_default_na=False)
    rows = np.random.default_rng(0).permutation(len(table))[:n_texts]
    whole = [f"{title} {tags.replace(',', ' ')}" for title, tags in table.loc[rows, ["title", "tags"]].to_numpy()]
    kinds = {
        "titles and tags": whole,
        "their first four words": [" ".join(text.split()[:4]) for text in whole],
        "three words, every fourth four times": [
            " ".join(text.split()[:3]) if i % 4 else 4 * (text + " ") for i, text in enumerate(whole)
        ],
    }
    theirs = SentenceTransformer(minilm, device="cpu")
    for name, texts in kinds.items():
        ours = SentenceTransformerFeaturizer(minilm, n_jobs=1).fit(texts)
        for _ in range(3):
            start = time.process_time()
            ours.transform(texts)
            middle = time.process_time()
            theirs.encode(texts, normalize_embeddings=True, show_progress_bar=False)
            own, other = middle - start, time.process_time() - middle
            print(f"  MiniLM, {name:37} skbst {own:6.2f} s, directly {other:6.2f} s: {own / other:.2f}", flush=True)


def speed_of_sounds(model_type):
    """Random weights of the published base sizes, cut to four layers: the time does not depend on the numbers."""
    import torch
    import transformers

    small = {"num_hidden_layers": 4}
    model, extractor = {
        "wav2vec2": lambda: (
            transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**small)),
            transformers.Wav2Vec2FeatureExtractor(return_attention_mask=True),
        ),
        "audio-spectrogram-transformer": lambda: (
            transformers.ASTModel(transformers.ASTConfig(**small)),
            transformers.ASTFeatureExtractor(),
        ),
        "whisper": lambda: (
            transformers.WhisperModel(transformers.WhisperConfig(d_model=384, encoder_layers=4, decoder_layers=1)),
            transformers.WhisperFeatureExtractor(),
        ),
    }[model_type]()
    sounds = [np.random.default_rng(i).uniform(-0.5, 0.5, 16000).astype(np.float32) for i in range(48)]
    encoder = model.eval().encoder if model_type == "whisper" else model.eval()

    def theirs():
        for start in range(0, len(sounds), 8):
            batch = extractor(sounds[start : start + 8], sampling_rate=16000, return_tensors="pt", padding=True)
            with torch.inference_mode():
                encoder(**batch).last_hidden_state.mean(dim=1)

    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        extractor.save_pretrained(folder)
        ours = TransformersAudioFeaturizer(folder, n_jobs=1).fit([(sounds[0], 16000)])
        pairs = [(sound, 16000) for sound in sounds]
        compare(f"{model_type}, 4 layers", len(sounds), lambda: ours.transform(pairs), theirs)


def compare(name, n_rows, ours, theirs):
    import torch

    torch.set_num_threads(1)
    seconds = {}
    for who, call in (("skbst", ours), ("directly", theirs)):
        call()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        runs = []
        for _ in range(3):
            start = time.process_time()
            call()
            runs.append(time.process_time() - start)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        seconds[who] = min(runs)
        print(f"  {name:40} {who:9} {n_rows / min(runs):7.1f} rows/s, peak memory grew by {grown:.0f} MB", flush=True)
    print(f"  {name:40} ours takes {seconds['skbst'] / seconds['directly']:.2f} of the time", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=["real", "text", "missing", "speed"])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SKBST_DATA", ".")))
    parser.add_argument("--store", type=Path, default=Path("bench_encoders"))
    parser.add_argument("--network", action="store_true")
    parser.add_argument("--limit", type=float, default=np.inf, help="seconds of CPU after which to stop; run again")
    parser.add_argument("--minilm", help="folder of all-MiniLM-L6-v2")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.kind == "speed":
        speed(arguments.minilm, arguments.data)
        return
    arguments.store.mkdir(parents=True, exist_ok=True)
    if arguments.kind == "missing":
        missing(arguments.data, arguments.store)
        return
    quality(arguments.kind, arguments.data, arguments.store, arguments.network, arguments.limit)


if __name__ == "__main__":
    main()
