"""What was found out about a sound, and the name of what is wrong with it."""

import math
import os
import stat
from typing import NamedTuple

import pandas as pd

from skbst.audio._levels import Scaling
from skbst.audio._problems import DecodeProblem
from skbst.audio._read import USUAL_RATES

__all__ = ["OUT_OF_MEMORY", "Survey", "name_problem", "not_decodable", "too_long", "unreadable"]

_REMEDY = "convert it, for example with ffmpeg -i FILE NEW.wav, or leave the row out"

OUT_OF_MEMORY = DecodeProblem("out of memory", silent=True, detail="pass a duration, or free memory")


class Survey(NamedTuple):
    """What was read of a sound: how much, whether all of it is 0, and what was wrong on the way."""

    n_samples: int
    is_silent: bool
    rate: int
    n_bad: int = 0
    truncation: str | None = None
    error: str = ""
    channel: int | None = None
    scaling: Scaling = Scaling()


def name_problem(survey, look):
    """Name what is wrong with a sound.

    Parameters
    ----------
    survey : Survey
        What was read.

    look : Look or None
        What was seen before; None for an array.

    Returns
    -------
    problem : DecodeProblem or None
    """
    truncation = (look.truncation if look is not None else None) or survey.truncation
    if survey.n_samples == 0:
        words = survey.error or survey.truncation or truncation
        return not_decodable(words) if words else DecodeProblem("no samples", silent=True)
    if survey.n_bad >= survey.n_samples and survey.is_silent and survey.n_bad:
        return DecodeProblem("no finite sample", silent=True)
    notes = []
    if truncation:
        notes.append(("truncated", truncation + (f" ({survey.error})" if survey.error else "")))
    elif survey.error:
        notes.append(("truncated", f"{survey.n_samples} samples before an error: {survey.error}"))
    if look is not None:
        notes.extend(_notes_on_file(survey, look))
    n_zeroed = survey.n_bad + survey.scaling.n_wild
    if n_zeroed:
        notes.append(("non-finite samples", f"{n_zeroed} samples set to 0"))
    if survey.channel is not None:
        which = f"channel {survey.channel + 1}, the loudest, was taken"
        notes.append(("channels cancel", f"their mean is near silence; {which}"))
    if survey.scaling.reason:
        notes.append((survey.scaling.reason, survey.scaling.detail))
    return DecodeProblem("; ".join(n[0] for n in notes), False, "; ".join(n[1] for n in notes)) if notes else None


def _notes_on_file(survey, look):
    if look.reason:
        yield look.reason, look.detail
    if look.kind == "ogg" and survey.is_silent:
        # a damaged header of Vorbis decodes to zeros without a word, nothing else gives it away; recordings and even
        # dithered fades hardly ever decode to exact zeros, so that the false alarm is rare and says what to do
        yield "only zeros", "what was decoded is digital silence; play the file to see whether it should be"
    if survey.rate not in USUAL_RATES:
        yield "unusual rate", f"its header says {survey.rate} Hz"


def not_decodable(words):
    """The problem of a file that cannot be read, with the decoder's words and what to do."""
    return DecodeProblem("not decodable", silent=True, detail=f"{words}; {_REMEDY}")


def too_long(error):
    """The problem of a sound that would take too much memory."""
    return DecodeProblem("too long", silent=True, detail=f"{error}; pass a duration, or cut the file")


def unreadable(path):
    """Say why a path cannot even be opened."""
    if path is None or path is pd.NA or path == "" or (isinstance(path, float) and math.isnan(path)):
        return DecodeProblem("no path", silent=True)
    if not isinstance(path, (str, bytes, os.PathLike)):
        # a number would be taken for an open file's
        return DecodeProblem("no path", silent=True, detail=f"a cell of type {type(path).__name__}")
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return DecodeProblem("not found", silent=True)
    except OSError as error:
        return DecodeProblem("not found", silent=True, detail=error.strerror or "")
    except ValueError as error:
        return DecodeProblem("not found", silent=True, detail=str(error))
    if not stat.S_ISREG(status.st_mode):
        return DecodeProblem("not found", silent=True, detail="not a regular file")
    if not os.access(path, os.R_OK):
        return DecodeProblem("not found", silent=True, detail="no right to read it")
    return DecodeProblem("zero bytes", silent=True) if status.st_size == 0 else None
