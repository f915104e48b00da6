"""What can be wrong with a sound file, and how it is told."""

import os
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import numpy as np
import pandas as pd

from skbst._paths import N_NAMED
from skbst.exceptions import AudioDecodeError, AudioDecodeWarning

__all__ = ["DecodeProblem", "announce_problems", "collect_problems", "problem_report", "record_problems"]

# each thread has its own, so that two calls never mix their problems up
_collected = ContextVar("skbst_problems", default=None)


class DecodeProblem(NamedTuple):
    """One thing that is wrong with one sound.

    Parameters
    ----------
    reason : str
        ``"no path"``, ``"not found"``, ``"zero bytes"``, ``"not decodable"``, ``"no samples"`` or
        ``"no finite sample"`` (the sound becomes silence); ``"truncated"`` or ``"non-finite samples"``
        (what is sound is kept).

    silent : bool
        Whether the sound became silence.

    detail : str, default=""
        Numbers, or what libsndfile says.

    Examples
    --------
    >>> from skbst.audio import DecodeProblem
    >>> DecodeProblem("zero bytes", silent=True)
    DecodeProblem(reason='zero bytes', silent=True, detail='')
    """

    reason: str
    silent: bool
    detail: str = ""


def problem_report(problems, ids=None, sources=None):
    """Tabulate problems, one row per sound that has one.

    Parameters
    ----------
    problems : mapping of int to DecodeProblem
        Position of the sound -> what is wrong with it.

    ids : sequence, default=None
        Name of every sound by position (the sound_id); None takes the positions.

    sources : sequence, default=None
        The path of every sound by position.

    Returns
    -------
    report : DataFrame
        Index ``sound_id`` (tuples where ids are those of a MultiIndex); columns ``position`` (int), ``audio`` (the path
        as text, or ``"<array>"``), ``reason``, ``silent`` (bool) and ``detail``.

    Examples
    --------
    >>> from skbst.audio import DecodeProblem, problem_report
    >>> report = problem_report({1: DecodeProblem("zero bytes", True)}, ids=["17", "23"], sources=["a.wav", "b.wav"])
    >>> report.loc["23", "reason"]
    'zero bytes'
    """
    rows = sorted(problems)
    names = np.empty(len(rows), dtype=object)
    names[:] = [i if ids is None else ids[i] for i in rows]
    index = pd.Index(names, name="sound_id", dtype=object, tupleize_cols=False)
    table = {
        "position": rows,
        "audio": ["" if sources is None else _source_name(sources[i]) for i in rows],
        "reason": [problems[i].reason for i in rows],
        "silent": [problems[i].silent for i in rows],
        "detail": [problems[i].detail for i in rows],
    }
    # pandas' own text type takes no name that is not UTF-8
    types = {"position": np.int64, "audio": object, "reason": object, "silent": bool, "detail": object}
    return pd.DataFrame({name: pd.Series(table[name], index=index, dtype=types[name]) for name in table})


@contextmanager
def collect_problems():
    """Gather what `announce_problems` tells while a block runs, however deep the featurizers are in a model.

    Only calls of the same thread count. A collector inside another one keeps what it gathers to itself.

    Yields
    ------
    reports : list of DataFrame
        One for each call that found something, from `problem_report` or with its columns.

    Examples
    --------
    >>> from skbst.audio import collect_problems
    >>> from skbst.features import MFCCFeaturizer
    >>> with collect_problems() as reports:
    ...     frames = MFCCFeaturizer(duration=0.1, on_error="silence").fit(["gone.wav"]).transform(["gone.wav"])
    >>> reports[0][["position", "reason"]].values.tolist()
    [[0, 'not found']]
    """
    reports = []
    token = _collected.set(reports)
    try:
        yield reports
    finally:
        _collected.reset(token)


def record_problems(report):
    """Hand problems to the collector of this thread, if there is one; `announce_problems` does so itself.

    Parameters
    ----------
    report : DataFrame
        As from `problem_report`.

    Examples
    --------
    >>> from skbst.audio import collect_problems, problem_report, record_problems
    >>> with collect_problems() as reports:
    ...     record_problems(problem_report({}))
    >>> len(reports)  # a report without a row is none
    0
    """
    if _collected.get() is not None and len(report):
        _collected.get().append(report)


def announce_problems(report, n_sounds, *, on_error="silence", stacklevel=2):
    """Warn once about all problems of a call, or raise.

    Parameters
    ----------
    report : DataFrame
        From `problem_report`.

    n_sounds : int
        How many sounds were asked for.

    on_error : {"silence", "raise"}, default="silence"
        What a sound that could not be decoded means. Sounds of which a part was kept only ever warn.

    stacklevel : int, default=2
        As in `warnings.warn`, counted from the caller of this function.

    Raises
    ------
    AudioDecodeError
        With ``on_error="raise"``, if a sound is silent because of its problem.

    Examples
    --------
    >>> from skbst.audio import announce_problems, problem_report
    >>> announce_problems(problem_report({}), 5)
    """
    if report.empty:
        return
    record_problems(report)
    silent, kept = report[report["silent"]], report[~report["silent"]]
    if len(silent) and on_error == "raise":
        raise AudioDecodeError(
            f"{len(silent)} of {n_sounds} sounds could not be decoded ({_named(silent)}). "
            'Repair or drop these rows, or pass on_error="silence" to take them as silence.'
        )
    parts = []
    if len(silent):
        parts.append(f"{len(silent)} of {n_sounds} sounds could not be decoded and became silence ({_named(silent)})")
    if len(kept):
        parts.append(f"{len(kept)} of {n_sounds} sounds are damaged, what is sound was kept ({_named(kept)})")
    warnings.warn("; ".join(parts) + ".", AudioDecodeWarning, stacklevel=stacklevel + 1)


def _named(report):
    """Name the first few rows of a report."""
    names = [
        f"{row.audio or row.Index}: {row.reason}" + (f", {row.detail}" if row.detail else "")
        for row in report.head(N_NAMED).itertuples()
    ]
    rest = len(report) - len(names)
    return "; ".join(names) + (f"; and {rest} more" if rest else "")


def _source_name(source):
    if isinstance(source, (str, bytes)):
        return os.fsdecode(source)
    if hasattr(source, "__fspath__"):
        return str(source.__fspath__())
    return "<array>" if isinstance(source, tuple) or hasattr(source, "shape") else ""
