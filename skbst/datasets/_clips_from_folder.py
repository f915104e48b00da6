"""A table of clips from a plain folder of sounds."""

import os
from collections import Counter
from pathlib import Path

import pandas as pd

from skbst._sklearn import validate_params
from skbst.datasets._audio_files import is_audio_file
from skbst.exceptions import DataFormatError

__all__ = ["clips_from_folder"]


@validate_params({"folder": [str, os.PathLike], "recursive": ["boolean"]}, prefer_skip_nested_validation=True)
def clips_from_folder(folder, *, recursive=True):
    """List the sound files of a folder as clips, with their file names as titles.

    Parameters
    ----------
    folder : str or path-like
        The folder. Files that libsndfile has no reader for, and hidden files, are passed over.

    recursive : bool, default=True
        Whether to look into sub-folders.

    Returns
    -------
    data : DataFrame of shape (n_samples, 4)
        As ``load_bsd(...).data``. Index ``sound_id``: the path below `folder` with ``/``, such as
        "kit/snare.wav"; ``audio``: the full path; ``title``: the file name without its extension; ``tags`` and
        ``description`` empty. Sorted by ``sound_id``.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.

    DataFormatError
        If it holds no sound file.

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
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder. Pass the folder that holds the sound files.")
    files = [path for path in folder.glob("**/*" if recursive else "*") if path.is_file()]
    sounds = sorted(
        (path.relative_to(folder).as_posix(), path)
        for path in files
        if is_audio_file(path.name) and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not sounds:
        found = dict(Counter(path.suffix.lower() or "no extension" for path in files).most_common(5))
        raise DataFormatError(
            f"{folder}: no sound file found{'' if recursive else ' (sub-folders were not searched)'}; "
            f"{f'the files there are {found}' if files else 'it has no files'}. Convert sounds to wav or flac."
        )
    empty = [""] * len(sounds)
    columns = {
        "audio": [str(path) for _, path in sounds],
        "title": [path.stem for _, path in sounds],
        "tags": empty,
        "description": empty,
    }
    index = pd.Index([name for name, _ in sounds], dtype="str", name="sound_id")
    return pd.DataFrame(columns, index=index, dtype="str")
