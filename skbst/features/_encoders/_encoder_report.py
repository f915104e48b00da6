"""Is an encoder sound? Its vectors under changes that must not matter, and under some that may."""

import os
import sys

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skbst._sklearn import check_is_fitted
from skbst.exceptions import DataFormatError
from skbst.features._encoders._probes import LENGTHS, SoundProbes, TextProbes, share_moved, unlike_distance

__all__ = ["encoder_report"]

# shares of the distance between unlike clips
_SAME = 1e-3
# limits between a verdict and none; what they find and do not find is in docs/guide/encoders.rst
_NEAR = 0.1
_FAR = 0.5
# larger_clap_music's text tower gives .9993 to any two texts, sound towers .2 to .9
_COLLAPSED = 0.998
_NARROW = 0.95
_MANY_DEAD = 0.5


def encoder_report(featurizer, clips):
    """Check an encoder before years of sound are put through it.

    Clips are embedded together, alone, in another order, beside a long one, twice, softer, at twice the sample rate,
    shortened to almost nothing and followed by silence. What must not matter is a fault where it does; what may matter
    is noted. An error that only some of these raise is a fault of that line, with its message as the meaning.

    Parameters
    ----------
    featurizer : transformer
        Makes one vector of each clip: any featurizer, fitted or not, or any object with ``transform``.

    clips : DataFrame or sequence
        At least three clips that differ, 5 to 30 are enough: paths, tuples (waveform, sample_rate), or texts.

    Returns
    -------
    report : DataFrame
        Index ``check``; columns ``value``; ``limit`` (NaN where there is none); ``verdict``, "ok", "note" or "fault";
        ``meaning``, one sentence. The first lines are what a clip, and an hour of sound, cost in time and memory.
        Distances are shares of the median distance between unlike clips. ``report.attrs``
        holds "verdict", the worst of all.

    Raises
    ------
    DataFormatError
        If there are fewer than three clips, or `transform` gives anything else than one vector of numbers for each.

    TypeError
        If `featurizer` has no ``transform``, or is a class.

    Notes
    -----
    Cost: about twenty times that of embedding the clips once, and one sound of 35 s.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.features import AudioStatisticsFeaturizer, encoder_report
    >>> seconds = np.arange(16000) / 16000
    >>> clips = [(0.3 * np.sin(2 * np.pi * f * seconds), 16000) for f in (110, 440, 1760)]
    >>> report = encoder_report(AudioStatisticsFeaturizer(), clips)
    >>> report.loc["batch", "verdict"]
    'ok'
    """
    probes = _probes_of(featurizer, clips)
    n_clips = len(probes.clips)
    if n_clips < 3:
        raise DataFormatError(f"At least three clips that differ are needed; got {n_clips}.")
    # the first pass loads weights
    probes.embed(list(range(min(2, n_clips))))
    probes.seconds, memory = 0.0, _memory()
    vectors = probes.embed(list(range(n_clips)))
    lines = [*_cost(probes, n_clips, memory), *_company(probes, vectors), *_shape(vectors)]
    if isinstance(probes, SoundProbes):
        lines += [*_sound_lines(probes, vectors)]
    table = pd.DataFrame(lines, columns=["check", "value", "limit", "verdict", "meaning"]).set_index("check")
    order = ["ok", "note", "fault"]
    table.attrs["verdict"] = order[max(order.index(verdict) for verdict in table["verdict"])]
    return table


def _probes_of(featurizer, clips):
    """The probes that fit to the clips, around a fitted featurizer."""
    if isinstance(featurizer, type) or not hasattr(featurizer, "transform"):
        raise TypeError(f"encoder_report asks an object with transform(clips); got {featurizer!r}.")
    if isinstance(clips, (str, bytes)) or not hasattr(clips, "__len__"):
        raise DataFormatError(f"Expected a sequence or a table of at least three clips; got {type(clips).__name__}.")
    column = getattr(featurizer, "column", None)
    if isinstance(clips, pd.DataFrame) and column in clips.columns:
        clips = clips[column].tolist()
    if not isinstance(clips, pd.DataFrame):
        clips = list(clips)
    try:
        check_is_fitted(featurizer)
    except NotFittedError:
        featurizer = clone(featurizer).fit(clips)
    except TypeError:
        pass
    return SoundProbes(featurizer, clips) if _are_sounds(clips, column) else TextProbes(featurizer, clips)


def _are_sounds(clips, column):
    """Paths of files, waveforms, or whatever goes to a featurizer of sounds; a missing file makes none of them text."""
    if isinstance(clips, pd.DataFrame):
        return False
    named = any(isinstance(clip, (tuple, os.PathLike)) for clip in clips)
    return named or column is not None or all(isinstance(clip, str) and os.path.isfile(clip) for clip in clips)


def _line(check, value, limit, meaning, *, worse="fault"):
    """One line; above the limit the verdict is `worse`."""
    bad = limit is not None and not value <= limit
    return check, float(value), np.nan if limit is None else limit, worse if bad else "ok", meaning


def _tried(check, measure, limit, meaning, *, worse="fault"):
    """One line of what `measure` returns; an error of the encoder is a fault, and does not end the report."""
    try:
        return _line(check, measure(), limit, meaning, worse=worse)
    except Exception as error:  # any error of a foreign encoder is what is looked for
        return _failed(check, error, limit, meaning)


