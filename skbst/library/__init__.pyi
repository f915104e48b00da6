# Made by .ci/stubs.py from signatures and docstrings; change those, and run it.
import pandas
from collections.abc import Iterable
from os import PathLike
from skbst.taxonomy import Taxonomy
from typing import Any

class LibrarySummary:
    out: str | PathLike[str]
    n_clips: int
    n_computed: int
    n_found: int
    n_unreadable: int
    n_silent: int
    n_without_text: int
    reasons: dict[str, int]
    notes: list[str]
    what: str
    listed: str
    def __init__(self, out: str | PathLike[str], n_clips: int = ..., n_computed: int = ..., n_found: int = ..., n_unreadable: int = ..., n_silent: int = ..., n_without_text: int = ..., reasons: dict[str, int] = ..., notes: list[str] = ..., what: str = ..., listed: str = ...) -> None: ...
    def add(self, record: dict[Any, Any], *, computed: bool) -> None: ...
def analyze_sound(model: Any, sound: str | PathLike[str], out_folder: str | PathLike[str], *, metadata: dict[Any, Any] | str | PathLike[str] | None = ...) -> dict[Any, Any]: ...
def embed_library(featurizer: Any, clips: str | PathLike[str] | pandas.DataFrame | Iterable[Any], store: str | PathLike[str], *, rows: int = ..., dask: str | None = ..., verbose: int = ...) -> LibrarySummary: ...
def label_clips(model: Any, clips: pandas.DataFrame, *, taxonomy: Taxonomy | None = ..., n_candidates: int = ...) -> pandas.DataFrame: ...
def label_library(model: Any, clips: str | PathLike[str] | pandas.DataFrame | Iterable[Any], out: str | PathLike[str], *, rows: int = ..., n_candidates: int = ..., dask: str | None = ..., replace: bool = ..., verbose: int = ...) -> LibrarySummary: ...
def open_model(model: Any, *, method: str = ...) -> Any: ...
def with_clap(model: Any, *, store: str | PathLike[str] | None = ..., **settings: Any) -> Any: ...

__all__ = ["LibrarySummary", "analyze_sound", "embed_library", "label_clips", "label_library", "open_model", "with_clap"]
