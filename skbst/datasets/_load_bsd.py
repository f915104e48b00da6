"""Load a Broad Sound Dataset from a folder."""

import os
import warnings
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skbst._sklearn import Interval, StrOptions, validate_params
from skbst._vectors import EMBEDDING_FOLDERS, read_embeddings
from skbst.datasets._corrections import check_new_labels, correct_labels
from skbst.datasets._folder._audio_files import AudioFolder
from skbst.datasets._folder._find_taxonomy import find_taxonomy
from skbst.datasets._folder._layout import find_layout, find_subfolder
from skbst.datasets._read_metadata import read_metadata
from skbst.datasets._select_rows import RowSelection
from skbst.exceptions import DataFormatError
from skbst.taxonomy import Taxonomy

__all__ = ["CONSTRAINTS", "load_bsd"]


#: What each parameter of `load_bsd` may be.
CONSTRAINTS = {
    "root": [str, os.PathLike],
    "return_X_y": ["boolean"],
    "min_confidence": [None, Interval(Real, 1, 5, closed="both")],
    "commercial_use": ["boolean"],
    "include_other": ["boolean"],
    "labelled": [None, "boolean"],
    "load_embeddings": ["boolean"],
    "on_missing_audio": [StrOptions({"warn", "ignore", "drop", "raise"})],
    "on_missing_embedding": [StrOptions({"raise", "nan", "drop"})],
    "taxonomy": [None, Taxonomy],
    "metadata_file": [None, str, os.PathLike],
    "predicted_column": [None, str],
    "corrections": [None, str, os.PathLike, pd.DataFrame],
}


