"""Fetch checkpoints from the Hugging Face hub."""

from pathlib import Path

from skbst._optional import require
from skbst._paths import get_data_home
from skbst.exceptions import DownloadError

__all__ = [
    "HUB_FILES",
    "HUB_OPTIONAL",
    "LAION_REPOSITORY",
    "WEIGHTS",
    "WITHOUT_CLAP",
    "cache_folder",
    "download",
    "download_folder",
    "require_clap",
]

LAION_REPOSITORY = "lukewys/laion_clap"
HUB_FILES = ("config.json", "preprocessor_config.json")
HUB_OPTIONAL = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
#: What can be done where CLAP cannot run.
WITHOUT_CLAP = (
    "CLAP vectors that a data set ships need neither library nor checkpoint: load_bsd(root).embeddings, or "
    "ShippedEmbeddingFeaturizer in a pipeline."
)


def require_clap(module, needed_by):
    """Import a module of the extra "clap", or say what to install and what can be done without it."""
    return require(module, extra="clap", needed_by=needed_by, instead=WITHOUT_CLAP)


def cache_folder():
    """Where checkpoints may be put by hand: ``$SKBST_DATA_HOME/clap``, by default ``~/skbst_data/clap``."""
    return get_data_home() / "clap"


def download(repository, filename, verbose):
    """Fetch one file through the hub client, from its cache where it is there.

    Parameters
    ----------
    repository, filename : str
        What is wanted.

    verbose : int
        Above 0 a download shows its progress.

    Returns
    -------
    path : Path

    Raises
    ------
    DownloadError
        Says where to put the file by hand, and what can be done without it.
    """
    hub = require_clap("huggingface_hub", "A CLAP checkpoint")
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


def download_folder(repository, verbose):
    """Fetch what a checkpoint of transformers needs; returns its folder. Arguments and errors as `download`."""
    for filename in HUB_FILES:
        path = download(repository, filename, verbose)
    for filename in HUB_OPTIONAL:
        _download_first(repository, (filename,), verbose, required=False)
    _download_first(repository, WEIGHTS, verbose)
    return path.parent


def _download_first(repository, filenames, verbose, required=True):
    error = None
    for filename in filenames:
        try:
            return download(repository, filename, verbose)
        except DownloadError as caught:
            error = caught
    if required:
        raise error
    return None


def _explain_download(repository, filename, error):
    reason = str(error).strip().splitlines()
    by_hand = (
        f"put it into {cache_folder()}"
        if repository == LAION_REPOSITORY
        else "save the repository as a folder and pass its path as `checkpoint`"
    )
    return (
        f"Could not download {filename} from https://huggingface.co/{repository} ({reason[0] if reason else error!r}). "
        f"Without a network: fetch https://huggingface.co/{repository}/resolve/main/{filename} elsewhere and "
        f"{by_hand}, or pass the path of your own copy as `checkpoint`. {WITHOUT_CLAP}"
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
