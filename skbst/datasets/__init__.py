"""Loaders, fetchers and submission files of the Broad Sound Datasets."""

from skbst.datasets._clips_from_folder import clips_from_folder
from skbst.datasets._load_bsd import load_bsd

__all__ = ["clips_from_folder", "load_bsd"]
