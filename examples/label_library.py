"""
Label a whole sound library
===========================

Streams a table of clips of any length through a saved model into a folder of Parquet files: class code, top level,
probability and the three likeliest classes of each clip, and what was wrong with its sound. Memory holds a few parts at
a time. Each part is written to a temporary name and then moved, and a part that is there already is not computed
again, so a run that was killed goes on where it stopped when the same command is given again.

    python examples/label_library.py --manifest clips.csv --model model.joblib --out labels
    python examples/label_library.py --folder my_sounds --model model.joblib --out labels

The manifest is a CSV with the columns sound_id, audio (a path, absolute or relative to the manifest), title, tags and
description; all but the first two may be missing or empty. With ``--dask tcp://scheduler:8786`` the parts are labelled
by the workers of a dask cluster that see the same files (``--dask local`` starts two worker processes here). Read the
result with ``pandas.read_parquet("labels")``.
"""

import argparse
import contextlib
import hashlib
import json
import os
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from skbst.datasets import clips_from_folder
from skbst.exceptions import AudioDecodeWarning
from skbst.persistence import load_model
from skbst.taxonomy import resolve_taxonomy

COLUMNS = ["audio", "title", "tags", "description"]


def parts_of_manifest(path, rows):
    """Yield tables of at most `rows` clips; the file is never in memory as a whole."""
    base = Path(path).absolute().parent
    if not os.stat(path).st_size:
        raise SystemExit(f"{path}: the file is empty; expected a CSV with the columns sound_id and audio.")
    for part in pd.read_csv(path, chunksize=rows, dtype=str, keep_default_na=False):
        missing = {"sound_id", "audio"} - set(part.columns)
        if missing:
            raise SystemExit(f"{path}: column(s) {sorted(missing)} are missing; found {list(part.columns)}.")
        if part.empty:
            # an empty result would remove the labels of an earlier run
            raise SystemExit(
                f"{path}: a header and no clips; expected a row for each. Nothing was labelled or removed."
            )
        part = part.set_index("sound_id").reindex(columns=COLUMNS, fill_value="")
        part["audio"] = [str(base / audio) if audio else "" for audio in part["audio"]]
        yield part


def parts_of_folder(path, rows):
    clips = clips_from_folder(path).reindex(columns=COLUMNS, fill_value="")
    for start in range(0, len(clips), rows):
        yield clips.iloc[start : start + rows]


def problems_of(featurizer):
    """What was wrong with each sound, and which shipped embedding it lacks."""
    problems = {}
    if hasattr(featurizer, "decode_report_"):
        problems = featurizer.decode_report_["reason"].to_dict()
    for part in [featurizer, *(part for _, part in getattr(featurizer, "featurizers_", []))]:
        if hasattr(part, "missing_report_"):
            for sound_id, reason in part.missing_report_["reason"].items():
                found = [problems[sound_id]] if sound_id in problems else []
                problems[sound_id] = "; ".join([*found, f"{part.block} embedding: {reason}"])
    return problems


def label(model, clips, taxonomy):
    """One row per clip: the answer at both levels, the likeliest classes, and what was wrong with the sound."""
    rows, classifier, problems = clips, model, {}
    if isinstance(model, Pipeline):
        with warnings.catch_warnings():
            # both stand in the column "problem"
            warnings.simplefilter("ignore", AudioDecodeWarning)
            warnings.filterwarnings("ignore", ".*clips have no shipped")
            rows, classifier = model[:-1].transform(clips), model[-1]
        problems = problems_of(model[0])
    proba, classes = classifier.predict_proba(rows), classifier.classes_
    likeliest = np.argsort(-proba, axis=1, kind="stable")[:, :3]
    # skbst's own classifiers answer with the likeliest class unless told otherwise: no need to run them twice
    own = type(classifier).__module__.startswith("skbst.") and getattr(classifier, "decode", "leaf") == "leaf"
    chosen = classes[likeliest[:, 0]] if own else np.asarray(classifier.predict(rows))
    table = pd.DataFrame({"predicted": chosen, "top": taxonomy.top_of(chosen)}, index=clips.index)
    table["proba"] = proba[np.arange(len(proba)), np.searchsorted(classes, chosen)].astype(np.float32)
    for rank in range(likeliest.shape[1]):
        table[f"class_{rank + 1}"] = classes[likeliest[:, rank]]
        table[f"proba_{rank + 1}"] = np.take_along_axis(proba, likeliest, axis=1)[:, rank].astype(np.float32)
    table["problem"] = [problems.get(sound_id, "") for sound_id in clips.index]
    return table.reset_index()


