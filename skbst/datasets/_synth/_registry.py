"""The table of sounds: which class holds which kinds, how each is made, and what people call it."""

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["SOUNDS", "Sound", "sound", "split"]


@dataclass(frozen=True)
class Sound:
    """One kind of sound of a class.

    Parameters
    ----------
    code : str
        Class code.

    name : str
        Name of the kind, unique within the class.

    duration : tuple of two floats
        Shortest and longest plausible length in seconds.

    render : callable
        ``render(rng, n, sample_rate)`` gives a waveform of shape (n,), float32, any level.

    nouns, tags : tuple of str
        What titles and tags say about it.

    weight : float
        Share within the class.

    studio : float
        Probability of a clean recording path.
    """

    code: str
    name: str
    duration: tuple
    render: Callable = field(repr=False)
    nouns: tuple
    tags: tuple
    weight: float = 1.0
    studio: float = 0.5


#: ``{class code: {kind: Sound}}``, filled by the modules beside this one as they are imported.
SOUNDS = {}


def split(words):
    """Split text at commas."""
    return tuple(words.split(","))


def sound(code, name, duration, *, nouns, tags, weight=1.0, studio=0.5):
    """Enter the decorated renderer into the table; words are split at commas."""

    def enter(render):
        SOUNDS.setdefault(code, {})[name] = Sound(
            code, name, duration, render, split(nouns), split(tags), weight, studio
        )
        return render

    return enter
