"""Find a checkpoint, know it by its content, read its weights without running code."""

import hashlib
import json
import os
import pickle
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from skbst._optional import require
from skbst.exceptions import CheckpointError, DownloadError

__all__ = ["NAMED_CHECKPOINTS", "Checkpoint", "cache_folder", "find_checkpoint", "read_state"]

_LAION_REPO = "lukewys/laion_clap"
_HUB_FILES = ("config.json", "preprocessor_config.json")
_HUB_OPTIONAL = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json")
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")

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
    """

    path: Path
    digest: str

    @property
    def is_folder(self):
        """Whether this is a folder of transformers."""
        return self.path.is_dir()


def cache_folder():
    """Where checkpoints may be put by hand: ``$SKBST_CACHE/clap``, else ``~/.cache/skbst/clap``."""
    root = os.environ.get("SKBST_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "skbst"
    return Path(root).expanduser() / "clap"


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
        folder = _download_folder(name, verbose)
        return Checkpoint(folder, _folder_digest(folder))
    raise CheckpointError(
        f"There is no checkpoint {name!r}: expected a file or folder that exists, one of "
        f"{sorted(NAMED_CHECKPOINTS)}, or a hub repository such as 'laion/clap-htsat-fused'."
    )


def _find_named(name, verbose):
    filename = NAMED_CHECKPOINTS[name]
    path = cache_folder() / filename
    if not path.is_file():
        path = _download(_LAION_REPO, filename, verbose)
    digest = _file_digest(path)
    published = _published_digest(path)
    if published and published != digest:
        raise CheckpointError(
            f"{path} is damaged: its SHA-256 is {digest}, the hub announced {published}. Delete it and try again."
        )
    _check_record(filename, digest, path)
    return Checkpoint(path, digest)


def _published_digest(path):
    """SHA-256 that the hub announced: the hub client names the blobs of large files after it."""
    name = path.resolve().name
    return name if len(name) == 64 and set(name) <= set("0123456789abcdef") else None


def _check_record(filename, digest, path):
    """Remember the first content seen under a name, refuse another one later."""
    record = cache_folder() / f"{filename}.sha256"
    if record.is_file():
        seen = record.read_text(encoding="ascii").strip()
        if seen != digest:
            raise CheckpointError(
                f"{path} has SHA-256 {digest}, but {seen} was recorded when it was first used. If the new file is "
                f"right, delete {record}; if not, delete the file."
            )
        return
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        temporary = record.with_name(f"{record.name}.{os.getpid()}")
        temporary.write_text(digest + "\n", encoding="ascii")
        temporary.replace(record)
    except OSError:
        return


def _download(repository, filename, verbose):
    """Fetch one file through the hub client, from its cache where it is there."""
    hub = require("huggingface_hub", extra="clap", needed_by="CLAP checkpoints")
    from huggingface_hub.utils import LocalEntryNotFoundError

    try:
        return Path(hub.hf_hub_download(repository, filename, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    with _hub_progress(verbose):
        try:
            return Path(hub.hf_hub_download(repository, filename))
        except Exception as error:
            raise DownloadError(_explain_download(repository, filename, error)) from error


def _download_folder(repository, verbose):
    for filename in _HUB_FILES:
        path = _download(repository, filename, verbose)
    for filename in _HUB_OPTIONAL:
        _download_first(repository, (filename,), verbose, required=False)
    _download_first(repository, _WEIGHTS, verbose)
    return path.parent


def _download_first(repository, filenames, verbose, required=True):
    error = None
    for filename in filenames:
        try:
            return _download(repository, filename, verbose)
        except DownloadError as caught:
            error = caught
    if required:
        raise error
    return None


def _explain_download(repository, filename, error):
    reason = str(error).strip().splitlines()
    by_hand = (
        f"put it into {cache_folder()}"
        if repository == _LAION_REPO
        else "save the repository as a folder and pass its path as `checkpoint`"
    )
    return (
        f"Could not download {filename} from https://huggingface.co/{repository} ({reason[0] if reason else error!r}). "
        f"Without a network: fetch https://huggingface.co/{repository}/resolve/main/{filename} elsewhere and "
        f"{by_hand}, or pass the path of your own copy as `checkpoint`. CLAP vectors that a data set ships need no "
        "checkpoint: load_bsd(root).embeddings."
    )


class _hub_progress:
    """Show the hub client's bars only when asked to; its setting is put back."""

    def __init__(self, verbose):
        self.verbose = verbose

    def __enter__(self):
        from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars

        self.was_disabled = are_progress_bars_disabled()
        if not self.verbose and not self.was_disabled:
            disable_progress_bars()

    def __exit__(self, *_):
        from huggingface_hub.utils import enable_progress_bars

        if not self.verbose and not self.was_disabled:
            enable_progress_bars()


