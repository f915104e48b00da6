"""Logistic regression on the built-in text and audio vectors against plain floors, and what they cost to make."""

import argparse
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.extmath import randomized_svd

from skbst.audio import load_clip
from skbst.datasets import load_bsd
from skbst.features import AudioStatisticsFeaturizer, TextLSAFeaturizer
from skbst.features._descriptors._text_lsa import _exact_svd as exact_svd
from skbst.metrics import hierarchical_f1_score
from skbst.model_selection import compare_paired, official_folds

warnings.filterwarnings("ignore", message=".*(fewer|least populated|groups).*")


# each row against the one that tells what it is worth
PAIRS = {
    "text": "floor: TF-IDF of raw text",
    "text, not cleaned": "text",
    "text, with letter n-grams": "text",
    "text, with pairs of words": "text",
    "audio": "floor: mean and std of 40 log-Mel bands",
    "audio, first 5 s": "audio",
    "audio, 256 whitened components": "audio",
    "text + audio": "text",
}


def logistic(C=10):
    return LogisticRegression(C=C, max_iter=300)


def raw_text(data):
    fields = [data[field].fillna("") for field in ("title", "tags", "description") if field in data]
    return [" ".join(parts) for parts in zip(*fields)]


def log_mel_statistics(rows):
    names = AudioStatisticsFeaturizer(standardize=True).fit(np.zeros((1, 100))).get_feature_names_out()
    return rows[:, [name.startswith(("log_mel_mean", "log_mel_std")) for name in names]]


def to_quarter_length(rows):
    """Bring rows of 512 standardised numbers to about a quarter of the length of a text vector."""
    return 0.25 * rows / np.sqrt(rows.shape[1])


def models(store):
    """Pipelines from the table of clips; everything is fitted inside each fold."""
    tfidf = make_pipeline(FunctionTransformer(raw_text), TfidfVectorizer(sublinear_tf=True))
    audio = AudioStatisticsFeaturizer(store=store)
    scaled = make_pipeline(audio, FunctionTransformer(to_quarter_length))
    text = TextLSAFeaturizer(random_state=0)
    return {
        "floor: TF-IDF of raw text": make_pipeline(tfidf, logistic()),
        "text": make_pipeline(text, logistic()),
        "text, not cleaned": make_pipeline(TextLSAFeaturizer(cleaner=None, random_state=0), logistic()),
        "text, with letter n-grams": make_pipeline(TextLSAFeaturizer(char_weight=0.5, random_state=0), logistic()),
        "text, with pairs of words": make_pipeline(
            TextLSAFeaturizer(word_ngram_range=(1, 2), random_state=0), logistic()
        ),
        "floor: mean and std of 40 log-Mel bands": make_pipeline(
            audio, FunctionTransformer(log_mel_statistics), logistic(0.05)
        ),
        "audio": make_pipeline(audio, logistic(0.01)),
        "audio, first 5 s": make_pipeline(AudioStatisticsFeaturizer(duration=5.0, store=store), logistic(0.01)),
        "audio, 256 whitened components": make_pipeline(audio, PCA(256, whiten=True, random_state=0), logistic(0.1)),
        "text + audio": make_pipeline(FeatureUnion([("text", text), ("audio", scaled)]), logistic()),
    }


def predictions(model, data, target, folds):
    """Out-of-fold predictions, an array in the order of the rows; rows that no fold tests keep an empty label."""
    predicted = np.full(len(target), "", dtype=object)
    for fold in folds:
        fitted = model.fit(data.iloc[fold.train], target.iloc[fold.train])
        predicted[fold.test] = fitted.predict(data.iloc[fold.test])
    return predicted


def fold_scores(target, predicted, folds):
    return [100 * hierarchical_f1_score(target.iloc[fold.test], predicted[fold.test].astype(str)) for fold in folds]


def report_quality(root, n_splits):
    bunch = load_bsd(root)
    data, target = bunch.data, bunch.target
    uploader = bunch.metadata["uploader"]
    protocols = {
        "stratified": (official_folds(target, n_splits=n_splits), None),
        "by uploader": (official_folds(target, groups=uploader, n_splits=n_splits), uploader),
    }
    print(f"{root}: {len(data)} clips, hF in per cent, mean and std over {n_splits} folds")
    found = {}
    with tempfile.TemporaryDirectory() as store:
        for name, model in models(store).items():
            cells = []
            for protocol, (folds, _) in protocols.items():
                found[name, protocol] = predictions(model, data, target, folds)
                scores = fold_scores(target, found[name, protocol], folds)
                cells.append(f"{protocol} {np.mean(scores):5.1f} +- {np.std(scores):3.1f}")
            print(f"  {name:42s} {'   '.join(cells)}", flush=True)
    report_differences(found, target, protocols)


def difference(target, predicted, other, **settings):
    result = compare_paired(target, predicted, other, random_state=0, **settings)
    low, high = (100 * limit for limit in result.interval)
    return f"{100 * result.difference:+5.1f} ({low:+5.1f} to {high:+5.1f}), p = {result.p_value:.4f}"


