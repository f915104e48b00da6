"""Embed a whole library of sounds."""

import csv
import io
import os
import warnings
from collections import Counter
from functools import partial
from numbers import Integral

import joblib
from sklearn.base import clone

from skbst._files import remove_abandoned, write_atomically
from skbst._paths import absolute_path
from skbst._progress import progress_bar
from skbst._sklearn import Interval, validate_params
from skbst.audio import collect_problems, record_problems
from skbst.exceptions import AudioDecodeError, AudioDecodeWarning, DataFormatError
from skbst.library._answers import have_text
from skbst.library._input import open_clips
from skbst.library._problems import name_silence, problems_of, reads_sounds
from skbst.library._summary import SILENT_REASONS, LibrarySummary
from skbst.library._workers import workers

__all__ = ["embed_library"]

_PROBLEMS = "skbst_problems.csv"


@validate_params(
    {
        "featurizer": [object],
        "store": [str, os.PathLike],
        "rows": [Interval(Integral, 1, None, closed="left")],
        "dask": [str, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def embed_library(featurizer, clips, store, *, rows=512, dask=None, verbose=0):
    """Fill a store with what a featurizer makes of a library of any size.

    Training, labelling and searching with the same featurizer and ``store=`` then compute nothing again. A sound is
    known by its content and the settings, so that a run that was killed goes on where it stopped, and a changed one is
    embedded anew.

    Parameters
    ----------
    featurizer : transformer
        Such as `skbst.features.ClapAudioFeaturizer`, or a `skbst.features.ClipFeaturizer` of several. Those that keep
        nothing on disk, because they learn from all clips (`skbst.features.TextLSAFeaturizer`), are passed over.

    clips : str, path-like, DataFrame or iterable
        As in `label_library`.

    store : str or path-like
        The folder; made where it is not there. Given to the featurizer, which is not changed itself.

    rows : int, default=512
        Clips in memory at a time.

    dask : str, default=None
        As in `label_library`.

    verbose : int, default=0
        Above 0 there is a progress bar with the rate and the time left.

    Returns
    -------
    summary : LibrarySummary
        How many clips were embedded, could not be read, are silent or have no text, by reason. Which they are stands in
        ``skbst_problems.csv`` of the store.

    Raises
    ------
    DataFormatError
        If the featurizer keeps nothing on disk, or the clips are not as described.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skbst.features import AudioStatisticsFeaturizer
    >>> from skbst.library import embed_library
    >>> noise = (np.random.default_rng(0).uniform(-1, 1, 4000), 16000)
    >>> clips = [{"sound_id": "17", "audio": noise}, {"sound_id": "23", "audio": "gone.wav"}]
    >>> with tempfile.TemporaryDirectory() as store:
    ...     summary = embed_library(AudioStatisticsFeaturizer(), clips, store)
    >>> summary.n_clips, summary.reasons
    (2, {'not found': 1})
    """
    store = absolute_path(store)
    featurizer = _with_store(featurizer, store)
    source = open_clips(clips)
    store.mkdir(parents=True, exist_ok=True)
    summary = LibrarySummary(store, notes=source.notes, what="embedded", listed=str(store / _PROBLEMS))

    def embed_all(file):
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text)
        with (
            progress_bar(total=source.n_clips, desc="embedding", verbose=verbose) as bar,
            workers(dask, []) as n_jobs,
        ):
            writer.writerow(["sound_id", "problem"])
            jobs = (joblib.delayed(partial(_embed, featurizer))(part) for part in source.parts(rows))
            for figures, problems in joblib.Parallel(n_jobs=n_jobs, return_as="generator")(jobs):
                writer.writerows(problems)
                summary.add(figures, computed=True)
                bar.update(figures["rows"])
        text.detach()

    remove_abandoned(store)
    write_atomically(store / _PROBLEMS, embed_all, sync=False)
    return summary


def _with_store(featurizer, store):
    """An unfitted copy that keeps what it makes in `store`, without the parts that keep nothing."""
    featurizer = clone(featurizer)
    params = featurizer.get_params(deep=False)
    if "featurizers" in params:
        parts = [(name, part) for name, part in featurizer.featurizers if part != "drop" and _keeps(part)]
        featurizer.set_params(featurizers=parts)
        found = [part for _, part in parts]
    else:
        found = [featurizer] if _keeps(featurizer) else []
    if not found:
        raise DataFormatError(
            f"{type(featurizer).__name__} keeps nothing on disk: there is nothing to embed ahead of time. Pass a "
            "featurizer with a parameter store, such as ClapAudioFeaturizer or AudioStatisticsFeaturizer."
        )
    for part in found:
        part.set_params(store=str(store))
    return featurizer


def _keeps(featurizer):
    return "store" in featurizer.get_params(deep=False)


def _fill(featurizer, clips):
    """Make the features, which are kept; nothing is learnt, so that a part of broken sounds is no mistake."""
    with collect_problems() as reports:
        try:
            featurizer.fit_transform(clips)
        except AudioDecodeError:
            broken = {row for report in reports for row in report["position"][report["silent"]]}
            if len(broken) < len(clips):
                raise
    for report in reports:
        record_problems(report)


def _embed(featurizer, clips):
    """Embed one part; runs on a worker. Figures, and (sound_id, problem) of what was wrong."""
    featurizer = clone(featurizer)
    with warnings.catch_warnings(), collect_problems() as reports:
        warnings.simplefilter("ignore", AudioDecodeWarning)  # stands in the summary
        _fill(featurizer, clips)
    reasons, silent = problems_of(reports, len(clips))
    if reads_sounds(featurizer):
        name_silence(reasons, clips["audio"])
    nothing = [any(reason in SILENT_REASONS for reason in found) for found in reasons]
    mute = ~have_text(clips)
    figures = {
        "rows": len(clips),
        "unreadable": sum(became and not hears for became, hears in zip(silent.tolist(), nothing)),
        "silent": sum(nothing),
        "without_text": int(mute.sum()),
        "reasons": dict(Counter(reason for found in reasons for reason in found)),
    }
    told = [found + ["no text"] * is_mute for found, is_mute in zip(reasons, mute.tolist())]
    return figures, [(name, "; ".join(found)) for name, found in zip(clips.index, told) if found]
