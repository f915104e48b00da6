"""Writing a model to a folder and reading it back."""

import platform
import warnings
from importlib import metadata

from sklearn.base import BaseEstimator

from skbst._files import bring_back, put_in_place, scratch_folder
from skbst._paths import absolute_path
from skbst._version import __version__
from skbst.exceptions import UnsafeModelError, VersionMismatchWarning
from skbst.persistence._card import model_card
from skbst.persistence._decode import Decoder
from skbst.persistence._encode import Encoder
from skbst.persistence._files import check_files, read_arrays, read_content, write_files
from skbst.persistence._folder import find_model, is_model

__all__ = ["load_model", "save_model"]

_LIBRARIES = ("scikit-learn", "torch", "numpy", "skorch")


def save_model(model, folder, *, notes="", overwrite=False):
    """Write a fitted model to a folder, without pickle.

    The folder holds ``model.json`` (parameters and structure), ``arrays.safetensors`` (numbers), ``arrays.npz``
    (text arrays, no pickles), ``checksums.json`` (SHA-256 of these three) and ``README.md`` (a model card). It appears
    whole or not at all. Folders that parts keep things in (``store=``) belong to a machine and are left out.

    Parameters
    ----------
    model : estimator
        A fitted estimator built of classes of skbst and scikit-learn alone.

    folder : str or path-like
        Where to write.

    notes : str, default=""
        Words for the model card: data, licence, intended use, scores.

    overwrite : bool, default=False
        Whether an existing model may be replaced. The old one is deleted once the new one stands in its place;
        `load_model` finds the old or the new one whenever the process is killed.

    Returns
    -------
    folder : Path

    Raises
    ------
    UnsafeModelError
        If the model is no estimator, or holds something that the format cannot store, such as a function or a class
        of yours.
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
    folder = absolute_path(folder)
    # a link stays a link: the model that it points to is replaced
    place = folder.resolve()
    _check_estimator(model, "save_model takes")
    bring_back(place, is_model)
    if place.exists() and not (overwrite and is_model(place)):
        reason = "it is not a saved model" if overwrite else "pass overwrite=True to replace it"
        raise FileExistsError(f"{folder} exists; {reason}.")
    encoder = Encoder()
    versions = _versions()
    content = {"versions": versions, "model": encoder.encode(model)}
    card = model_card(model, versions, notes=notes, n_values=sum(array.size for array in encoder.arrays.values()))
    with scratch_folder(place) as scratch:
        write_files(scratch, content, encoder.arrays, card)
        put_in_place(scratch, place, is_model)
    return folder


def load_model(folder):
    """Read a model that `save_model` wrote.

    Nothing but estimators of skbst and scikit-learn and a short list of their helpers is built; no code of the
    file runs. What the saved model held twice, such as an ensemble's members, is one object in the loaded one too.

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
        If the files are damaged or were changed, hold no estimator or ask for anything that may not be built.
    FileNotFoundError
        If there is no model.

    Warns
    -----
    VersionMismatchWarning
        If the model was saved by other versions of skbst, scikit-learn, torch, numpy or skorch.
    UserWarning
        If replacing the model was interrupted, so that the old one is loaded; or the file names a folder in which
        to keep things, which is never taken from a file.
    """
    folder = find_model(absolute_path(folder))
    content = read_content(folder)
    check_files(folder, content["format"])
    _compare_versions(content["versions"])
    try:
        model = Decoder(read_arrays(folder, content["npz"])).decode(content["model"])
    except RecursionError as error:
        raise UnsafeModelError(f"{folder / 'model.json'} is nested too deeply.") from error
    except MemoryError as error:
        raise UnsafeModelError(f"{folder} takes more memory than there is.") from error
    _check_estimator(model, f"{folder / 'model.json'} must hold")
    return model


def _check_estimator(model, who):
    if not isinstance(model, BaseEstimator):
        raise UnsafeModelError(
            f"{who} an estimator; got {type(model).__name__}. Pass a fitted model of skbst or sklearn."
        )


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
