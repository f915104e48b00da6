"""The model of a run, and what tells it from others."""

import hashlib
import os

import joblib

from skbst._paths import absolute_path, is_regular_file
from skbst.exceptions import DataFormatError
from skbst.library._problems import clip_readers, with_children
from skbst.persistence import load_model

__all__ = ["identity_of", "open_model"]


def open_model(model, *, method="predict_proba"):
    """Open a saved model, for answers; a fitted one is handed back.

    Parameters
    ----------
    model : classifier, str or path-like
        The model; a folder of `skbst.persistence.save_model`; or a file of joblib, which can run any code and must be
        trusted.

    method : str, default="predict_proba"
        What it must be able to do.

    Returns
    -------
    model : classifier
        One from disk draws no progress bars.

    Raises
    ------
    FileNotFoundError
        If there is nothing of that name.

    DataFormatError
        If it is no model, is damaged, or lacks the method.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skbst.library import open_model
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "model.joblib").write_bytes(b"")
    ...     open_model(Path(folder) / "model.joblib")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    skbst.exceptions.DataFormatError: ...model.joblib: no model could be read (EOFError). Pass a folder of ...
    """
    if isinstance(model, (str, os.PathLike)):
        model = _read(absolute_path(model))
        _quieten(model)
    if not hasattr(model, method):
        raise DataFormatError(
            f"{type(model).__name__} has no {method}, which is needed here. Pass a classifier that was fitted on "
            "clips (such as load_bsd(root).data)."
        )
    return model


def identity_of(model):
    """A text that changes with the content of a model, or of the files that it was saved in."""
    if not isinstance(model, (str, os.PathLike)):
        return _content_hash(model)
    path = absolute_path(model)
    _refuse_missing(path)
    return _content_of(path)


def _read(path):
    _refuse_missing(path)
    if path.is_dir():
        return load_model(path)
    try:
        return joblib.load(path)
    except Exception as error:  # damaged pickles raise whatever their bytes happen to say
        what = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise DataFormatError(
            f"{path}: no model could be read ({what}). Pass a folder of save_model, or a joblib file of a fitted "
            "classifier. This one is damaged, or needs a package that is not here."
        ) from error


def _refuse_missing(path):
    if not (path.is_dir() or is_regular_file(path)):
        raise FileNotFoundError(
            f"{path} does not exist as a model: pass a folder of save_model or of skbst train (skbst train DATA -o "
            "MODEL), or a joblib file."
        )


def _quieten(model):
    """A model that was trained with bars would draw one for each part; the library has its own."""
    for reader in clip_readers(model):
        for part in with_children(reader):
            if hasattr(part, "verbose"):
                part.verbose = 0


def _content_hash(model):
    """Hash of a model's content, which answers never change."""
    return joblib.hash(model)


def _content_of(path):
    files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for name in files:
        with open(name, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
