"""Labelling and embedding a whole library of sounds."""

from skbst.library._analyze_sound import analyze_sound
from skbst.library._answers import label_clips
from skbst.library._embed_library import embed_library
from skbst.library._label_library import label_library
from skbst.library._model import open_model
from skbst.library._summary import LibrarySummary
from skbst.library._with_clap import with_clap

__all__ = [
    "LibrarySummary",
    "analyze_sound",
    "embed_library",
    "label_clips",
    "label_library",
    "open_model",
    "with_clap",
]
