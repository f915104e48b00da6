"""What files a Zenodo record holds."""

import json
import re
from dataclasses import dataclass
from pathlib import PurePath

from skbst.exceptions import DownloadError

__all__ = ["RemoteFile", "list_record", "request"]

# to connect, and between two parts of an answer; taken as they are
_TIMEOUT_SECONDS = (10, 60)
# bytes; a record of a thousand files has half a megabyte
_LONGEST_RECORD = 2**24


@dataclass(frozen=True)
class RemoteFile:
    """One file of a record.

    Parameters
    ----------
    name : str
        File name.

    url : str
        Where its content is.

    size : int
        In bytes.

    checksum : str
        As pooch takes it, such as "md5:0cc175b9...".
    """

    name: str
    url: str
    size: int
    checksum: str


def request(url, *, headers=None):
    """Send a GET request, or say what stands in the way.

    Returns
    -------
    response : requests.Response
        Any status but an error.

    Raises
    ------
    DownloadError
        If the server cannot be reached (``retry`` is True), answers with an error status (``retry`` is True for 429
        and 5xx), or if `url` is no address of the web or leads to none.
    """
    import requests

    # compressed on the way, a part of a file could not be gone on with
    headers = {"Accept-Encoding": "identity", **(headers or {})}
    try:
        response = requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS)
    except ValueError as error:
        raise _error(f"{url!r} is no address of the web, or leads to none ({error}).", retry=False) from error
    except requests.RequestException as error:
        raise _error(f"Cannot reach {url} ({type(error).__name__}). Is there a network?", retry=True) from error
    if response.status_code >= 400 and response.status_code != 416:
        response.close()
        retry = response.status_code == 429 or response.status_code >= 500
        raise _error(f"{url} answered {response.status_code} {response.reason}.", retry=retry)
    return response


def _error(message, *, retry):
    error = DownloadError(message)
    error.retry = retry
    return error


def list_record(record_id, *, base_url):
    """List the files of a record with their checksums.

    Parameters
    ----------
    record_id : str
        Number of a record, or of a concept, which Zenodo resolves to its latest version.

    base_url : str
        Such as "https://zenodo.org".

    Returns
    -------
    files : list of RemoteFile

    Raises
    ------
    DownloadError
        If the record cannot be read or has no checksums.
    """
    url = f"{base_url.rstrip('/')}/api/records/{record_id}"
    try:
        return [_as_file(entry) for entry in json.loads(_body(url))["files"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DownloadError(f"{url} is not the description of a Zenodo record ({error!r}).") from error


def _body(url):
    import requests

    body = b""
    try:
        with request(url) as response:
            for chunk in response.iter_content(2**16):
                body += chunk
                if len(body) > _LONGEST_RECORD:
                    raise ValueError(f"more than {_LONGEST_RECORD} bytes")
    except requests.RequestException as error:
        raise _error(f"{url}: the connection broke ({type(error).__name__}).", retry=True) from error
    return body


def _as_file(entry):
    name, url, size, checksum = entry["key"], entry["links"]["self"], entry["size"], entry["checksum"]
    if not re.fullmatch(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", checksum):
        raise ValueError(f"checksum {checksum!r}")
    if PurePath(name).name in ("", "..") or "\0" in name:
        raise ValueError(f"file name {name!r}")
    if not isinstance(size, int) or size < 0:
        raise ValueError(f"size {size!r}")
    if not isinstance(url, str):
        raise TypeError(f"address {url!r}")
    return RemoteFile(name, url, size, checksum)