def report_differences(found, target, protocols):
    """Paired, because all rows meet the same clips; by uploader whole uploaders are drawn and swapped."""
    print("differences, 95 % interval of a paired bootstrap and p of a permutation test:")
    for name, other in PAIRS.items():
        for protocol, (folds, groups) in protocols.items():
            pair = found[name, protocol], found[other, protocol]
            told = difference(target, *pair, folds=folds, groups=groups)
            print(f"  {name:32s} against {other:42s} {protocol:12s} {told}", flush=True)


def report_metadata(folder):
    data = pd.read_csv(folder / "BSD10k_metadata.csv", dtype=str, keep_default_na=False).set_index("sound_id")
    target = data["class"]
    archive = np.load(folder / "standin_embeddings.npz", allow_pickle=True)
    standin = pd.DataFrame(archive["text_emb"].astype(np.float32), index=data.index)
    fold = [official_folds(target)[0]]
    tfidf = make_pipeline(FunctionTransformer(raw_text), TfidfVectorizer(sublinear_tf=True))
    passthrough = ColumnTransformer([("all", "passthrough", list(standin.columns))])
    uncleaned = TextLSAFeaturizer(cleaner=None, random_state=0)
    print(f"{folder}: {len(data)} rows of real metadata, hF in per cent on the first official fold")
    found = {}
    for name, model, table in (
        ("floor: TF-IDF of raw text", make_pipeline(tfidf, logistic()), data),
        ("stand-in text embedding (saw all rows)", make_pipeline(passthrough, logistic()), standin),
        ("text", make_pipeline(TextLSAFeaturizer(random_state=0), logistic()), data[["title", "tags"]]),
        ("text, not cleaned", make_pipeline(uncleaned, logistic()), data[["title", "tags"]]),
    ):
        found[name] = predictions(model, table, target, fold)
        print(f"  {name:42s} {fold_scores(target, found[name], fold)[0]:5.1f}", flush=True)
    test = fold[0].test
    for other in [name for name in found if name != "text"]:
        told = difference(target.iloc[test], found["text"][test], found[other][test])
        print(f"  text against {other:42s} {told}", flush=True)
    featurizer = TextLSAFeaturizer(random_state=0)
    start = time.process_time()
    featurizer.fit(data)
    middle = time.process_time()
    featurizer.transform(data)
    stop = time.process_time()
    print(f"  fit {middle - start:.1f} s, transform {len(data) / (stop - middle):.0f} texts/s, of one core's time")


def report_speed(root, n_clips):
    paths = load_bsd(root).data["audio"].tolist()[:n_clips]
    seconds = {}
    for _ in range(2):
        start = time.process_time()
        for path in paths:
            load_clip(path, sample_rate=22050, duration=30.0)
        middle = time.process_time()
        AudioStatisticsFeaturizer().fit(paths)
        stop = time.process_time()
        for name, value in (("decode", middle - start), ("describe", stop - middle)):
            seconds[name] = min(value, seconds.get(name, np.inf))
    rates = {name: len(paths) / value for name, value in seconds.items()}
    print(
        f"{len(paths)} clips of up to 30 s on one core: decode and resample {rates['decode']:.0f} clips/s, "
        f"with all descriptors {rates['describe']:.0f} clips/s, ratio {rates['decode'] / rates['describe']:.1f}"
    )


def report_svd():
    """Time and agreement of the exact decomposition with `randomized_svd` at full rank, in turns."""
    ways = {
        "exact": exact_svd,
        "randomized": lambda matrix: randomized_svd(matrix, min(matrix.shape), random_state=0)[1:],
    }
    for n_rows, n_terms in ((500, 8000), (2000, 2000), (5000, 400)):
        matrix = sparse.random_array((n_rows, n_terms), density=0.01, rng=np.random.default_rng(0), format="csr")
        seconds, values = dict.fromkeys(ways, np.inf), {}
        for name in [*ways] * 3:
            start = time.process_time()
            values[name] = ways[name](matrix)[0]
            seconds[name] = min(time.process_time() - start, seconds[name])
        apart = np.abs(values["exact"] - values["randomized"]).max() / values["exact"].max()
        ratio = seconds["randomized"] / seconds["exact"]
        print(f"decomposition of {n_rows:,} x {n_terms:,}: {ratio:.1f} times faster, values to {apart:.0e}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--svd", action="store_true", help="only the decomposition, on made matrices")
    parser.add_argument("--data", type=Path, default=os.environ.get("SKBST_DATA"), help="folder with bst-real")
    parser.add_argument("--fast", action="store_true", help="two folds, fewer clips, no table of metadata")
    options = parser.parse_args()
    if options.svd:
        report_svd()
        return
    if options.data is None:
        parser.error("pass --data or set SKBST_DATA")
    root = Path(options.data)
    report_speed(root / "bst-real", 60 if options.fast else 300)
    report_quality(root / "bst-real", 2 if options.fast else 5)
    if not options.fast:
        report_metadata(root / "bsd10k-v1.0")


if __name__ == "__main__":
    main()
