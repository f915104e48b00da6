"""Find a checkpoint and know it by its content."""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from skbst.exceptions import CheckpointError
from skbst.features._clap._checkpoint._download import (
    HUB_FILES,
    HUB_OPTIONAL,
    LAION_REPOSITORY,
    WEIGHTS,
    cache_folder,
    download,
    download_folder,
)

__all__ = ["NAMED_CHECKPOINTS", "Checkpoint", "find_checkpoint", "remember_checkpoint"]

#: The published checkpoints of laion-clap and the file of the hub repository lukewys/laion_clap that holds each.
NAMED_CHECKPOINTS = {
    "630k-best": "630k-best.pt",
    "630k-audioset-best": "630k-audioset-best.pt",
    "630k-fusion-best": "630k-fusion-best.pt",
    "630k-audioset-fusion-best": "630k-audioset-fusion-best.pt",
    "music-audioset": "music_audioset_epoch_15_esc_90.14.pt",
    "music-speech": "music_speech_epoch_15_esc_89.25.pt",
    "music-speech-audioset": "music_speech_audioset_epoch_15_esc_89.98.pt",
}


@dataclass(frozen=True)
class Checkpoint:
    """Weights on disk.

    Parameters
    ----------
    path : Path
        A file of weights (laion-clap's format), or a folder as transformers saves it.

    digest : str
        SHA-256 of the file; of a folder, of all files that matter.

    record : Path, default=None
        Where the digest of a named checkpoint is kept once it has been loaded.
    """

    path: Path
    digest: str
    record: Path | None = None

    @property
    def is_folder(self):
        """Whether this is a folder of transformers."""
        return self.path.is_dir()


def find_checkpoint(checkpoint, *, verbose=0):
    """Find weights by path or name; a name that is nowhere on this machine is downloaded.

    Parameters
    ----------
    checkpoint : str or path-like
        A file, a folder of transformers, one of `NAMED_CHECKPOINTS`, or a hub repository such as
        ``"laion/clap-htsat-fused"``.

    verbose : int, default=0
        Above 0 a download shows its progress.

    Returns
    -------
    checkpoint : Checkpoint

    Raises
    ------
    CheckpointError
        If there is no such file or name, or the file is not the one that was seen under this name before.

    DownloadError
        If it has to be downloaded and cannot be.
    """
    path = Path(checkpoint).expanduser()
    if path.is_file():
        return Checkpoint(path, _file_digest(path))
    if path.is_dir():
        return Checkpoint(path, _folder_digest(path))
    name = os.fspath(checkpoint)
    if name in NAMED_CHECKPOINTS:
        return _find_named(name, verbose)
    if name.count("/") == 1 and not path.suffix and not path.is_absolute():
        folder = download_folder(name, verbose)
        return Checkpoint(folder, _folder_digest(folder))
    raise CheckpointError(
        f"There is no checkpoint {name!r}: expected a file or folder that exists, one of "
        f"{sorted(NAMED_CHECKPOINTS)}, or a hub repository such as 'laion/clap-htsat-fused'."
    )


def _find_named(name, verbose):
    filename = NAMED_CHECKPOINTS[name]
    path = cache_folder() / filename
    if not path.is_file():
        path = download(LAION_REPOSITORY, filename, verbose)
    digest = _file_digest(path)
    _check_published(path, digest)
    record = cache_folder() / f"{filename}.sha256"
    _check_record(record, digest, path)
    return Checkpoint(path, digest, record)


def _check_published(path, digest):
    """Compare with the SHA-256 that the hub announced: its client names the blobs of large files after it."""
    blob = path.resolve().name
    if len(blob) == 64 and set(blob) <= set("0123456789abcdef") and blob != digest:
        raise CheckpointError(
            f"{path} is damaged: its SHA-256 is {digest}, the hub announced {blob}. Delete it and try again."
        )


def _check_record(record, digest, path):
    """Refuse another content than the one that was first used under a name."""
    if not record.is_file():
        return
    seen = record.read_text(encoding="ascii").strip()
    if seen != digest:
        raise CheckpointError(
            f"{path} has SHA-256 {digest}, but {seen} was recorded when it was first used. If the new file is "
            f"right, delete {record}; if not, delete the file."
        )


def remember_checkpoint(found):
    """Record the content of a named checkpoint; only for one that could be loaded, so that a damaged file leaves none.

    Parameters
    ----------
    found : Checkpoint
        From `find_checkpoint`.
    """
    if found.record is None or found.record.is_file():
        return
    try:
        found.record.parent.mkdir(parents=True, exist_ok=True)
        temporary = found.record.with_name(f"{found.record.name}.{os.getpid()}")
        temporary.write_text(found.digest + "\n", encoding="ascii")
        temporary.replace(found.record)
    except OSError:
        return


def _file_digest(path):
    status = path.stat()
    return _digest_of_state(str(path.resolve()), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _digest_of_state(path, size, mtime_ns):
    """SHA-256 of a file; read once for each state of it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folder_digest(folder):
    names = [name for name in (*HUB_FILES, *HUB_OPTIONAL, *WEIGHTS) if (folder / name).is_file()]
    if "config.json" not in names or not set(names) & set(WEIGHTS):
        raise CheckpointError(
            f"{folder} is not a checkpoint of transformers: expected config.json and one of {list(WEIGHTS)} in it."
        )
    parts = {name: _file_digest(folder / name) for name in names}
    for name, digest in parts.items():
        _check_published(folder / name, digest)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