def _file_digest(path):
    status = path.stat()
    return _digest_of_state(str(path.resolve()), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _digest_of_state(path, size, mtime_ns):
    """SHA-256 of a file; read once for each state of it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folder_digest(folder):
    names = [name for name in (*_HUB_FILES, *_HUB_OPTIONAL, *_WEIGHTS) if (folder / name).is_file()]
    if "config.json" not in names or not set(names) & set(_WEIGHTS):
        raise CheckpointError(
            f"{folder} is not a checkpoint of transformers: expected config.json and one of {list(_WEIGHTS)} in it."
        )
    parts = {name: _file_digest(folder / name) for name in names}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_state(path):
    """Read the tensors of a checkpoint; nothing in the file is executed.

    Parameters
    ----------
    path : Path
        A ``.safetensors`` file, or one written by ``torch.save``.

    Returns
    -------
    state : dict of str to Tensor
        Without the ``module.`` prefix that data-parallel training leaves.

    Raises
    ------
    CheckpointError
        If the file is damaged, holds Python objects that are no weights, or no weights at all.
    """
    import torch

    if path.suffix == ".safetensors":
        state = _read_safetensors(path)
    else:
        state = _read_torch(path)
        state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not state or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise CheckpointError(
            f"{path} holds no weights: expected a mapping of names to tensors, or one under the key 'state_dict'."
        )
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


def _read_safetensors(path):
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is damaged or truncated ({error}). Fetch it again.") from error


def _read_torch(path):
    import torch

    try:
        with torch.serialization.safe_globals(_numpy_scalars()):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" not in str(error) and "Unsupported" not in str(error):
            raise CheckpointError(f"{path} is not a checkpoint, or a damaged one ({_first_line(error)}).") from error
        raise CheckpointError(
            f"{path} was refused: it holds Python objects beside weights, which could run code when loaded "
            f"({_first_line(error)}). If you trust its source, convert it once where that is safe: "
            "torch.save(torch.load(path, weights_only=False)['state_dict'], 'weights.pt')."
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise CheckpointError(
            f"{path} is damaged or truncated ({_first_line(error)}). Fetch it again; it has "
            f"{path.stat().st_size} bytes."
        ) from error


def _numpy_scalars():
    """What the official checkpoints hold beside tensors: NumPy numbers in the log of their training."""
    import numpy as np

    core = np.core if np.lib.NumpyVersion(np.__version__) < "2.0.0" else np._core
    kinds = ("Float64DType", "Float32DType", "Int64DType", "Int32DType", "BoolDType")
    scalar = core.multiarray.scalar
    return [
        scalar,
        (scalar, "numpy.core.multiarray.scalar"),
        (scalar, "numpy._core.multiarray.scalar"),
        np.dtype,
        *(getattr(np.dtypes, kind) for kind in kinds),
    ]


def _first_line(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    wanted = [line for line in lines if "WeightsUnpickler error" in line or "Unsupported" in line]
    return (wanted or lines or [type(error).__name__])[0][:200]
