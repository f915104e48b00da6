"""The one door to optional dependencies."""

import importlib

__all__ = ["require"]


def require(module, *, extra, needed_by, instead=""):
    """Import an optional module, or say which extra brings it.

    Parameters
    ----------
    module : str
        Dotted name of the module, such as ``"laion_clap"``.

    extra : str
        Name of the extra of skbst that installs it.

    needed_by : str
        The public name that needs it, for the message.

    instead : str, default=""
        A sentence on what can be done without it.

    Returns
    -------
    module : module

    Raises
    ------
    ImportError
        If the module is not installed.

    Examples
    --------
    >>> from skbst._optional import require
    >>> require("json", extra="clap", needed_by="ClapAudioFeaturizer").__name__
    'json'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise ImportError(
            f"{needed_by} needs {module.split('.')[0]}, which is not installed; install skbst[{extra}] "
            f'(python -m pip install "skbst[{extra}]"). {instead}'.strip()
        ) from error
