"""Unpack an archive of a data set, trusting nothing in it."""

import lzma
import os
import shutil
import stat
import zipfile
import zlib
from pathlib import PurePosixPath

from skbst._files import scratch_folder
from skbst._progress import progress_bar
from skbst.datasets._download import check_free_space
from skbst.exceptions import DownloadError

__all__ = ["unpack"]


def unpack(archives, target, *, depth=1, verbose=0):
    """Unpack zip files into a folder that appears only when it is complete.

    Archives differ in their leading folders (``audio/1.wav``, ``BSD10k/audio/1.wav``, ``1.wav``); these are dropped:
    of each path only the last `depth` parts are kept.

    Parameters
    ----------
    archives : list of Path
        Zip files.

    target : Path
        The folder to make; must not exist.

    depth : int, default=1
        1 for ``audio/{id}.wav`` and ``metadata/*.csv``, 2 for ``features/{kind}/{id}.npy``.

    verbose : int, default=0
        1 shows a progress bar.

    Raises
    ------
    DownloadError
        If an archive is damaged, encrypted or a bomb, does not fit on the disk, holds a link or a path that leaves the
        folder, or two files of one name.
    """
    try:
        with scratch_folder(target) as partial:
            for archive in archives:
                _unpack_one(archive, partial, depth, verbose)
            os.replace(partial, target)
    except OSError as error:  # a full disk, a name that is too long
        raise DownloadError(f"{archive} cannot be unpacked for {target} ({error}).") from error
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError) as error:
        raise DownloadError(f"{archive}: the archive is damaged ({error}). Delete it and try again.") from error
    # encrypted members, unknown methods, names of no letter, numbers out of range
    except (EOFError, RuntimeError, ValueError, IndexError, OverflowError) as error:
        raise DownloadError(
            f"{archive}: the archive is damaged or encrypted ({error}). Delete it and try again."
        ) from error


def _unpack_one(archive, folder, depth, verbose):
    with zipfile.ZipFile(archive) as zipped:
        files = [member for member in zipped.infolist() if not member.is_dir()]
        for member in files:
            _check_safe(archive, member)
        # members that share their bytes are how a few kilobytes become petabytes
        if sum(member.compress_size for member in zipped.infolist()) > archive.stat().st_size:
            raise DownloadError(f"{archive}: members of the archive overlap, as in a bomb; nothing was unpacked.")
        members = [member for member in files if _is_wanted(member)]
        check_free_space(folder, sum(member.file_size for member in members), f"The content of {archive.name}")
        for member in progress_bar(members, desc=f"unpack {archive.name}", unit="file", verbose=verbose):
            path = folder.joinpath(*PurePosixPath(member.filename).parts[-depth:])
            if path.exists():
                raise DownloadError(f"{archive}: two files would become {path.relative_to(folder)}.")
            path.parent.mkdir(parents=True, exist_ok=True)
            with zipped.open(member) as source, open(path, "xb") as output:
                shutil.copyfileobj(source, output, 2**20)


def _is_wanted(member):
    return not any(part == "__MACOSX" or part.startswith(".") for part in PurePosixPath(member.filename).parts)


def _check_safe(archive, member):
    path = PurePosixPath(member.filename)
    unsafe = path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in path.parts[0]
    if unsafe or stat.S_ISLNK(member.external_attr >> 16):
        raise DownloadError(
            f"{archive}: {member.filename!r} is a link or would leave the folder; nothing was unpacked."
        )
