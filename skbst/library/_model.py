"""The model of a run, and what tells it from others."""

import hashlib
import os
from pathlib import Path

import joblib

from skbst.exceptions import DataFormatError
from skbst.library._problems import clip_readers, with_children
from skbst.persistence import load_model

__all__ = ["open_model"]


def open_model(model):
    """A fitted model and a text that changes with its content.

    Parameters
    ----------
    model : estimator, str or path-like
        The model; a folder of `save_model`; or a file of joblib, which can run any code and must be trusted.

    Returns
    -------
    model : estimator

    identity : str
    """
    if isinstance(model, (str, os.PathLike)):
        path = Path(model).expanduser()
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist. Pass a folder of save_model, or a joblib file.")
        identity = _content_of(path)
        model = load_model(path) if path.is_dir() else joblib.load(path)
        _quieten(model)
    else:
        identity = _content_hash(model)
    if not hasattr(model, "predict_proba"):
        raise DataFormatError(
            f"{type(model).__name__} has no predict_proba, which labelling needs. Pass a classifier that was fitted on "
            "clips (such as load_bsd(root).data)."
        )
    return model, identity


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
