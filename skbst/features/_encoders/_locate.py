"""Find a pretrained model: a folder, or a repository of the Hugging Face hub; only data is read, never a pickle."""

import hashlib
import json
import os
import re
import threading
from contextlib import contextmanager
from pathlib import Path

from skbst._optional import require
from skbst.exceptions import CheckpointError, DownloadError

__all__ = ["check_code_is_pinned", "find_model", "model_digest", "quiet_loading", "read_json", "require_encoders"]

_DATA_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
_PINNED = re.compile(r"[0-9a-f]{40}")
_digests = {}
_lock = threading.Lock()


def require_encoders(module, needed_by):
    """Import a module of the extra "encoders", or say what to install."""
    return require(module, extra="encoders", needed_by=needed_by)


def check_code_is_pinned(model, revision, trust_remote_code):
    """Refuse code of others that may change under its name.

    Parameters
    ----------
    model : str or path-like
        Hub id or folder.

    revision : str or None
        Commit of the repository.

    trust_remote_code : bool
        Whether the repository's own code shall run.

    Raises
    ------
    ValueError
        If code shall run that no commit pins.
    """
    if not trust_remote_code:
        return
    if Path(model).expanduser().is_dir() or revision is None or not _PINNED.fullmatch(revision):
        raise ValueError(
            f"trust_remote_code=True runs code of {os.fspath(model)!r} and needs a hub id with revision=, the 40 "
            f"hexadecimal digits of a commit that you have read; got revision={revision!r}."
        )


@contextmanager
def quiet_loading(transformers):
    """Load without the library's progress bars, and without its list of weights, which we check ourselves."""
    logging = transformers.utils.logging
    was_on, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if was_on:
            logging.enable_progress_bar()


def find_model(model, *, revision=None, local_files_only=False, trust_remote_code=False, needed_by):
    """Locate the files of a model; fetches them where a hub id is not in the hub client's cache yet.

    Parameters
    ----------
    model : str or path-like
        Folder, or hub id such as ``"facebook/wav2vec2-base"``.

    revision : str, default=None
        Branch, tag or commit of the repository.

    local_files_only : bool, default=False
        Whether the network is left alone.

    trust_remote_code : bool, default=False
        Whether the repository's Python files come along; see `check_code_is_pinned`.

    needed_by : str
        Public name of who asks, for messages.

    Returns
    -------
    folder : Path

    Raises
    ------
    CheckpointError
        If the folder holds no weights in the safetensors format.

    DownloadError
        If the model is not on this machine and cannot be fetched.
    """
    check_code_is_pinned(model, revision, trust_remote_code)
    folder = Path(model).expanduser()
    if not folder.is_dir():
        folder = _fetch(model, folder, revision, local_files_only, trust_remote_code, needed_by)
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise CheckpointError(f"{folder} holds no config.json; expected a folder that save_pretrained wrote.")
    if not any(folder.rglob("*.safetensors")):
        raise CheckpointError(
            f"{folder} holds no weights in the safetensors format. Other formats are pickles, which can run code, and "
            "are not read. Load the model where you trust it and write it with save_pretrained(folder)."
        )
    return folder


def model_digest(folder):
    """Name a model by the content of its files, a str of 64 hexadecimal digits; large files are read once.

    Parameters
    ----------
    folder : Path
        From `find_model`.
    """
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".json", ".safetensors", ".txt", ".model", ".py") and path.is_file():
            whole.update(f"{path.relative_to(folder).as_posix()} {_file_digest(path)}\n".encode())
    return whole.hexdigest()


def read_json(path):
    """Read a JSON file; an empty dict where there is none."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not readable as JSON ({error}).") from error
    if not isinstance(content, (dict, list)):
        raise CheckpointError(f"{path} holds {type(content).__name__} where settings are expected.")
    return content


def _file_digest(path):
    state = path.stat()
    name = str(path.resolve()), state.st_size, state.st_mtime_ns
    with _lock:
        known = _digests.get(name)
    if known is None:
        with open(path, "rb") as file:
            known = hashlib.file_digest(file, "sha256").hexdigest()
        with _lock:
            _digests[name] = known
    return known


def _fetch(model, folder, revision, local_files_only, trust_remote_code, needed_by):
    name = os.fspath(model)
    hub = require_encoders("huggingface_hub", needed_by)
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name) or name.startswith("."):
        what = "a file" if folder.is_file() else "no folder here"
        raise CheckpointError(f"model={name!r} is {what}, and no hub id. Pass a folder that save_pretrained wrote.")
    patterns = [*_DATA_FILES, "*.py"] if trust_remote_code else list(_DATA_FILES)
    try:
        path = hub.snapshot_download(
            name, revision=revision, local_files_only=local_files_only, allow_patterns=patterns
        )
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DownloadError(
            f"{needed_by}: model {name!r} is no folder here, not in the hub client's cache, and "
            f"{'was not to be fetched' if local_files_only else 'cannot be fetched'} ({reason}). Fetch it where there "
            f"is a network (hf download {name}), and pass the folder it lies in."
        ) from error
    return Path(path)
