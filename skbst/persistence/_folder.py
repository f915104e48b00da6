"""A folder that appears whole, and one that is replaced without being lost on the way."""

import os
import secrets
import shutil
import warnings
from contextlib import contextmanager, suppress

__all__ = ["bring_back", "find_model", "is_model", "put_in_place", "scratch_folder"]


def is_model(folder):
    """Whether `folder`, a Path, holds a saved model."""
    return (folder / "model.json").is_file()


@contextmanager
def scratch_folder(place):
    """Make a folder beside `place`, with the permissions of any new folder; what is left of it goes at the end.

    Parameters
    ----------
    place : Path
        Where the content is to stand in the end.

    Yields
    ------
    scratch : Path
        An empty folder on the same disk, so that it can be renamed.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    scratch = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def put_in_place(scratch, place):
    """Rename `scratch` to `place`; a model that stands there is put aside first and comes back if that fails.

    Killed at any moment, it leaves the old model or the new one where `find_model` finds it.

    Parameters
    ----------
    scratch : Path
        A whole new model.

    place : Path
        Its name.
    """
    if not place.exists():
        os.replace(scratch, place)
        return
    aside = _aside(place)
    # with a model in place, what stands aside is older
    shutil.rmtree(aside, ignore_errors=True)
    try:
        os.replace(place, aside)
        os.replace(scratch, place)
    except BaseException:
        bring_back(place)
        raise
    # renamed before it is deleted, so that half of a model never stands aside
    with suppress(OSError):
        os.replace(aside, scratch)


def bring_back(place):
    """Undo a replacement of the model `place`, a Path, that stopped between its two renames, if there was one."""
    if not place.exists() and is_model(_aside(place)):
        os.replace(_aside(place), place)


def find_model(folder):
    """Return where to read a model: `folder`, or the old model that an interrupted replacement put aside.

    Parameters
    ----------
    folder : Path
        The name of the model.

    Returns
    -------
    place : Path
        A folder that holds a ``model.json``.

    Raises
    ------
    FileNotFoundError
        If there is no model.

    Warns
    -----
    UserWarning
        If the old model is taken.
    """
    if is_model(folder):
        return folder
    aside = _aside(folder.resolve())
    if folder.exists() or not is_model(aside):
        raise FileNotFoundError(f"{folder} holds no model.json; pass the folder that save_model wrote.")
    warnings.warn(
        f"Replacing {folder} was interrupted; the old model is loaded from {aside}. Save again, or rename that "
        f"folder to {folder.name}.",
        UserWarning,
        stacklevel=3,
    )
    return aside


def _aside(place):
    return place.with_name(f".{place.name}.skbst-old")
