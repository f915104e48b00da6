"""Download the Broad Sound Datasets from Zenodo."""

import logging
import re
from inspect import signature

from skbst._files import locked
from skbst._paths import get_data_home
from skbst._sklearn import validate_params
from skbst.datasets._download import download
from skbst.datasets._folder._layout import find_subfolder
from skbst.datasets._load_bsd import CONSTRAINTS, load_bsd
from skbst.datasets._unpack import unpack
from skbst.datasets._zenodo import list_record
from skbst.exceptions import DownloadError

__all__ = ["fetch_bsd2k", "fetch_bsd10k", "fetch_bsd35k_cs"]

_LOGGER = logging.getLogger(__name__)
_PARTS = ("metadata", "features", "audio")
_DEPTH = {"metadata": 1, "features": 2, "audio": 1}

# concept number of BSD10k, whose latest version is v1.2; record numbers of BSD35k-CS and BSD2k
_RECORDS = {"bsd10k": "17233904", "bsd35k_cs": "19187100", "bsd2k": "20442928"}


def fetch_bsd10k(
    *,
    data_home=None,
    parts=("metadata", "features"),
    download_if_missing=True,
    keep_archives=False,
    n_retries=3,
    delay=1.0,
    verbose=1,
    base_url="https://zenodo.org",
    **load_options,
):
    """Load BSD10k, downloading what is asked for and not there yet.

    10,956 Freesound clips of 0.01 to 30 s, labelled by annotators (v1.2); 35 hours, CC BY 4.0 as a whole, each sound
    under its own licence.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder for downloaded data; None takes the environment variable SKBST_DATA_HOME, else ``~/skbst_data``. The
        data set lies in its sub-folder ``bsd10k``.

    parts : tuple of {"metadata", "features", "audio"}, default=("metadata", "features")
        What to have: the tables (needed), the precomputed CLAP embeddings, the sounds. Nothing else is downloaded;
        the sounds are large (11 GB here, 45 GB for BSD35k-CS, unpacked) and have to be asked for.

    download_if_missing : bool, default=True
        False raises an error where something is missing, and never touches the network.

    keep_archives : bool, default=False
        Keep the zip files after unpacking.

    n_retries : int, default=3
        How often to try again when the connection breaks. A later call goes on where the last one stopped.

    delay : float, default=1.0
        Seconds before the first new try; doubled each time.

    verbose : int, default=1
        1 shows progress bars, 0 nothing.

    base_url : str, default="https://zenodo.org"
        Address of Zenodo or of a mirror with its API.

    **load_options
        Passed on to `load_bsd`, such as ``return_X_y``, ``min_confidence`` or ``commercial_use``; checked before
        anything is downloaded.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch` or tuple
        As `load_bsd` returns. Without "audio" in `parts` the column ``audio`` is empty unless the sounds are there.

    Raises
    ------
    DownloadError
        If something cannot be had: no network, a server error, a wrong checksum, no space. The message says what to
        do.

    Notes
    -----
    Checksums are those that the Zenodo record states. A folder ``metadata``, ``features`` or ``audio`` that is
    already there is used as it is, so that a download by hand works too: unpack it into the folder named above.

    References
    ----------
    https://doi.org/10.5281/zenodo.17233904
    """
    return _fetch(
        "bsd10k",
        load_options,
        data_home=data_home,
        parts=parts,
        download_if_missing=download_if_missing,
        keep_archives=keep_archives,
        base_url=base_url,
        n_retries=n_retries,
        delay=delay,
        verbose=verbose,
    )


def fetch_bsd35k_cs(
    *,
    data_home=None,
    parts=("metadata", "features"),
    download_if_missing=True,
    keep_archives=False,
    n_retries=3,
    delay=1.0,
    verbose=1,
    base_url="https://zenodo.org",
    **load_options,
):
    """Load BSD35k-CS, downloading what is asked for and not there yet.

    33,829 Freesound clips, labelled by those who uploaded them; 31,464 of them have one of the 23 classes. 152 hours.

    Parameters
    ----------
    data_home, parts, download_if_missing, keep_archives, n_retries, delay, verbose, base_url
        As in `fetch_bsd10k`; the data set lies in the sub-folder ``bsd35k_cs``, and its sounds take 45 GB.

    **load_options
        Passed on to `load_bsd`.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch` or tuple
        As `load_bsd` returns.

    Raises
    ------
    DownloadError
        As in `fetch_bsd10k`.

    References
    ----------
    https://doi.org/10.5281/zenodo.19187100
    """
    return _fetch(
        "bsd35k_cs",
        load_options,
        data_home=data_home,
        parts=parts,
        download_if_missing=download_if_missing,
        keep_archives=keep_archives,
        base_url=base_url,
        n_retries=n_retries,
        delay=delay,
        verbose=verbose,
    )