@validate_params(CONSTRAINTS, prefer_skip_nested_validation=True)
def load_bsd(
    root,
    *,
    return_X_y=False,
    min_confidence=None,
    commercial_use=False,
    include_other=False,
    labelled=None,
    load_embeddings=True,
    on_missing_audio="warn",
    on_missing_embedding="raise",
    taxonomy=None,
    metadata_file=None,
    predicted_column=None,
    corrections=None,
):
    """Load a folder in the layout of the Broad Sound Datasets (BSD10k, BSD35k-CS, BSD2k).

    The folder holds ``metadata/*_metadata.csv`` (or the CSV itself) and, each optional, ``audio/{sound_id}.*`` (or the
    sounds themselves), ``metadata/BST_description.csv``, ``features/clap_audio_embeddings/{sound_id}.npy`` and
    ``features/clap_text_embeddings/{sound_id}.npy``. No sound is decoded here.

    Rows stay in the order of the file, on which the official folds depend. No row disappears silently: those
    that are not used stand in ``left_out`` with the reason.

    Parameters
    ----------
    root : str or path-like
        The folder.

    return_X_y : bool, default=False
        Return ``(data, target)`` instead of the Bunch.

    min_confidence : float in [1, 5], default=None
        Keep rows whose annotator's ``confidence`` is at least this; rows without a score are left out.

    commercial_use : bool, default=False
        Keep only rows whose licence allows commercial use and derived works: CC0, the public domain mark, BY
        and BY-SA. BY-NC, Sampling+ and licences that are not known are left out. A help, not legal advice.

    include_other : bool, default=False
        Keep rows of the five ``*-other`` classes; the taxonomy then has those leaves. The challenge leaves
        them out.

    labelled : bool, default=None
        Whether the ``class`` column is wanted. None: yes, except for tables with ``anonymous_id`` and no
        ``class`` column (BSD2k).

    load_embeddings : bool, default=True
        Whether to read the precomputed CLAP embeddings of the folder, where it has some.

    on_missing_audio : {"warn", "ignore", "drop", "raise"}, default="warn"
        What to do about rows without a sound file. "warn" and "ignore" keep them, with an empty ``audio``.

    on_missing_embedding : {"raise", "nan", "drop"}, default="raise"
        What to do about rows that lack an embedding that others have. "nan" keeps them with NaN.

    taxonomy : Taxonomy, default=None
        The tree of classes; None reads the taxonomy table of the folder, else takes BST.

    metadata_file : str or path-like, default=None
        The metadata table, relative to `root`, where there are several.

    predicted_column : str, default=None
        Column that says which labels are a machine's and no person's (1, true, yes or predicted; 0, false, no, user or
        empty): those rows are left out. Meant for data packs of Freesound, whose ``bst_category`` holds both.

    corrections : str, path-like or DataFrame of shape (n_corrections, ...), default=None
        Labels to correct, in this order, without touching the released table: a CSV file or table with the columns
        ``sound_id`` (or ``id``), ``from``, ``to`` and optionally ``who``, ``when``, ``why``, such as the log of
        `skbst.curation.apply_review`. All other labels stay.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_samples, 4)
            Index ``sound_id``; columns ``audio`` (path, "" where missing), ``title``, ``tags`` (separated by
            commas), ``description``; all text, never NaN.
        target : Series of shape (n_samples,) or None
            Class codes such as "fx-a"; None without labels.
        groups : Series of shape (n_samples,) or None
            Who uploaded each clip, missing where the table does not say; None for a table without the column. Pass it
            on as ``groups=`` to every ``fit``: clips of one uploader are alike, and those of nobody are nobody's.
        metadata : DataFrame
            All columns of the table for the same rows.
        left_out : DataFrame
            The rows that are not used: all columns, the ``line`` of the file and the ``reason``.
        taxonomy : Taxonomy
            The tree.
        embeddings : dict of str to ndarray of shape (n_samples, n_features), float32
            "clap_audio" and "clap_text", where the folder has them.
        corrections : DataFrame of shape (n_corrections, 6) or None
            What was corrected: ``sound_id``, ``from``, ``to``, ``who``, ``when``, ``why``.
        root : Path
            The folder.
        DESCR : str
            What was loaded, in words.

    (data, target) : tuple
        If ``return_X_y=True``.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.

    DataFormatError
        If a table or an embedding is not as described; the message names file, line and column. If corrections are
        about sounds, labels or classes that are not there.

    Warns
    -----
    UserWarning
        About what is odd. A table with ``bst_category`` in place of ``class`` is read, with a warning: the labels of a
        Freesound data pack may be Freesound's own predictions.

    Notes
    -----
    ``class`` is the key. ``class_idx`` (0 to 22 in v1.0, three digits since v1.2) and ``class_top`` are never
    used; where they contradict ``class``, a warning says so. Blank cells contradict nothing.

    References
    ----------
    P. Anastasopoulou, J. Torrey, X. Serra and F. Font, "Heterogeneous sound classification with the Broad
    Sound Taxonomy and Dataset", DCASE Workshop, 2024.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skbst.datasets import load_bsd
    >>> with tempfile.TemporaryDirectory() as root:
    ...     lines = ["sound_id,class,title,tags", "7,fx-a,Barking,dog", "9,ss-n,Forest,birds"]
    ...     _ = (Path(root) / "my_metadata.csv").write_text("\\n".join(lines))
    ...     bunch = load_bsd(root, on_missing_audio="ignore")
    >>> bunch.data["title"].tolist()
    ['Barking', 'Forest']
    >>> bunch.target.to_dict()
    {'7': 'fx-a', '9': 'ss-n'}
    """
    layout = find_layout(root, metadata_file=metadata_file)
    metadata, lines, labelled, notes = read_metadata(
        layout.metadata_csv, labelled=labelled, told=predicted_column is not None
    )
    if return_X_y and not labelled:
        raise DataFormatError(f"{layout.metadata_csv} has no labels; return_X_y=True needs them. Use the Bunch's data.")
    log = None
    if corrections is not None:
        if not labelled:
            raise DataFormatError(f"{layout.metadata_csv} has no labels that corrections could correct.")
        metadata, log = correct_labels(metadata, corrections, csv=layout.metadata_csv)
    if taxonomy is None:
        labels = metadata["class"].unique() if labelled else ()
        taxonomy = find_taxonomy(layout, labels=labels, include_other=include_other)
    if log is not None:
        check_new_labels(log, taxonomy)
    rows = RowSelection(layout.metadata_csv, metadata, lines)
    rows.notes += notes
    if predicted_column is not None:
        rows.by_hand(predicted_column)
    if labelled:
        rows.by_class(taxonomy, include_other=include_other)
    if min_confidence is not None:
        rows.by_confidence(min_confidence)
    if commercial_use:
        rows.by_license()
    audio = _find_audio(rows, layout, on_missing_audio)
    embeddings = _load_embeddings(rows, layout, on_missing_embedding) if load_embeddings else {}
    if not rows.kept.any():
        raise DataFormatError(f"{layout.metadata_csv}: no row is left of {len(metadata)}; reasons: {rows.summary()}.")
    for note in rows.notes:
        warnings.warn(note, UserWarning, stacklevel=3)
    bunch = _as_bunch(rows, layout, taxonomy, labelled, audio, embeddings, log)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _find_audio(rows, layout, on_missing):
    """Path of each row's sound, "" where there is none."""
    folder = AudioFolder(layout.audio_dir)
    audio = np.array([folder.find(sound_id) for sound_id in rows.metadata.index], dtype=object)
    missing = (audio == "") & rows.kept
    if not missing.any() or on_missing == "ignore":
        return audio
    if layout.audio_dir is None:
        folders = sorted(path.name for path in layout.root.iterdir() if path.is_dir())
        what = (
            f"{layout.root} has no folder audio/ (its folders: {folders[:5]}) and no sounds beside the table: the "
            "column 'audio' is empty, only text can be used"
        )
    else:
        first = rows.metadata.index[missing][0]
        what = (
            f"{layout.audio_dir}: {int(missing.sum())} of {int(rows.kept.sum())} sounds have no file (first: {first})"
        )
        if folder.n_unreadable:
            what += f"; {folder.n_unreadable} file(s) are in formats that libsndfile does not read (m4a, webm, ...)"
    if on_missing == "raise":
        raise DataFormatError(f"{what}. Pass on_missing_audio='warn', 'ignore' or 'drop' to load the rest.")
    if on_missing == "drop":
        rows.leave_out(missing, "no sound file")
    else:
        rows.notes.append(f"{what}. Pass on_missing_audio='ignore' if that is meant.")
    return audio


