"""What was wrong with which row, as it travels with the rows."""

import numpy as np
import pandas as pd

from skbst.exceptions import AudioDecodeError, DataFormatError

__all__ = ["check_problems", "join_reports", "problems_of_rows", "refuse_only_silence"]

_COLUMNS = ["position", "sound_id", "audio", "block", "reason", "silent", "detail"]


def join_reports(reports):
    """Put the reports of several blocks together.

    Parameters
    ----------
    reports : list of tuple (str, DataFrame)
        Name of a block, and what `skbst.audio.problem_report` made for it.

    Returns
    -------
    problems : DataFrame
        Columns as in `FeatureBundle.problems`, ordered by position; no record of a block twice.
    """
    seen, records = set(), []
    for block, report in reports:
        texts = [report[name].tolist() for name in ("audio", "reason", "silent", "detail")]
        for position, sound_id, *rest in zip(report["position"].tolist(), report.index.tolist(), *texts):
            audio, reason, silent, detail = rest
            if (position, block, reason, detail) not in seen:
                seen.add((position, block, reason, detail))
                records.append((position, sound_id, audio, block, reason, bool(silent), detail))
    return _table(sorted(records, key=lambda record: record[0]))


def check_problems(problems, n_rows):
    """Check the problems that a bundle of `n_rows` is given; None where there is none."""
    if problems is None or len(problems) == 0:
        return None
    absent = [name for name in _COLUMNS if name not in problems]
    if absent:
        raise DataFormatError(f"Problems have the columns {_COLUMNS}; {absent} are missing.")
    positions = problems["position"].to_numpy()
    if positions.min() < 0 or positions.max() >= n_rows:
        raise DataFormatError(f"Positions of problems must lie in [0, {n_rows}); got {positions.max()}.")
    return _table(list(zip(*(problems[name].tolist() for name in _COLUMNS))))


def problems_of_rows(problems, rows):
    """Problems of some rows, by their places among these; a row that is taken twice has its problems twice.

    Parameters
    ----------
    problems : DataFrame or None
        From `check_problems`.

    rows : ndarray of int or None
        The rows; None takes all.

    Returns
    -------
    problems : DataFrame
        A copy.
    """
    if problems is None:
        return _table([])
    if rows is None:
        return problems.copy()
    places = {}
    wanted = set(problems["position"].tolist())
    for place, row in enumerate(np.asarray(rows).tolist()):
        if row in wanted:
            places.setdefault(row, []).append(place)
    records = [
        (place, *record[1:])
        for record in problems.itertuples(index=False, name=None)
        for place in places.get(record[0], ())
    ]
    return _table(sorted(records, key=lambda record: record[0]))


def refuse_only_silence(report, n_rows):
    """Raise AudioDecodeError where each of the sounds that something is learnt from became silence.

    Parameters
    ----------
    report : DataFrame
        With columns ``position``, ``audio``, ``reason`` and ``silent``.

    n_rows : int
        How many sounds there are.
    """
    silent = report[report["silent"].astype(bool)]
    if n_rows == 0 or silent["position"].nunique() < n_rows:
        return
    first = silent.iloc[0]
    raise AudioDecodeError(
        f"None of the {n_rows} sounds to learn from can be read (first: {first['audio']}: {first['reason']}). Is the "
        "root or the working directory another one, or a disk not mounted? Absolute paths are the same everywhere."
    )


def _table(records):
    columns = list(zip(*records)) if records else [()] * len(_COLUMNS)
    kinds = {"position": np.int64, "silent": bool}
    table = {}
    for name, values in zip(_COLUMNS, columns):
        # filled one by one: ids that are tuples stay whole
        table[name] = np.empty(len(values), dtype=kinds.get(name, object))
        for row, value in enumerate(values):
            table[name][row] = value
        # pandas would make text of names, which those that are no UTF-8 cannot be
        table[name] = pd.Series(table[name], dtype=kinds.get(name, object))
    return pd.DataFrame(table)
