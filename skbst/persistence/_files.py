"""The files of a saved model: written, read, and checked before anything is built."""

import json
import math
import shutil
import zipfile

import numpy as np

from skbst.exceptions import UnsafeModelError

__all__ = ["FORMAT", "read_arrays", "read_content", "write_files"]

FORMAT = 2
# 1 had no references: what a model holds twice was written, and is loaded, as two
_READABLE = (1, 2)
_TENSOR_KINDS = "biuf"


def write_files(folder, content, arrays, card):
    """Write the four files of a model into `folder`.

    Parameters
    ----------
    folder : Path
        An empty folder.

    content : dict
        ``versions`` and ``model``, JSON values; the rest is added here.

    arrays : dict of str to ndarray
        What the model refers to.

    card : str
        Text of the model card.
    """
    from safetensors.numpy import save_file

    tensors = {key: array for key, array in arrays.items() if array.dtype.kind in _TENSOR_KINDS and array.ndim}
    others = {key: array for key, array in arrays.items() if key not in tensors}
    save_file(tensors, folder / "arrays.safetensors")
    np.savez(folder / "arrays.npz", **{f"a{i}": array for i, array in enumerate(others.values())})
    # safetensors hides its file from everyone else
    shutil.copymode(folder / "arrays.npz", folder / "arrays.safetensors")
    content = {"format": FORMAT, **content, "npz": {key: f"a{i}" for i, key in enumerate(others)}}
    (folder / "model.json").write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
    (folder / "README.md").write_text(card, encoding="utf-8")


def read_content(folder):
    """Read ``model.json`` and check its top level.

    Parameters
    ----------
    folder : Path
        Of a model.

    Returns
    -------
    content : dict
        With ``model``, any JSON value, and ``versions`` and ``npz``, dicts of str to str.

    Raises
    ------
    UnsafeModelError
        If the file is no JSON, of another format, or lacks a part.
    """
    path = folder / "model.json"
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise UnsafeModelError(f"{path} is damaged: {error}. Copy the model again, or save it anew.") from error
    if not isinstance(content, dict):
        raise UnsafeModelError(f"{path} must hold a JSON object; got {_kind(content)}. Pass what save_model wrote.")
    found = content.get("format")
    if type(found) is not int or found not in _READABLE:
        raise UnsafeModelError(
            f"{path} must be of format {' or '.join(map(str, _READABLE))}; got {str(found)[:40]}. "
            "Load it with the skbst that saved it and save it anew, or update skbst."
        )
    if "model" not in content:
        raise UnsafeModelError(f"{path} must hold a 'model'; got none. Copy the model again, or save it anew.")
    for name in ("versions", "npz"):
        _check_names(path, name, content.get(name))
    return content


def read_arrays(folder, names):
    """Read the arrays of a model.

    Parameters
    ----------
    folder : Path
        Of a model.

    names : dict of str to str
        For arrays in ``arrays.npz``: the key, and the name in the file.

    Returns
    -------
    arrays : dict of str to ndarray
        By key.

    Raises
    ------
    UnsafeModelError
        If a file is damaged, lacks an array, or holds pickles.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(folder / "arrays.safetensors")
        with np.load(folder / "arrays.npz", allow_pickle=False) as file:
            arrays.update({key: file[name] for key, name in names.items()})
    except (
        SafetensorError,
        zipfile.BadZipFile,
        ValueError,
        KeyError,
        OSError,
        EOFError,
        AttributeError,
        NotImplementedError,
    ) as error:
        raise UnsafeModelError(f"The arrays in {folder} are damaged or hold pickles: {error}.") from error
    return arrays


def _no_number(text):
    raise ValueError(f"{text} is not a JSON number")


def _finite(text):
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is larger than any float")
    return number


def _check_names(path, name, found):
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise UnsafeModelError(
            f"{name!r} in {path} must map names to text; got {_kind(found)}. Copy the model again, or save it anew."
        )


def _kind(value):
    return f"{type(value).__name__} {str(value)[:60]}"
