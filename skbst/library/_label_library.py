"""Label a whole library of sounds."""

import hashlib
import json
import os
from collections import Counter
from functools import partial
from numbers import Integral

from skbst._optional import require
from skbst._paths import absolute_path
from skbst._sklearn import Interval, validate_params
from skbst._version import __version__
from skbst.exceptions import DataFormatError
from skbst.library._answers import answer, taxonomy_of
from skbst.library._input import open_clips
from skbst.library._model import identity_of, open_model
from skbst.library._output import LibraryFolder, put_csv, refuse_foreign_csv, run_parts
from skbst.library._problems import reads_sounds
from skbst.library._summary import SILENT_REASONS, LibrarySummary
from skbst.library._workers import workers

__all__ = ["label_library"]


@validate_params(
    {
        "out": [str, os.PathLike],
        "rows": [Interval(Integral, 1, None, closed="left")],
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
        "dask": [str, None],
        "replace": ["boolean"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def label_library(model, clips, out, *, rows=512, n_candidates=3, dask=None, replace=False, verbose=0):
    """Label a library of any size into a folder of Parquet files that one call reads.

    Memory holds a few parts of `rows` clips. A part appears whole or not at all, and one that is there is not computed
    again, so that a run that was killed goes on where it stopped. Several runs may work on one folder at once, on one
    machine or on several that share a disk: each part is computed once. Only files that a run wrote itself, and that
    nobody has changed since, are ever removed.

    Parameters
    ----------
    model : classifier, str or path-like
        Fitted on clips: a pipeline, a search, a calibrated model, a vote, one model for each fold. Or where it was
        saved: a folder of `skbst.persistence.save_model`, or a joblib file (which can run any code).

    clips : str, path-like, DataFrame or iterable
        A folder of sounds; a manifest, CSV (UTF-8) or Parquet, with the columns ``sound_id`` and ``audio`` (a path,
        taken from the manifest's folder) and, where there are any, ``title``, ``tags`` and ``description``; a table
        such as ``load_bsd(root).data``; or an iterable of such tables, or of mappings with these keys. Ids are unique.

    out : str or path-like
        A folder, which `pandas.read_parquet` reads; or, for libraries that a spreadsheet can show, a file that ends in
        ``.csv`` (its parts lie beside it, in a folder that ends in ``.csv.parts``).

    rows : int, default=512
        Clips in a part: what a killed run loses.

    n_candidates : int, default=3
        How many of the likeliest classes are written.

    dask : str, default=None
        Address of a dask scheduler whose workers see the same files; "local" starts two worker processes here.

    replace : bool, default=False
        Whether the labels of another folder or manifest in `out` may be replaced.

    verbose : int, default=0
        Above 0 there is a progress bar with the rate and the time left.

    Returns
    -------
    summary : LibrarySummary
        How many clips were labelled, could not be read, are silent or have no text, by reason; and in ``notes`` what
        was left, replaced, removed or passed over. ``print(summary)`` says it in words.

    Raises
    ------
    FileNotFoundError
        If a folder, manifest or model does not exist.

    DataFormatError
        If a manifest is not as described (the message names the line); if not one of its sounds is there and the
        model needs sounds; if `out` holds another library, or another run with other settings works there.

    OSError
        If a part cannot be written (disk full, read-only). What was written before is kept.

    Notes
    -----
    The table has one row for each clip, in order: ``sound_id``; ``predicted`` and ``top``, the class code and its top
    level; ``proba``, the probability of ``predicted`` in [0, 1]; ``class_1``, ``proba_1``, ... the likeliest classes;
    for conformal models ``set`` (codes with spaces between), ``node`` and ``reason``; ``has_text``, whether there is a
    title, a tag or a description; ``problem``, what was wrong with the sound, "" where nothing was.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skbst.library import label_library
    >>> words = make_column_transformer((CountVectorizer(), "title"))
    >>> data = pd.DataFrame({"title": ["dog bark", "piano", "dog", "piano note"]}, index=list("abcd"))
    >>> model = make_pipeline(words, LogisticRegression()).fit(data, ["ss-n", "is-k", "ss-n", "is-k"])
    >>> with tempfile.TemporaryDirectory() as out:
    ...     print(label_library(model, data, out))
    ...     pd.read_parquet(out)[["sound_id", "predicted", "top"]].head(2)
    4 clips labelled, 0 were labelled already.
      sound_id predicted top
    0        a      ss-n  ss
    1        b      is-k  is
    """
    require("pyarrow", extra="library", needed_by="label_library")
    model_id, model = identity_of(model), open_model(model)
    source = open_clips(clips)
    _refuse_if_all_missing(source, model)
    out = absolute_path(out)
    as_csv = out.suffix.lower() == ".csv"
    place = out.with_name(f"{out.name}.parts") if as_csv else out
    if source.identity and out.exists() and os.path.samefile(out, source.identity):
        raise DataFormatError(f"{out} is what is to be labelled; give another name for the labels.")
    if as_csv:
        refuse_foreign_csv(out, place)
    settings = [__version__, model_id, n_candidates, rows, source.identity, source.state]
    key = hashlib.sha256(json.dumps(settings[:3]).encode()).hexdigest()
    run = hashlib.sha256(json.dumps(settings).encode()).hexdigest()
    summary = LibrarySummary(out, notes=source.notes)
    folder = LibraryFolder(place, identity=source.identity, key=key, run=run, replace=replace)
    try:
        compute = partial(label_part, model, taxonomy_of(model), n_candidates)
        with workers(dask, [model]) as n_jobs:
            run_parts(source, folder, compute, _write_parquet, summary, rows=rows, n_jobs=n_jobs, verbose=verbose)
        folder.finish()
    finally:
        folder.close()
    summary.notes += folder.notes
    if as_csv:
        put_csv(out, place, list(folder.targets))
    return summary


def label_part(model, taxonomy, n_candidates, clips):
    """Table of one part, and the figures of its record; runs on a worker."""
    table, became_silent = answer(model, clips, taxonomy, n_candidates=n_candidates)
    problems = table["problem"]
    hears_nothing = problems.isin(SILENT_REASONS).to_numpy()
    return table, {
        "rows": len(table),
        "unreadable": int((became_silent & ~hears_nothing).sum()),
        "silent": int(hears_nothing.sum()),
        "without_text": int((~table["has_text"]).sum()),
        "reasons": dict(Counter(reason for cell in problems if cell for reason in cell.split("; "))),
    }


def _write_parquet(table, file):
    table.to_parquet(file, index=False)


def _refuse_if_all_missing(source, model):
    if source.n_clips is None or not reads_sounds(model):
        return
    first = source.first_missing()
    if first is not None:
        raise DataFormatError(
            f"{source.identity or 'clips'}: the sounds of all {source.n_clips} clips were not found (first: {first}). "
            "Mount the disk or correct the column 'audio'; relative paths are taken from the manifest's folder. "
            "Nothing was labelled."
        )