def fetch_bsd2k(
    *,
    data_home=None,
    parts=("metadata", "features"),
    download_if_missing=True,
    keep_archives=False,
    n_retries=3,
    delay=1.0,
    verbose=1,
    base_url="https://zenodo.org",
    **load_options,
):
    """Load BSD2k, the challenge's evaluation set, downloading what is asked for and not there yet.

    The table has ``anonymous_id``, title, tags and description and no labels: ``target`` is None.

    Parameters
    ----------
    data_home, parts, download_if_missing, keep_archives, n_retries, delay, verbose, base_url
        As in `fetch_bsd10k`; the data set lies in the sub-folder ``bsd2k``.

    **load_options
        Passed on to `load_bsd`.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        As `load_bsd` returns. ``verify_submission(..., evaluation=bunch.data.index)`` checks answers.

    Raises
    ------
    DownloadError
        As in `fetch_bsd10k`.

    References
    ----------
    https://doi.org/10.5281/zenodo.20442928
    """
    return _fetch(
        "bsd2k",
        load_options,
        data_home=data_home,
        parts=parts,
        download_if_missing=download_if_missing,
        keep_archives=keep_archives,
        base_url=base_url,
        n_retries=n_retries,
        delay=delay,
        verbose=verbose,
    )


def _fetch(name, load_options, *, data_home, parts, download_if_missing, keep_archives, base_url, **download_options):
    parts = _check_parts(parts)
    _check_load_options(name, load_options)
    root = get_data_home(data_home) / name
    missing = [part for part in parts if find_subfolder(root, part) is None]
    if missing and not download_if_missing:
        raise DownloadError(
            f"{missing} of {name} are not in {root}, and download_if_missing=False. Pass download_if_missing=True, or "
            f"unpack the archives of https://doi.org/10.5281/zenodo.{_RECORDS[name]} there."
        )
    if missing:
        # another fetch into the same folder is waited for: what it brings is not downloaded again
        root.mkdir(parents=True, exist_ok=True)
        with locked(root / ".fetch.lock", remove=True):
            missing = [part for part in parts if find_subfolder(root, part) is None]
            for part, files in (_choose_archives(name, missing, base_url) if missing else {}).items():
                _fetch_part(files, root, part, keep_archives, **download_options)
    defaults = {
        "load_embeddings": "features" in parts,
        "on_missing_audio": "warn" if "audio" in parts else "ignore",
    }
    return load_bsd(root, **(defaults | load_options))


def _check_load_options(name, options):
    """Refuse what `load_bsd` would refuse, before gigabytes are downloaded."""
    known = list(signature(load_bsd).parameters)[1:]
    unknown = [option for option in options if option not in known]
    if unknown:
        raise TypeError(f"fetch_{name}() got an unexpected option {unknown[0]!r}. Those of load_bsd are {known}.")

    def checked(*args, **kwargs):
        pass

    checked.__signature__, checked.__qualname__ = signature(load_bsd), "load_bsd"
    validate_params(CONSTRAINTS, prefer_skip_nested_validation=True)(checked)("", **options)


def _check_parts(parts):
    parts = (parts,) if isinstance(parts, str) else tuple(parts)
    unknown = [part for part in parts if part not in _PARTS]
    if unknown or "metadata" not in parts:
        raise ValueError(f"parts must hold 'metadata' and may hold 'features' and 'audio'; got {parts}.")
    return parts


def _choose_archives(name, parts, base_url):
    record = _RECORDS[name]
    try:
        files = list_record(record, base_url=base_url)
    except DownloadError as error:
        raise DownloadError(
            f"{error} To go on without: download https://doi.org/10.5281/zenodo.{record} elsewhere, unpack it, and "
            "call skbst.datasets.load_bsd(folder)."
        ) from error
    chosen = {}
    for part in parts:
        pattern = re.compile(rf"(.*[_-])?{part}([_.-]?\d+)?\.zip", re.IGNORECASE)
        chosen[part] = [file for file in files if pattern.fullmatch(file.name)]
        if not chosen[part]:
            raise DownloadError(
                f"Record {record} has no archive of {part!r}; its files are {[file.name for file in files]}."
            )
    return chosen


def _fetch_part(files, root, part, keep_archives, **options):
    total = sum(file.size for file in files)
    _LOGGER.info("Downloading %s (%.2f GB) to %s", part, total / 1e9, root)
    archives = [download(file, root / "archives", **options) for file in files]
    unpack(archives, root / part, depth=_DEPTH[part], verbose=options["verbose"])
    if not keep_archives:
        for archive in archives:
            archive.unlink()
        _remove_leftovers(root / "archives")


def _remove_leftovers(folder):
    """Delete empty files of killed downloads, by the names that they once had, and the folder once it is empty."""
    for path in folder.glob("tmp????????"):
        if path.is_file() and not path.stat().st_size:
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
