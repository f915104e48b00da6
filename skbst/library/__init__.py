"""Labelling and embedding a whole library of sounds."""

from skbst.library._answers import label_clips
from skbst.library._label_library import label_library
from skbst.library._summary import LibrarySummary

__all__ = ["LibrarySummary", "label_clips", "label_library"]
