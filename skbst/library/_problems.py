"""What was wrong with the sounds of the clips that a model has just answered for."""

import os

import numpy as np
import pandas as pd

from skbst.audio import decode_source

__all__ = ["clip_readers", "name_silence", "problems_of", "reads_sounds", "with_children"]

# found: (reason, silent); a container with more is data and no structure of a model
_LONGEST = 1000
# nearly every sound is heard within its first quarter of a second, so that little is decoded twice
_GLANCE = 0.25


def clip_readers(model):
    """Fitted featurizers inside a model, however deep: of a search, a calibrated model, a vote, a fold ensemble.

    Parameters
    ----------
    model : estimator
        A fitted model.

    Returns
    -------
    readers : list of transformer
        The outermost ones, each once.
    """
    found, seen, queue = [], set(), [model]
    while queue:
        value = queue.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if hasattr(value, "transform_with_problems") or hasattr(value, "featurizers_"):
            found.append(value)
        else:
            queue += _parts(value)
    return found


def reads_sounds(model):
    """Whether a featurizer of the model opens the clips' sound files."""
    return any(hasattr(part, "on_error") for reader in clip_readers(model) for part in with_children(reader))


def problems_of(reports, n_clips):
    """Reasons of each clip.

    Parameters
    ----------
    reports : list of DataFrame
        What `skbst.audio.collect_problems` gathered while the model answered, or the problems of a bundle.

    n_clips : int
        How many clips it has answered for.

    Returns
    -------
    reasons : list of list of str
        For each clip; no reason twice.

    silent : ndarray of shape (n_clips,), bool
        Whether the sound became silence.
    """
    reasons = [[] for _ in range(n_clips)]
    silent = np.zeros(n_clips, dtype=bool)
    for report in reports:
        for row, reason, is_silent in zip(report["position"], report["reason"], report["silent"]):
            if reason not in reasons[row]:
                reasons[row].append(reason)
            silent[row] |= bool(is_silent)
    return reasons, silent


def name_silence(reasons, sounds):
    """Give sounds that were read without a problem and hold zeros alone the reason "only zeros", in place.

    Parameters
    ----------
    reasons : list of list of str
        From `problems_of`.

    sounds : sequence of str, path-like, ndarray or tuple (waveform, sample_rate)
        The sound of each clip.
    """
    for found, sound in zip(reasons, sounds):
        if not found and _holds_only_zeros(sound):
            found.append("only zeros")


def _holds_only_zeros(sound):
    if not isinstance(sound, (str, os.PathLike, np.ndarray, tuple)):
        return False
    # decoding says nothing of what it finds wrong now: another one has said it
    return all(
        found.problem is None and len(found.waveform) and not found.waveform.any()
        for found in (decode_source(sound, array_rate=1, duration=duration) for duration in (_GLANCE, None))
    )


def with_children(reader):
    """A featurizer and those that it is made of."""
    return [reader, *(part for _, part in getattr(reader, "featurizers_", []))]


def _parts(value):
    """What a model, or a list or mapping in it, is made of."""
    if isinstance(value, (list, tuple)):
        return value if len(value) <= _LONGEST else ()
    if isinstance(value, dict):
        return value.values() if len(value) <= _LONGEST else ()
    if isinstance(value, (np.ndarray, pd.DataFrame, pd.Series, str, bytes, type)):
        return ()
    if type(value).__module__.partition(".")[0] in ("sklearn", "skbst", "imblearn") or hasattr(value, "get_params"):
        return getattr(value, "__dict__", {}).values()
    return ()
