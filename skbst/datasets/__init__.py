"""Loaders, fetchers and submission files of the Broad Sound Datasets."""

from skbst.datasets._clips_from_folder import clips_from_folder
from skbst.datasets._complexity import measure_complexity
from skbst.datasets._fetch_bsd import fetch_bsd2k, fetch_bsd10k, fetch_bsd35k_cs
from skbst.datasets._load_bsd import load_bsd
from skbst.datasets._make_bst_clips import make_bst_clips
from skbst.datasets._make_bst_table import make_bst_table
from skbst.datasets._verify_submission import verify_submission
from skbst.datasets._write_submission import write_submission

__all__ = [
    "clips_from_folder",
    "fetch_bsd2k",
    "fetch_bsd10k",
    "fetch_bsd35k_cs",
    "load_bsd",
    "make_bst_clips",
    "make_bst_table",
    "measure_complexity",
    "verify_submission",
    "write_submission",
]
