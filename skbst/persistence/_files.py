"""The files of a saved model: written, read, and checked before anything is built."""

import hashlib
import json
import math
import shutil
import stat
import zipfile

import numpy as np

from skbst.exceptions import UnsafeModelError

__all__ = ["FORMAT", "check_files", "read_arrays", "read_content", "write_files"]

# of what is written; raised when an older skbst could not read it
FORMAT = 3
# 1 had no references: what a model holds twice was written, and is loaded, as two. 2 had no checksums.
_READABLE = (1, 2, 3)
_CHECKED = ("model.json", "arrays.safetensors", "arrays.npz")
_CHECKSUMS = "checksums.json"
_TENSOR_KINDS = "biuf"


def write_files(folder, content, arrays, card):
    """Write the five files of a model into `folder`.

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

    Raises
    ------
    OSError
        If a file cannot be written whole: no space, no right to.
    """
    tensors = {key: array for key, array in arrays.items() if array.dtype.kind in _TENSOR_KINDS and array.ndim}
    others = {key: array for key, array in arrays.items() if key not in tensors}
    _write_tensors(tensors, folder / "arrays.safetensors")
    np.savez(folder / "arrays.npz", **{f"a{i}": array for i, array in enumerate(others.values())})
    # safetensors hides its file from everyone else
    shutil.copymode(folder / "arrays.npz", folder / "arrays.safetensors")
    content = {"format": FORMAT, **content, "npz": {key: f"a{i}" for i, key in enumerate(others)}}
    (folder / "model.json").write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
    (folder / "README.md").write_text(card, encoding="utf-8")
    # the card is left out: its words are for people, who may add to them
    checksums = {name: _checksum(folder / name) for name in _CHECKED}
    (folder / _CHECKSUMS).write_text(json.dumps(checksums, indent=1), encoding="utf-8")


def _write_tensors(tensors, path):
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file(tensors, path)
    except SafetensorError as error:  # a full disk is no fault of the model, and callers look for OSError
        raise OSError(f"cannot write {path}: {error}") from error


def check_files(folder, found_format):
    """Compare the files of a model with their checksums.

    Parameters
    ----------
    folder : Path
        Of a model.

    found_format : int
        Format of its ``model.json``; 1 and 2 had no checksums.

    Raises
    ------
    UnsafeModelError
        If a file is not the one that was saved, or there are no checksums where there must be some.
    """
    path = folder / _CHECKSUMS
    if not path.exists() and found_format < 3:
        return
    saved = _read_json(path)
    if not isinstance(saved, dict):
        raise UnsafeModelError(f"{path} must map files to their checksums; got {_kind(saved)}.")
    changed = [name for name in _CHECKED if saved.get(name) != _checksum(folder / name)]
    if changed:
        raise UnsafeModelError(
            f"{', '.join(changed)} in {folder} {'is' if len(changed) == 1 else 'are'} damaged or not what save_model "
            "wrote (the checksum differs). Copy the whole folder again, or save the model anew."
        )


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
    content = _read_json(path)
    if not isinstance(content, dict):
        raise UnsafeModelError(f"{path} must hold a JSON object; got {_kind(content)}. Pass what save_model wrote.")
    found = content.get("format")
    if type(found) is not int or found not in _READABLE:
        raise UnsafeModelError(
            f"{path} must be of format {_READABLE[0]} to {_READABLE[-1]}; got {str(found)[:40]}. "
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
    from safetensors.numpy import load_file

    for name in _CHECKED:
        _check_regular(folder / name)
    try:
        arrays = load_file(folder / "arrays.safetensors")
        arrays.update(_read_npz(folder / "arrays.npz", names))
    except Exception as error:  # zlib, tokenize, struct and numpy each have errors of their own for damaged bytes
        raise UnsafeModelError(f"The arrays in {folder} are damaged or hold pickles: {error}.") from error
    return arrays


def _read_npz(path, names):
    """Arrays of a file of numpy, by key; each is as long in the file as it says, so that none can fill the memory."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for key, name in names.items():
            entry = archive.getinfo(f"{name}.npy")
            if entry.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{name} is compressed, which save_model never does")
            with archive.open(entry) as file:
                shape, dtype = _read_header(file)
                if dtype.hasobject:
                    raise ValueError(f"{name} holds pickles")
                size = math.prod(shape) * dtype.itemsize
                if size != entry.file_size - file.tell():
                    raise ValueError(f"{name} says {size:,} bytes and holds {entry.file_size - file.tell():,}")
                file.seek(0)
                arrays[key] = np.lib.format.read_array(file, allow_pickle=False)
    return arrays


def _read_header(file):
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"an array of version {version}")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _read_json(path):
    _check_regular(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnsafeModelError(f"{path} is damaged: {error}. Copy the model again, or save it anew.") from error


def _check_regular(path):
    """Refuse what is no file before it is opened: a named pipe would be waited for, a device never ends."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UnsafeModelError(
            f"The files in {path.parent} are damaged: {error}. Copy the whole folder again."
        ) from error
    if not stat.S_ISREG(mode):
        raise UnsafeModelError(f"{path} is no regular file. Copy the model again, or save it anew.")


def _checksum(path):
    _check_regular(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
