"""Loaders, fetchers and a generator of the Broad Sound Datasets."""

import importlib

from skbst.datasets._clips_from_folder import clips_from_folder
from skbst.datasets._fetch_bsd import fetch_bsd2k, fetch_bsd10k, fetch_bsd35k_cs
from skbst.datasets._load_bsd import load_bsd
from skbst.datasets._make_bst_clips import make_bst_clips
from skbst.datasets._make_bst_table import make_bst_table

# they were here before they had a room of their own, which itself loads data sets
_OF_SUBMISSION = ("measure_complexity", "verify_submission", "write_submission")

__all__ = [
    "clips_from_folder",
    "fetch_bsd2k",
    "fetch_bsd10k",
    "fetch_bsd35k_cs",
    "load_bsd",
    "make_bst_clips",
    "make_bst_table",
    *_OF_SUBMISSION,
]


def __getattr__(name):
    if name in _OF_SUBMISSION:
        return getattr(importlib.import_module("skbst.submission"), name)
    raise AttributeError(f"module 'skbst.datasets' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
