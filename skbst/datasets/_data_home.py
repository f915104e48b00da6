"""Where downloaded data lie."""

import os
from pathlib import Path

__all__ = ["get_data_home"]


def get_data_home(data_home=None):
    """Return the folder for downloaded data; it is not created here.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder; None takes the environment variable SKBST_DATA_HOME, else ``~/skbst_data``.

    Returns
    -------
    data_home : Path

    Examples
    --------
    >>> from skbst.datasets._data_home import get_data_home
    >>> get_data_home("/data").as_posix()
    '/data'
    """
    if data_home is None:
        data_home = os.environ.get("SKBST_DATA_HOME") or Path.home() / "skbst_data"
    return Path(data_home).expanduser()
