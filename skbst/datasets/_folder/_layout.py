"""Where the files of a Broad Sound Dataset lie below its root."""

from dataclasses import dataclass
from pathlib import Path

from skbst._paths import absolute_path
from skbst.datasets._folder._audio_files import is_audio_file
from skbst.exceptions import DataFormatError

__all__ = ["TAXONOMY_FILES", "Layout", "find_layout", "find_subfolder"]

# BSD10k-v1.2, the misspelling of one release, and v1.0
TAXONOMY_FILES = ("BST_description.csv", "BTS_description.csv", "taxonomy_metadata.csv")


@dataclass(frozen=True)
class Layout:
    """Paths of a data set; those that may be absent are None.

    Parameters
    ----------
    root : Path
        The folder itself.

    metadata_csv : Path
        The table with one row per sound.

    taxonomy_csvs : tuple of Path
        Tables of the taxonomy, in the order of ``TAXONOMY_FILES``.

    audio_dir : Path or None
        Where the sounds lie: ``audio/``, else beside the table, else in the root.

    features_dir : Path or None
        The sub-folder.
    """

    root: Path
    metadata_csv: Path
    taxonomy_csvs: tuple
    audio_dir: Path | None
    features_dir: Path | None


def find_layout(root, *, metadata_file=None):
    """Find the parts of a data set.

    Parameters
    ----------
    root : str or path-like
        Folder with ``metadata/`` (or the metadata CSV itself), ``audio/`` (or the sounds themselves) and ``features/``;
        names of folders in any case.

    metadata_file : str or path-like, default=None
        The metadata CSV, relative to `root`, where there are several.

    Returns
    -------
    layout : Layout

    Raises
    ------
    FileNotFoundError
        If `root` or `metadata_file` does not exist.

    DataFormatError
        If there is no metadata CSV, or more than one.
    """
    # absolute: workers, and processes that change their folder, find the sounds all the same
    root = absolute_path(root)
    if not root.is_dir():
        what = "is a file, not a folder" if root.is_file() else "does not exist"
        raise FileNotFoundError(f"{root} {what}. Pass the folder that holds metadata/ and audio/.")
    folder = find_subfolder(root, "metadata") or root
    tables = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv" and path.name[0] != ".")
    by_name = {path.name.lower(): path for path in tables}
    taxonomy_csvs = tuple(by_name[name.lower()] for name in TAXONOMY_FILES if name.lower() in by_name)
    metadata_csv = _metadata_csv(root, folder, metadata_file, [path for path in tables if path not in taxonomy_csvs])
    audio_dir = find_subfolder(root, "audio") or _folder_of_sounds(metadata_csv.parent, root)
    return Layout(root, metadata_csv, taxonomy_csvs, audio_dir, find_subfolder(root, "features"))


def find_subfolder(folder, name):
    """Sub-folder of a name, a Path; in other letter case where the exact name is not there; None without one."""
    if (folder / name).is_dir():
        return folder / name
    if not folder.is_dir():
        return None
    return next((path for path in sorted(folder.iterdir()) if path.name.lower() == name and path.is_dir()), None)


def _folder_of_sounds(*folders):
    for folder in folders:
        if any(is_audio_file(path.name) and path.is_file() for path in folder.iterdir()):
            return folder
    return None


def _metadata_csv(root, folder, metadata_file, tables):
    if metadata_file is not None:
        path = root / metadata_file
        if not path.is_file():
            raise FileNotFoundError(f"metadata_file={str(metadata_file)!r}: {path} does not exist.")
        return path
    named = [path for path in tables if path.name.lower().endswith("_metadata.csv")]
    candidates = named or tables
    if len(candidates) > 1:
        names = [str(path.relative_to(root)) for path in candidates]
        raise DataFormatError(f"{root} has {len(names)} metadata tables: {names}. Pass metadata_file='{names[0]}'.")
    if not candidates:
        raise DataFormatError(_nothing_found(root, folder))
    return candidates[0]


def _nothing_found(root, folder):
    content = sorted(path.name for path in root.iterdir())
    nested = [name for name in content if find_subfolder(root / name, "metadata")]
    if not content:
        found = "the folder is empty"
    else:
        found = f"found {content[:5]}{' and more' if len(content) > 5 else ''}"
    advice = (
        f"Pass {root / nested[0]}."
        if nested
        else "For a plain folder of sounds use skbst.datasets.clips_from_folder(folder)."
    )
    return f"{folder}: no metadata table (such as BSD10k_metadata.csv) was found; {found}. {advice}"
