"""
Label a whole sound library
===========================

Streams a table of clips of any length through a saved model into a folder of Parquet files: class code, top level,
probability and the three likeliest classes of each clip, and what was wrong with its sound. Memory holds a few parts at
a time, a run that was killed goes on where it stopped when the same command is given again, and several runs may work
on one folder at once.

    python examples/label_library.py --manifest clips.csv --model model.joblib --out labels
    python examples/label_library.py --folder my_sounds --model model.joblib --out labels

The manifest is a CSV with the columns sound_id, audio (a path, absolute or relative to the manifest), title, tags and
description; all but the first two may be missing or empty. With ``--dask tcp://scheduler:8786`` the parts are labelled
by the workers of a dask cluster that see the same files (``--dask local`` starts two worker processes here). Read the
result with ``pandas.read_parquet("labels")``.

This is a front of :func:`skbst.library.label_library`; the command ``skbst label`` does the same and more.
"""

import argparse
import os
import uuid
from pathlib import Path

from skbst.library import label_clips, label_library


def label(model, clips, taxonomy):
    """One row per clip: the answer at both levels, the likeliest classes, and what was wrong with the sound."""
    return label_clips(model, clips, taxonomy=taxonomy)


def write(table, target):
    """Put a table in its place, whole, under a name of this writer's own until then."""
    scratch = target.with_name(f".{target.stem}.{uuid.uuid4().hex}.writing")
    try:
        table.to_parquet(scratch, index=False)
        os.replace(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--manifest", type=Path, help="CSV of clips")
    source.add_argument("--folder", type=Path, help="folder of sounds")
    parser.add_argument("--model", type=Path, required=True, help="a joblib file, or a folder of save_model")
    parser.add_argument("--out", type=Path, required=True, help="folder of Parquet files")
    parser.add_argument("--rows", type=int, default=512, help="clips in a part")
    parser.add_argument("--dask", help="address of a dask scheduler, or 'local'")
    parser.add_argument("--replace", action="store_true", help="replace the labels of another library in --out")
    arguments = parser.parse_args(arguments)
    try:
        summary = label_library(
            arguments.model,
            arguments.manifest or arguments.folder,
            arguments.out,
            rows=arguments.rows,
            dask=arguments.dask,
            replace=arguments.replace,
            verbose=1,
        )
    except (ValueError, OSError) as error:
        raise SystemExit(str(error)) from error
    print(summary)
    print(f"Read them with pandas.read_parquet('{arguments.out}').")


if __name__ == "__main__":
    main()
