"""Writing a model to a folder and reading it back."""

import json
import os
import platform
import shutil
import tempfile
import warnings
import zipfile
from importlib import metadata
from pathlib import Path

import numpy as np

from skbst._version import __version__
from skbst.exceptions import UnsafeModelError, VersionMismatchWarning
from skbst.persistence._card import model_card
from skbst.persistence._decode import Decoder
from skbst.persistence._encode import Encoder

__all__ = ["load_model", "save_model"]

_FORMAT = 1
_LIBRARIES = ("scikit-learn", "torch", "numpy", "skorch")
_TENSOR_KINDS = "biuf"


def save_model(model, folder, *, notes="", overwrite=False):
    """Write a fitted model to a folder, without pickle.

    The folder holds ``model.json`` (parameters and structure), ``arrays.safetensors`` (numbers), ``arrays.npz``
    (text arrays, no pickles) and ``README.md`` (a model card). It appears whole or not at all.

    Parameters
    ----------
    model : estimator
        A fitted estimator built of classes of skbst and scikit-learn alone.

    folder : str or path-like
        Where to write.

    notes : str, default=""
        Words for the model card: data, licence, intended use, scores.

    overwrite : bool, default=False
        Whether an existing model may be replaced.

    Returns
    -------
    folder : Path

    Raises
    ------
    UnsafeModelError
        If the model holds something that the format cannot store, such as a function or a class of yours.
    FileExistsError
        If the folder exists and `overwrite` is false, or it is no saved model.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbst.persistence import load_model, save_model
    >>> model = LogisticRegression().fit([[0.0], [1.0]], ["fx-a", "m-sp"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load_model(save_model(model, f"{folder}/model")).predict([[0.9]])
    array(['m-sp'], dtype='<U4')
    """
    folder = Path(folder)
    if folder.exists() and not (overwrite and (folder / "model.json").exists()):
        reason = "it is not a saved model" if overwrite else "pass overwrite=True to replace it"
        raise FileExistsError(f"{folder} exists; {reason}.")
    encoder = Encoder()
    versions = _versions()
    content = {"format": _FORMAT, "versions": versions, "model": encoder.encode(model)}
    card = model_card(model, versions, notes=notes, n_values=sum(array.size for array in encoder.arrays.values()))
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(scratch, content, encoder.arrays, card)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(scratch, folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return folder


def load_model(folder):
    """Read a model that `save_model` wrote.

    Nothing but estimators of skbst and scikit-learn and a short list of their helpers is built; no code of the
    file runs.

    Parameters
    ----------
    folder : str or path-like
        What `save_model` returned.

    Returns
    -------
    model : estimator
        The fitted model.

    Raises
    ------
    UnsafeModelError
        If the files are damaged or ask for anything that may not be built.
    FileNotFoundError
        If there is no model.

    Warns
    -----
    VersionMismatchWarning
        If the model was saved by other versions of skbst, scikit-learn, torch, numpy or skorch.
    """
    folder = Path(folder)
    if not (folder / "model.json").exists():
        raise FileNotFoundError(f"{folder} holds no model.json; pass the folder that save_model wrote.")
    try:
        content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UnsafeModelError(f"{folder / 'model.json'} is damaged: {error}.") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise UnsafeModelError(f"{folder / 'model.json'} is of an unknown format; this version reads format {_FORMAT}.")
    _compare_versions(content.get("versions", {}))
    try:
        return Decoder(_read_arrays(folder)).decode(content["model"])
    except RecursionError as error:
        raise UnsafeModelError(f"{folder / 'model.json'} is nested too deeply.") from error


def _write(folder, content, arrays, card):
    from safetensors.numpy import save_file

    tensors = {key: array for key, array in arrays.items() if array.dtype.kind in _TENSOR_KINDS and array.ndim}
    others = {key: array for key, array in arrays.items() if key not in tensors}
    save_file(tensors, folder / "arrays.safetensors")
    np.savez(folder / "arrays.npz", **{f"a{i}": array for i, array in enumerate(others.values())})
    content["npz"] = {key: f"a{i}" for i, key in enumerate(others)}
    (folder / "model.json").write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
    (folder / "README.md").write_text(card, encoding="utf-8")


def _read_arrays(folder):
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(folder / "arrays.safetensors")
        names = json.loads((folder / "model.json").read_text(encoding="utf-8")).get("npz", {})
        with np.load(folder / "arrays.npz", allow_pickle=False) as file:
            arrays.update({key: file[name] for key, name in names.items()})
    except (SafetensorError, zipfile.BadZipFile, ValueError, KeyError, OSError, EOFError, AttributeError) as error:
        raise UnsafeModelError(f"The arrays in {folder} are damaged or hold pickles: {error}.") from error
    return arrays


def _versions():
    found = {"skbst": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _compare_versions(saved):
    here = _versions()
    changed = [
        f"{name} {version} (here {here.get(name, 'missing')})"
        for name, version in saved.items()
        if name != "python" and version != here.get(name)
    ]
    if changed:
        warnings.warn(
            f"The model was saved with {', '.join(changed)}; its answers may differ. Compare before you rely on it.",
            VersionMismatchWarning,
            stacklevel=3,
        )