def _load_embeddings(rows, layout, on_missing):
    """Arrays over all rows of the table; those that are left out are NaN."""
    embeddings = {}
    for name, folder_name in EMBEDDING_FOLDERS.items():
        folder = None if layout.features_dir is None else find_subfolder(layout.features_dir, folder_name)
        if folder is None or not rows.kept.any():
            continue
        kept = np.flatnonzero(rows.kept)
        ids = rows.metadata.index[kept]
        values, missing = read_embeddings(folder, ids)
        if missing.any() and on_missing == "raise":
            raise DataFormatError(
                f"{folder}: {int(missing.sum())} of {len(ids)} sounds have no embedding (first: {ids[missing][0]}). "
                "Pass on_missing_embedding='nan' or 'drop', or load_embeddings=False."
            )
        block = np.full((len(rows.metadata), values.shape[1]), np.nan, dtype=np.float32)
        block[kept] = values
        embeddings[name] = block
        rows.notes += _norm_notes(folder, name, values[~missing])
        if missing.any():
            gone = np.zeros(len(rows.metadata), dtype=bool)
            gone[kept[missing]] = True
            if on_missing == "drop":
                rows.leave_out(gone, f"no {name} embedding")
            else:
                rows.notes.append(
                    f"{folder}: {int(missing.sum())} of {len(ids)} sounds have no embedding; they are NaN."
                )
    return embeddings


def _norm_notes(folder, name, values):
    """CLAP vectors are shipped with norm 1; another norm means another model or a failed extraction."""
    norms = np.linalg.norm(values, axis=1)
    zero = norms == 0
    if zero.any():
        return [f"{folder}: {int(zero.sum())} of {len(norms)} embeddings are all zeros."]
    if name == "clap_audio" and (np.abs(norms - 1) > 0.01).any():
        return [
            f"{folder}: the L2 norms of the embeddings run from {norms.min():.3g} to {norms.max():.3g}; the released "
            "ones have norm 1."
        ]
    return []


def _as_bunch(rows, layout, taxonomy, labelled, audio, embeddings, log):
    kept = rows.kept
    metadata = rows.metadata.loc[kept]
    data = metadata[["title", "tags", "description"]].copy()
    data.insert(0, "audio", pd.array(audio[kept].tolist(), dtype="str"))
    target = metadata["class"] if labelled else None
    left_out = rows.left_out()
    return Bunch(
        data=data,
        target=target,
        groups=_groups(metadata),
        metadata=metadata,
        left_out=left_out,
        taxonomy=taxonomy,
        embeddings={name: block[kept] for name, block in embeddings.items()},
        corrections=log,
        root=layout.root,
        DESCR=_describe(layout, data, target, embeddings, rows.summary(), log),
    )


def _groups(metadata):
    """Uploader of each row; an empty cell is nobody."""
    if "uploader" not in metadata:
        return None
    names = metadata["uploader"].astype("str").str.strip()
    return names.where(names != "").rename("groups")


def _describe(layout, data, target, embeddings, left_out, log):
    parts = [f"{layout.metadata_csv.name} of {layout.root}: {len(data)} sounds"]
    if target is not None:
        parts.append(f"{target.nunique()} classes")
    parts.append(f"{int((data['audio'] != '').sum())} with a sound file")
    parts.append(f"{int((data['title'] + data['tags'] + data['description'] != '').sum())} with text")
    parts += [f"{name} {block.shape[1]}-d" for name, block in embeddings.items()]
    lines = [", ".join(parts) + "."]
    lines += [] if log is None else [f"Labels corrected: {log['sound_id'].nunique()}."]
    lines += [f"Left out: {count} ({reason})." for reason, count in left_out.items()]
    return "\n".join(lines)
