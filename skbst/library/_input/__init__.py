"""The clips of a library, from wherever they come."""

from skbst._tables import as_text
from skbst.library._input._open_clips import ClipSource, open_clips

__all__ = ["ClipSource", "as_text", "open_clips"]
