"""The clips of a library, part by part: from a folder, a manifest, a table or an iterator."""

import hashlib
import os
import warnings
from array import array
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from skbst._paths import absolute_path, open_regular, printable
from skbst._tables import as_text, check_double, check_spelling, id_text, iterate_rows
from skbst.datasets import clips_from_folder
from skbst.exceptions import DataFormatError
from skbst.library._input._parquet_rows import parquet_rows

__all__ = ["COLUMNS", "ClipSource", "open_clips"]

COLUMNS = ["audio", "title", "tags", "description"]
_PARQUET = (".parquet", ".pq")


class ClipSource:
    """Clips that can be read part by part.

    Parameters
    ----------
    records : callable
        Without arguments; gives an iterator over ``(sound_id, audio, title, tags, description)``.

    identity : str, default=""
        Which library it is: the absolute path of a folder or manifest; "" for tables and iterators.

    state : str, default=""
        Changes with the rows.

    n_clips : int, default=None
        Number of rows, where it is known.

    notes : sequence of str, default=()
        What a user should be told.
    """

    def __init__(self, records, *, identity="", state="", n_clips=None, notes=()):
        self.records, self.identity, self.state = records, identity, state
        self.n_clips, self.notes = n_clips, list(notes)

    def parts(self, rows):
        """Yield tables of at most `rows` clips, index ``sound_id``; no more than one is in memory."""
        records = iter(self.records())
        while chunk := list(islice(records, rows)):
            yield _as_table(chunk)

    def first_missing(self):
        """The first path that leads nowhere, if none of the paths leads to a file; else None."""
        first = None
        for record in self.records():
            path = record[1]
            if isinstance(path, str) and path:
                if os.path.exists(path):
                    return None
                first = first or path
            elif not isinstance(path, str):
                return None
        return first


def open_clips(clips):
    """Find out what was given as clips, and check it as far as that is possible before the first answer.

    Parameters
    ----------
    clips : str, path-like, DataFrame or iterable
        See `skbst.library.label_library`.

    Returns
    -------
    source : ClipSource

    Raises
    ------
    FileNotFoundError
        If a path does not exist.

    DataFormatError
        If a table is not as described; the message names file, line and column.
    """
    if isinstance(clips, pd.DataFrame):
        return _from_table(clips)
    if isinstance(clips, (str, os.PathLike)):
        path = absolute_path(clips)
        if path.is_dir():
            return _from_folder(path)
        if not path.is_file():
            what = "is neither a folder nor a regular file" if path.exists() else "does not exist"
            raise FileNotFoundError(f"{path} {what}. Pass a folder of sounds, or a manifest (CSV or Parquet).")
        return _from_manifest(path)
    if isinstance(clips, Iterable) and not isinstance(clips, (Mapping, bytes)):
        return ClipSource(lambda: _records_of(clips))
    raise TypeError(f"clips must be a folder, a manifest, a DataFrame or an iterable of clips; got {type(clips)}.")


def _from_folder(folder):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        table = clips_from_folder(folder)
    notes = [str(warning.message) for warning in told]
    return _from_table(table, identity=str(folder), notes=notes)


def _from_table(table, *, identity="", notes=()):
    records = list(_rows_of(table, "clips"))
    if not records:
        raise DataFormatError("clips: the table has no rows.")
    _check_ids("clips", (record[0] for record in records), lambda: enumerate(r[0] for r in records))
    state = hashlib.sha256(repr([tuple(map(_state_of, record)) for record in records]).encode("utf-8", "replace"))
    return ClipSource(
        lambda: iter(records), identity=identity, state=state.hexdigest(), n_clips=len(records), notes=notes
    )


def _state_of(value):
    return value if isinstance(value, str) else type(value).__name__


def _from_manifest(path):
    read = parquet_rows if path.suffix.lower() in _PARQUET else iterate_rows

    def ids():
        return ((line, record[0]) for line, record in _manifest_records(path, read))

    n_clips = _check_ids(path, (sound_id for _, sound_id in ids()), ids)
    with open_regular(path) as file:
        state = hashlib.file_digest(file, "sha256").hexdigest()
    return ClipSource(
        lambda: (record for _, record in _manifest_records(path, read)),
        identity=str(path),
        state=state,
        n_clips=n_clips,
    )


