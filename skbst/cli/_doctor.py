"""``skbst doctor``."""

import importlib.util
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

from skbst._version import __version__
from skbst.cli._say import say

__all__ = ["add", "run"]

_EPILOG = """\
example:
  skbst doctor
"""
_NEEDED = ("numpy", "scipy", "pandas", "scikit-learn", "joblib", "torch", "torchaudio", "skorch", "soundfile", "soxr")
# extra -> module, distribution, what needs it
_EXTRAS = {
    "library": [("pyarrow", "pyarrow", "skbst label")],
    "clap": [
        ("laion_clap", "laion-clap", "CLAP embeddings, backend laion-clap"),
        ("transformers", "transformers", "CLAP embeddings, backend transformers"),
    ],
    "encoders": [
        ("transformers", "transformers", "TransformersAudioFeaturizer"),
        ("sentence_transformers", "sentence-transformers", "SentenceTransformerFeaturizer"),
    ],
    "dask": [("distributed", "distributed", "several machines (--dask)")],
    "plot": [("matplotlib", "matplotlib", "Displays")],
}

# what is encoded, module, featurizer
_OWN = (
    ("sounds", "transformers", "TransformersAudioFeaturizer"),
    ("texts", "sentence_transformers", "SentenceTransformerFeaturizer"),
)


def add(subparsers):
    """Describe the arguments."""
    parser = subparsers.add_parser(
        "doctor",
        help="what is installed, which encoders can run, where caches lie",
        description="Says what is installed, what is missing and how to get it. Exit code 1 if something needed is "
        "missing.",
        epilog=_EPILOG,
    )
    parser.add_argument("--quiet", action="store_true", help="only what is missing of what is needed")
    return parser


def run(arguments):
    """Look, and say."""
    lines, missing = _needed()
    if not arguments.quiet:
        for line in [f"skbst {__version__}, Python {platform.python_version()}, {platform.platform()}", *lines]:
            say(line)
        for line in [*_sound(), *_device(), *_extras(), *_encoders(), *_caches()]:
            say(line)
    for name in missing:
        say(f"MISSING {name}: python -m pip install {name}", error=True)
    return 1 if missing else 0


def _needed():
    found = {name: _version(name) for name in _NEEDED}
    versions = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    return [f"installed: {versions}"], [name for name, version in found.items() if version is None]


def _sound():
    try:
        import soundfile
    except (ImportError, OSError) as error:
        yield f"sound: soundfile does not load ({error}); python -m pip install --force-reinstall soundfile"
        return
    formats = soundfile.available_formats()
    missing = [name for name in ("WAV", "FLAC", "OGG", "MP3") if name not in formats]
    lacks = f"; cannot read {missing}: update soundfile" if missing else ""
    yield f"sound: libsndfile {soundfile.__libsndfile_version__}, {len(formats)} formats{lacks}"


def _device():
    if importlib.util.find_spec("torch") is None:
        return
    import torch

    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU (the processor is used)"
    yield f"device: {gpu}, {torch.get_num_threads()} thread(s)"


def _extras():
    for extra, modules in _EXTRAS.items():
        for module, distribution, use in modules:
            if importlib.util.find_spec(module) is None:
                how = f'python -m pip install "skbst[{extra}]"'
                yield f"extra {extra}: {distribution} is missing, needed for {use}: {how}"
            else:
                yield f"extra {extra}: {distribution} {_version(distribution) or 'of unknown version'}"


def _encoders():
    yield "encoder builtin: ready (no download)"
    backends = [name for name in ("laion_clap", "transformers") if importlib.util.find_spec(name)]
    weights = sorted(path.name for path in (_home() / "clap").glob("*") if path.is_file())
    hub = _hub() / "models--lukewys--laion_clap"
    if not backends:
        yield 'encoder clap: cannot run; python -m pip install "skbst[clap]"'
    elif weights or hub.is_dir():
        yield f"encoder clap: ready ({', '.join(backends)}; weights {weights or hub})"
    else:
        yield f"encoder clap: weights come with the first use (2 GB), or put them into {_home() / 'clap'}"
    for what, module, name in _OWN:
        if importlib.util.find_spec(module) is None:
            yield f'encoder of {what} of your own ({name}): cannot run; python -m pip install "skbst[encoders]"'
        else:
            yield f"encoder of {what} of your own ({name}): can run; its weights are a folder, or come from the hub"


def _caches():
    for name, place, variable in (("data", _home(), "SKBST_DATA_HOME"), ("hub", _hub(), "HF_HOME")):
        there = next(path for path in [place, *place.parents] if path.exists())
        free = shutil.disk_usage(there).free / 1e9
        state = "there" if place.exists() else "not made yet"
        writable = "" if os.access(there, os.W_OK) else ", NOT writable"
        yield f"cache {name}: {place} ({state}{writable}, {free:.0f} GB free; set by {variable})"


def _home():
    return Path(os.environ.get("SKBST_DATA_HOME") or "~/skbst_data").expanduser()


def _hub():
    home = os.environ.get("HF_HOME") or "~/.cache/huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()


def _version(distribution):
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
