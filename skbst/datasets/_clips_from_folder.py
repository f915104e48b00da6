"""A table of clips from a plain folder of sounds."""

import os
import unicodedata
import warnings
from pathlib import Path

import pandas as pd

from skbst._paths import absolute_path, printable
from skbst._sklearn import validate_params
from skbst.datasets._folder._list_sounds import list_sounds
from skbst.exceptions import DataFormatError

__all__ = ["clips_from_folder"]


@validate_params({"folder": [str, os.PathLike], "recursive": ["boolean"]}, prefer_skip_nested_validation=True)
def clips_from_folder(folder, *, recursive=True):
    """List the sound files of a folder as clips, with their file names as titles.

    Parameters
    ----------
    folder : str or path-like
        The folder. Linked folders are followed. Files without an extension are sounds if they begin as one. Hidden
        files, and files that are no sounds, are passed over.

    recursive : bool, default=True
        Whether to look into sub-folders.

    Returns
    -------
    data : DataFrame of shape (n_samples, 4)
        As ``load_bsd(...).data``. Index ``sound_id``: the path below `folder` with ``/``, such as
        "kit/snare.wav"; ``audio``: the absolute path; ``title``: the file name without its extension; ``tags`` and
        ``description`` empty. Sorted by ``sound_id``. Bytes of a name that are no UTF-8 are written as ``\\xe9`` in the
        id and the title; the path keeps them. If two ids were the same by that, each backslash of a name is doubled in
        the ids.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.

    DataFormatError
        If it holds no sound file.

    Warns
    -----
    UserWarning
        If something was passed over that may be sound: formats that libsndfile has no reader for (m4a, webm, wma),
        folders that cannot be read, broken links, pipes; with numbers and the first names.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skbst.datasets import clips_from_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "dog_bark.wav").write_bytes(b"")
    ...     clips_from_folder(folder)["title"].to_dict()
    {'dog_bark.wav': 'dog_bark'}
    """
    folder = absolute_path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder. Pass the folder that holds the sound files.")
    listing = list_sounds(os.fspath(folder), recursive=recursive)
    told = listing.in_words()
    if not listing.sounds:
        found = f"the files there are {dict(listing.others.most_common(5))}" if listing.others else "it has no files"
        raise DataFormatError(
            f"{folder}: no sound file found{'' if recursive else ' (sub-folders were not searched)'}; "
            f"{found}{f'; passed over: {told}' if told else ''}. "
            "Convert sounds to wav or flac."
        )
    if told:
        warnings.warn(f"{folder}: passed over {told}. Convert, link or unlock them if they belong.", stacklevel=3)
    return _as_table(folder, listing.sounds)


def _as_table(folder, names):
    paths = [os.path.join(folder, name) for name in names]
    ids = [_plain(name) for name in names]
    if len(set(ids)) != len(ids):  # two spellings of one name side by side
        ids = [printable(name) for name in names]
    if len(set(ids)) != len(ids):  # a byte that is written out, beside a name in which just that is written
        ids = [printable(name.replace("\\", "\\\\")) for name in names]
    # a path with bytes that are no UTF-8 leads to its file only as it is; text columns of pandas cannot hold it
    held = all(printable(path) == path for path in paths)
    columns = {
        "audio": pd.Series(paths, dtype="str" if held else object),
        "title": pd.Series([_plain(Path(name).stem) for name in names], dtype="str"),
        "tags": pd.Series([""] * len(names), dtype="str"),
        "description": pd.Series([""] * len(names), dtype="str"),
    }
    return pd.DataFrame(columns).set_index(pd.Index(ids, dtype="str", name="sound_id"))


def _plain(name):
    """A name as text: accents in one spelling, bytes that are no UTF-8 written out."""
    return unicodedata.normalize("NFC", printable(name))
