"""The clips of a library, from wherever they come."""

from skbst.library._input._open_clips import ClipSource, open_clips

__all__ = ["ClipSource", "open_clips"]