def label_part(model, clips, taxonomy, target):
    """`label`, told where its rows belong; runs on a worker."""
    return target, label(model, clips, taxonomy)


def fingerprint(clips, model_id):
    """Changes with the rows of a part, with the size and time of its files, and with the model."""
    stats = [
        (os.stat(path).st_size, os.stat(path).st_mtime_ns) if os.path.exists(path) else None for path in clips["audio"]
    ]
    content = json.dumps([model_id, clips.reset_index().to_numpy().tolist(), stats])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def model_identity(path):
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def write(table, target):
    """Put a part in its place, whole, and remove what older rows of the same part gave."""
    scratch = target.with_name(f".{target.stem}.writing")
    table.to_parquet(scratch, index=False)
    for outdated in target.parent.glob(f"{target.name[:12]}*.parquet"):
        outdated.unlink()
    os.replace(scratch, target)


def run(parts, model, model_id, out, *, n_jobs=1):
    """Label part after part; returns how many clips were computed and how many were there already."""
    out.mkdir(parents=True, exist_ok=True)
    last = model[-1] if isinstance(model, Pipeline) else model
    taxonomy = getattr(last, "taxonomy_", None) or resolve_taxonomy(None, model.classes_)
    targets, computed, found = set(), 0, 0

    def missing_parts():
        nonlocal found
        for number, clips in enumerate(parts):
            target = out / f"part-{number:06d}-{fingerprint(clips, model_id)}.parquet"
            targets.add(target)
            if target.exists():
                found += len(clips)
                bar.update(len(clips))
            else:
                yield joblib.delayed(label_part)(model, clips, taxonomy, target)

    with tqdm(unit="clip", desc="labelling") as bar:
        for target, table in joblib.Parallel(n_jobs=n_jobs, return_as="generator")(missing_parts()):
            write(table, target)
            computed += len(table)
            bar.update(len(table))
    for left_over in {*out.glob("part-*.parquet"), *out.glob(".part-*.writing")} - targets:
        left_over.unlink()
    return computed, found


@contextlib.contextmanager
def workers(dask, model):
    """Context that gives the number of jobs; with dask, joblib's workers are those of the cluster."""
    if dask is None:
        yield 1
        return
    from dask.distributed import Client, LocalCluster

    with contextlib.ExitStack() as stack:
        if dask == "local":
            dask = stack.enter_context(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None))
        stack.enter_context(Client(dask))
        # each worker gets the model once, not with every part
        stack.enter_context(joblib.parallel_config("dask", scatter=[model]))
        yield -1


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--manifest", type=Path, help="CSV of clips")
    source.add_argument("--folder", type=Path, help="folder of sounds")
    parser.add_argument("--model", type=Path, required=True, help="a joblib file, or a folder of save_model")
    parser.add_argument("--out", type=Path, required=True, help="folder of Parquet files")
    parser.add_argument("--rows", type=int, default=512, help="clips in a part")
    parser.add_argument("--dask", help="address of a dask scheduler, or 'local'")
    arguments = parser.parse_args(arguments)
    model = load_model(arguments.model) if arguments.model.is_dir() else joblib.load(arguments.model)
    if arguments.manifest:
        parts = parts_of_manifest(arguments.manifest, arguments.rows)
    else:
        parts = parts_of_folder(arguments.folder, arguments.rows)
    with workers(arguments.dask, model) as n_jobs:
        computed, found = run(parts, model, model_identity(arguments.model), arguments.out, n_jobs=n_jobs)
    print(
        f"{computed} clips labelled, {found} were labelled already; "
        f"read them with pandas.read_parquet('{arguments.out}')."
    )


if __name__ == "__main__":
    main()