def _failed(check, error, limit, meaning):
    return check, np.inf, limit, "fault", f"{meaning} {type(error).__name__}: {str(error)[:80]}"


def _company(probes, vectors):
    """Lines on what stands beside a clip."""
    rows, unlike = list(range(len(vectors))), unlike_distance(vectors)

    def moved(embed):
        return lambda: share_moved(vectors, embed(), unlike)

    yield _line("finite", 1 - np.isfinite(vectors).mean(), 0, "Share of numbers that are NaN or infinite.")
    alone = moved(lambda: np.concatenate([probes.embed([row]) for row in rows]))
    yield _tried("batch", alone, _SAME, "A clip's vector alone and among the others.")
    turned = moved(lambda: probes.embed(rows[::-1])[::-1])
    yield _tried("order", turned, _SAME, "A clip's vector in another order.")
    yield _tried("repeat", moved(lambda: probes.embed(rows)), _SAME, "A clip's vector a second time.")


def _shape(vectors):
    """Lines on the cloud of vectors."""
    vectors = np.nan_to_num(vectors, posinf=0.0, neginf=0.0)
    scale = np.abs(vectors).max() or 1.0
    dead = float((np.ptp(vectors, axis=0) <= 1e-7 * scale).mean())
    yield _line("dead", dead, _MANY_DEAD, "Share of dimensions that are the same for all clips.")
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(float).tiny)
    cosines = (units @ units.T)[np.triu_indices(len(units), 1)]
    yield _line(
        "collapse", cosines.mean(), _COLLAPSED, "Mean cosine of unlike clips; near 1 they cannot be told apart."
    )
    values = np.linalg.svd(units, compute_uv=False) ** 2
    narrow = values[0] / values.sum() if values.sum() > 0 else 1.0
    yield _line(
        "anisotropy", narrow, _NARROW, "Share of one direction in all vectors; subtract the mean if high.", worse="note"
    )


def _sound_lines(probes, vectors):
    """Lines on changes of the sound."""
    unlike = unlike_distance(vectors)
    long = probes.longest()
    own = probes.run_sounds(probes.sounds)

    def beside():
        return share_moved(own, probes.run_sounds([*probes.sounds, long])[:-1], unlike)

    def again():
        first, *others = (probes.run_sounds([long]) for _ in range(3))
        return max(share_moved(first, other, unlike) for other in others)

    def changed(change):
        return lambda: share_moved(own, probes.changed(change), unlike)

    def silent():
        found = probes.run_sounds([(np.zeros(rate, np.float32), rate) for _, rate in probes.sounds[:1]])
        return 1 - np.isfinite(found).mean()

    yield _tried("padding", beside, _SAME, "A clip's vector beside one of 35 s.")
    yield _tried("crop", again, _SAME, "A sound of 35 s three times; a part that is drawn at random differs.")
    yield _sample_rate(probes, unlike)
    soft = changed(lambda waveform, rate: (0.5 * waveform, rate))
    yield _tried("gain", soft, _FAR, "The sound 6 dB softer.", worse="note")
    tail = changed(lambda waveform, rate: (np.append(waveform, np.zeros(rate, np.float32)), rate))
    yield _tried("tail", tail, _FAR, "A second of silence at the end.", worse="note")
    yield _tried("silence", silent, 0, "Share of numbers of silence's vector that are not finite.")
    yield _shortest(probes)


def _sample_rate(probes, unlike):
    """Whether the sample rate is minded; what moves, but not to where a mix-up would, is what resampling leaves.

    An encoder that brings each band to one variance hears the last bits of a resampler in a band without sound.
    """
    check, limit, meaning = "sample rate", _NEAR, "The same sound at twice the sample rate."
    try:
        slow, fast, mixed = probes.same_at_two_rates()
        is_mixed = not np.linalg.norm(fast - mixed) > np.linalg.norm(fast - slow)
        moved = share_moved(slow, fast, unlike)
    except Exception as error:  # as in _tried
        return _failed(check, error, limit, meaning)
    return _line(check, moved, limit, meaning, worse="fault" if is_mixed else "note")


def _shortest(probes):
    """The shortest length that is read without an error or NaN."""
    worst, why = 0.0, "Shortest clip, in seconds, above which all lengths give finite vectors."
    for seconds, following in zip(LENGTHS, (*LENGTHS[1:], np.inf)):
        try:
            finite = np.isfinite(probes.of_length(seconds)).all()
        except Exception as error:  # any error of a foreign encoder is what is looked for
            finite, why = False, f"{type(error).__name__} with clips of {seconds:g} s: {str(error)[:80]}"
        if not finite:
            worst = following
    return _line("minimal length", worst, 0, why)


def _cost(probes, n_clips, memory):
    """Lines on what a pass over all clips cost."""
    yield _line("milliseconds a clip", 1000 * probes.seconds / n_clips, None, f"Time of one pass over {n_clips} clips.")
    if isinstance(probes, SoundProbes) and probes.duration:
        yield _line("seconds an hour", probes.seconds / probes.duration * 3600, None, "Time for an hour of such sound.")
    peak = max(0.0, _memory() - memory)
    yield _line("megabytes", peak, None, "What the pass added to the highest memory of this process so far.")


def _memory():
    """Highest memory of this process so far, in MB; 0 where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
