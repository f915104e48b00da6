"""Download one file: resumed where it stopped, checked at the end."""

import os
import shutil
import time
from pathlib import Path

import pooch

from skbst._progress import progress_bar
from skbst.datasets._zenodo import request
from skbst.exceptions import DownloadError

__all__ = ["Transfer", "check_free_space", "download"]

# bytes
_MIB = 2**20
# a chunk that breaks off is lost, so chunks are small, and smaller once that happened
_CHUNK, _CAREFUL_CHUNK = 2**16, 2**10


def download(file, folder, *, n_retries=3, delay=1.0, verbose=0):
    """Download a file into a folder, unless it is there with the right checksum.

    Parameters
    ----------
    file : RemoteFile
        What to download.

    folder : Path
        Where to; created if missing. What arrived so far is kept there in a ``.part`` file, from which the next call
        goes on.

    n_retries : int, default=3
        How often to try again when the connection breaks or the server is busy.

    delay : float, default=1.0
        Seconds before the first new try; doubled each time.

    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    path : Path

    Raises
    ------
    DownloadError
        If the file cannot be had, the disk is full, or the checksum is wrong (the file is deleted then).
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / Path(file.name).name
    if target.is_file() and _has_checksum(target, file):
        return target
    check_free_space(folder, file.size, file.name)
    transfer = Transfer(file, folder, n_retries=n_retries, delay=delay, verbose=verbose)
    transfer.run()
    if not _has_checksum(transfer.part, file):
        transfer.part.unlink()
        raise DownloadError(
            f"{file.url}: {file.size} bytes arrived, but their checksum is not {file.checksum}, which the record "
            "states. The copy was deleted; try again."
        )
    os.replace(transfer.part, target)
    return target


def _has_checksum(path, file):
    kind, _, digest = file.checksum.partition(":")
    return pooch.file_hash(str(path), alg=kind) == digest


def check_free_space(folder, n_bytes, what):
    """Refuse to start what cannot fit on the disk."""
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise DownloadError(
            f"{what} needs {n_bytes / 1e9:.2f} GB, but {folder} has {free / 1e9:.2f} GB free. Pass another data_home, "
            "or fewer parts."
        )


class Transfer:
    """One file on its way, which goes on where an earlier call stopped (HTTP Range).

    Parameters
    ----------
    file : RemoteFile
        What to download.

    folder : Path
        Where the ``.part`` file is kept.

    n_retries, delay, verbose
        As in `download`.

    Attributes
    ----------
    part : Path
        What has arrived.
    """

    def __init__(self, file, folder, *, n_retries=3, delay=1.0, verbose=0):
        self.file, self.n_retries, self.delay, self.verbose = file, n_retries, delay, verbose
        # the checksum is in the name, so that parts of two versions never mix
        self.part = Path(folder) / f"{Path(file.name).name}.{file.checksum.split(':')[1][:12]}.part"

    def run(self):
        """Fill ``part``, or raise a DownloadError that says how much is kept."""
        for attempt in range(self.n_retries + 1):
            try:
                self._continue(self.file.url, _CAREFUL_CHUNK if attempt else _CHUNK)
                return
            except DownloadError as error:
                if attempt == self.n_retries or not getattr(error, "retry", False):
                    raise DownloadError(f"{error} {self._what_to_do()}") from error
                time.sleep(self.delay * 2**attempt)

    def _what_to_do(self):
        have = self.part.stat().st_size if self.part.exists() else 0
        if not have:
            return "Try again later."
        return f"{have} of {self.file.size} bytes are kept in {self.part}; call again to go on from there."

    def _continue(self, url, chunk_size):
        have = self.part.stat().st_size if self.part.exists() else 0
        if have > self.file.size:
            self.part.unlink()
            have = 0
        if have == self.file.size:
            self.part.touch()
            return
        response = request(url, headers={"Range": f"bytes={have}-"} if have else None)
        if have and response.status_code == 206 and not self._goes_on(response, have):
            # the kept part and this one would not fit
            response.close()
            response = request(url)
        with response:
            self._write(response, have if self._goes_on(response, have) else 0, chunk_size)
        arrived = self.part.stat().st_size
        if arrived != self.file.size:
            raise _interrupted(f"{url}: {arrived} of {self.file.size} bytes arrived.")

    def _goes_on(self, response, have):
        is_plain = response.headers.get("Content-Encoding", "identity") == "identity"
        follows = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        return response.status_code == 206 and is_plain and follows

    def _write(self, response, have, chunk_size):
        import requests

        if response.status_code == 416:
            self.part.unlink(missing_ok=True)
            raise _interrupted(f"{response.url} refused to go on at byte {have}.")
        total = -(-self.file.size // _MIB)
        bar = progress_bar(total=total, desc=self.file.name, unit="MiB", verbose=self.verbose)
        bar.update(have // _MIB)
        try:
            with bar, open(self.part, "ab" if have else "wb") as output:
                for chunk in response.iter_content(chunk_size):
                    have += len(chunk)
                    if have > self.file.size:
                        break
                    output.write(chunk)
                    bar.update(len(chunk) / _MIB)
        except requests.RequestException as error:
            raise _interrupted(f"{response.url}: the connection broke ({type(error).__name__}).") from error
        except OSError as error:  # a full disk, a quota
            raise DownloadError(f"{self.part} cannot be written ({error}).") from error
        if have > self.file.size:
            self.part.unlink()
            raise DownloadError(
                f"{response.url} sends more than the {self.file.size} bytes that the record states. What had arrived "
                "was deleted; tell the maintainers of the record if it happens again."
            )


def _interrupted(message):
    error = DownloadError(message)
    error.retry = True
    return error
