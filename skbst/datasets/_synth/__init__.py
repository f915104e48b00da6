"""A procedural sound library of the 23 BST classes, and the texts that go with it."""

from skbst.datasets._synth._plan import FLAVOURS, MAX_CLIPS, ClipPlan, plan_clips
from skbst.datasets._synth._registry import SOUNDS, Sound
from skbst.datasets._synth._render import render_clip
from skbst.datasets._synth._sounds import (  # noqa: F401
    _animals,
    _designed,
    _elements,
    _human,
    _machines,
    _music,
    _objects,
    _samples,
    _scenes,
    _speech,
)

__all__ = ["FLAVOURS", "MAX_CLIPS", "SOUNDS", "ClipPlan", "Sound", "plan_clips", "render_clip"]