def _manifest_records(path, read):
    """Line and record of each row; paths are taken from the folder of the manifest."""
    rows = read(path)
    _, header = next(rows)
    check_double(path, header)
    check_spelling(path, header, ["sound_id", *COLUMNS])
    missing = [name for name in ("sound_id", "audio") if name not in header]
    if missing:
        raise DataFormatError(f"{path}: column(s) {missing} are missing; found {header}.")
    places = [header.index(name) if name in header else None for name in ["sound_id", *COLUMNS]]
    for line, row in rows:
        sound_id, audio, *texts = ("" if place is None else row[place] for place in places)
        audio = audio.strip()
        audio = os.path.normpath(path.parent / Path(audio).expanduser()) if audio else ""
        yield line, (sound_id.strip(), audio, *texts)


def _check_ids(where, ids, again):
    """Count the ids and refuse empty and double ones; holds eight bytes for each."""
    hashes = array("q")
    for sound_id in ids:
        hashes.append(hash(sound_id))
        if sound_id == "":
            line = next(line for line, found in again() if found == "")
            raise DataFormatError(f"{where}, line {line}, column 'sound_id': the row has no id. Give each an id.")
    values, counts = np.unique(np.frombuffer(hashes, dtype=np.int64), return_counts=True)
    suspects = set(values[counts > 1].tolist())
    if suspects:
        seen = {}
        for line, sound_id in again():
            if hash(sound_id) in suspects and seen.setdefault(sound_id, line) != line:
                raise DataFormatError(
                    f"{where}, column 'sound_id': {sound_id!r} stands more than once (lines {[seen[sound_id], line]}). "
                    "Each sound has one row."
                )
    return len(hashes)


def _records_of(clips):
    """Records of an iterable of tables, or of mappings with a sound_id each."""
    for row, item in enumerate(clips):
        if isinstance(item, pd.DataFrame):
            yield from _rows_of(item, "clips")
        elif isinstance(item, Mapping):
            if "sound_id" not in item:
                raise DataFormatError(f"clips, item {row}: key 'sound_id' is missing; found {list(item)}.")
            check_spelling("clips", list(item), COLUMNS)
            yield (
                id_text(item["sound_id"]),
                _as_audio(item.get("audio", "")),
                *(as_text(item.get(name)) for name in COLUMNS[1:]),
            )
        else:
            raise DataFormatError(
                f"clips, item {row}: expected a DataFrame of clips or a mapping with sound_id, audio, title, tags and "
                f"description; got {type(item).__name__}."
            )


def _rows_of(table, where):
    names = [str(name) for name in table.columns]
    check_double(where, [name for name in names if name in ("sound_id", *COLUMNS)])
    check_spelling(where, names, ["sound_id", *COLUMNS])
    if not {*COLUMNS} & {*table.columns}:
        raise DataFormatError(f"{where}: none of the columns {COLUMNS} is there; found {list(table.columns)[:8]}.")
    ids = table.get("sound_id", table.index)
    columns = [table[name] if name in table else [""] * len(table) for name in COLUMNS]
    for sound_id, audio, *texts in zip(ids, *columns):
        yield (id_text(sound_id), _as_audio(audio), *map(as_text, texts))


def _as_audio(audio):
    if isinstance(audio, (str, os.PathLike)):
        audio = os.fspath(audio)
        return os.path.abspath(os.path.expanduser(audio)) if audio else ""
    return audio if isinstance(audio, (tuple, np.ndarray)) else as_text(audio)


def _as_table(records):
    sound_ids, *columns = zip(*records)
    sound_ids = [printable(sound_id) for sound_id in sound_ids]
    if len(set(sound_ids)) != len(sound_ids):
        double = next(name for name in sound_ids if sound_ids.count(name) > 1)
        raise DataFormatError(f"clips: {double!r} stands more than once. Each sound has one row.")
    # a path may be a waveform, or hold bytes that are no UTF-8; text columns of pandas hold neither
    audio = {"audio": pd.Series(columns[0], dtype=_dtype(columns[0]))}
    texts = {
        name: pd.Series([printable(cell) for cell in cells], dtype="str")
        for name, cells in zip(COLUMNS[1:], columns[1:])
    }
    return pd.DataFrame(audio | texts).set_index(pd.Index(sound_ids, dtype="str", name="sound_id"))


def _dtype(values):
    return "str" if all(isinstance(value, str) and _is_utf8(value) for value in values) else object


def _is_utf8(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
