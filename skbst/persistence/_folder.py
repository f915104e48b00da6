"""Where a saved model is found."""

import warnings

from skbst._files import put_aside_name

__all__ = ["find_model", "is_model"]


def is_model(folder):
    """Whether `folder`, a Path, holds a saved model."""
    return (folder / "model.json").is_file()


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
    aside = put_aside_name(folder.resolve())
    if folder.exists() or not is_model(aside):
        raise FileNotFoundError(f"{folder} holds no model.json; pass the folder that save_model wrote.")
    warnings.warn(
        f"Replacing {folder} was interrupted; the old model is loaded from {aside}. Save again, or rename that "
        f"folder to {folder.name}.",
        UserWarning,
        stacklevel=3,
    )
    return aside
