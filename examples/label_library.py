"""
Label a whole sound library
===========================

Streams a table of clips of any length through a saved model into a folder of Parquet files: class code, top level,
probability and the three likeliest classes of each clip. Memory holds one part at a time. Each part is written to a
temporary name and then moved, and a part that is there already is not computed again, so a run that was killed goes on
where it stopped when the same command is given again.

    python examples/label_library.py --manifest clips.csv --model model.joblib --out labels
    python examples/label_library.py --folder my_sounds --model model.joblib --out labels

The manifest is a CSV with the columns sound_id, audio (a path, absolute or relative to the manifest), title, tags and
description; all but the first two may be missing or empty. With ``--dask tcp://scheduler:8786`` (or ``--dask local``)
the featurizing runs on a dask cluster. Read the result with ``pandas.read_parquet("labels")``.
"""

import argparse
import contextlib
import hashlib
import json
import os
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from tqdm import tqdm

from skbst.datasets import clips_from_folder
from skbst.persistence import load_model
from skbst.taxonomy import resolve_taxonomy

COLUMNS = ["audio", "title", "tags", "description"]


def parts_of_manifest(path, rows):
    """Yield tables of at most `rows` clips; the file is never in memory as a whole."""
    base = Path(path).parent
    for part in pd.read_csv(path, chunksize=rows, dtype=str, keep_default_na=False):
        missing = {"sound_id", "audio"} - set(part.columns)
        if missing:
            raise SystemExit(f"{path}: column(s) {sorted(missing)} are missing; found {list(part.columns)}.")
        part = part.set_index("sound_id").reindex(columns=COLUMNS, fill_value="")
        part["audio"] = [str(base / audio) if audio else "" for audio in part["audio"]]
        yield part


def parts_of_folder(path, rows):
    clips = clips_from_folder(path).reindex(columns=COLUMNS, fill_value="")
    for start in range(0, len(clips), rows):
        yield clips.iloc[start : start + rows]


def label(model, clips, taxonomy):
    """One row per clip: the answer at both levels and the likeliest classes."""
    proba = model.predict_proba(clips)
    likeliest = np.argsort(-proba, axis=1, kind="stable")[:, :3]
    chosen = np.asarray(model.predict(clips) if hasattr(model, "decode") else model.classes_[likeliest[:, 0]])
    table = pd.DataFrame({"predicted": chosen, "top": taxonomy.top_of(chosen)}, index=clips.index)
    table["proba"] = proba[np.arange(len(proba)), np.searchsorted(model.classes_, chosen)].astype(np.float32)
    for rank in range(likeliest.shape[1]):
        table[f"class_{rank + 1}"] = model.classes_[likeliest[:, rank]]
        table[f"proba_{rank + 1}"] = np.take_along_axis(proba, likeliest, axis=1)[:, rank].astype(np.float32)
    return table.reset_index()


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


def run(parts, model, model_id, out, total=None):
    """Label part after part; returns how many clips were computed and how many were there already."""
    out.mkdir(parents=True, exist_ok=True)
    taxonomy = resolve_taxonomy(None, model.classes_)
    computed = found = 0
    with tqdm(total=total, unit="clip", desc="labelling") as bar:
        for number, clips in enumerate(parts):
            target = out / f"part-{number:06d}-{fingerprint(clips, model_id)}.parquet"
            if target.exists():
                found += len(clips)
            else:
                for outdated in out.glob(f"part-{number:06d}-*.parquet"):
                    outdated.unlink()
                scratch = target.with_suffix(".writing")
                label(model, clips, taxonomy).to_parquet(scratch, index=False)
                os.replace(scratch, target)
                computed += len(clips)
            bar.update(len(clips))
    return computed, found


def dask_cluster(address):
    """Context in which joblib's workers are those of a dask cluster."""
    if address is None:
        return contextlib.nullcontext()
    from dask.distributed import Client

    client = Client(processes=True, n_workers=2, threads_per_worker=1) if address == "local" else Client(address)
    stack = contextlib.ExitStack()
    stack.enter_context(client)
    stack.enter_context(joblib.parallel_config("dask"))
    return stack


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--manifest", type=Path, help="CSV of clips")
    source.add_argument("--folder", type=Path, help="folder of sounds")
    parser.add_argument("--model", type=Path, required=True, help="a joblib file, or a folder of save_model")
    parser.add_argument("--out", type=Path, required=True, help="folder of Parquet files")
    parser.add_argument("--rows", type=int, default=512, help="clips in a part")
    parser.add_argument("--dask", help="address of a dask scheduler, or 'local'")
    arguments = parser.parse_args()
    model = load_model(arguments.model) if arguments.model.is_dir() else joblib.load(arguments.model)
    if arguments.manifest:
        parts = parts_of_manifest(arguments.manifest, arguments.rows)
    else:
        parts = parts_of_folder(arguments.folder, arguments.rows)
    with dask_cluster(arguments.dask):
        computed, found = run(parts, model, model_identity(arguments.model), arguments.out)
    print(
        f"{computed} clips labelled, {found} were labelled already; "
        f"read them with pandas.read_parquet('{arguments.out}')."
    )


if __name__ == "__main__":
    main()
