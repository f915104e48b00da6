"""Load one sound, or many."""

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from skbst._progress import progress_bar
from skbst._sklearn import Interval, StrOptions, validate_params
from skbst.audio._clip_loader import ClipLoader
from skbst.audio._problems import announce_problems, problem_report

__all__ = ["load_clip", "load_clips", "start_positions"]

# clips of one task; taken as it is
_BATCH_SIZE = 16
_OPTIONS = {
    "sample_rate": [Interval(Integral, 1, None, closed="left")],
    "duration": [Interval(Real, 0, None, closed="neither"), None],
    "offset": [StrOptions({"start", "center", "random"})],
    "pad": [StrOptions({"constant", "repeat", "reflect"})],
    "on_error": [StrOptions({"silence", "raise"})],
}


@validate_params(_OPTIONS, prefer_skip_nested_validation=True)
def load_clip(
    source,
    *,
    sample_rate=16000,
    duration=5.0,
    offset="start",
    pad="constant",
    on_error="silence",
    random_state=None,
):
    """Load one sound as one channel of fixed rate and length.

    Only the part that is needed is decoded. The channels are averaged; the rate is changed by soxr's HQ resampler.

    Parameters
    ----------
    source : str, path-like, or tuple (waveform, sample_rate)
        Any file that libsndfile reads, or an array of shape (n_frames,) or (n_frames, n_channels) with its rate in Hz
        (an array alone has `sample_rate`; integers are scaled to [-1, 1]).

    sample_rate : int, default=16000
        Rate of the waveform, in Hz.

    duration : float, default=5.0
        Its length in seconds; None keeps the length of the sound.

    offset : {"start", "center", "random"}, default="start"
        Which part of a longer sound is taken.

    pad : {"constant", "repeat", "reflect"}, default="constant"
        What follows a shorter sound: silence, the sound again, or the sound mirrored.

    on_error : {"silence", "raise"}, default="silence"
        What becomes of a sound that cannot be decoded: silence and a warning, or an error.

    random_state : int, Generator or RandomState, default=None
        For ``offset="random"``. NumPy's global generator is never touched.

    Returns
    -------
    waveform : ndarray of shape (duration * sample_rate,), float32 in [-1, 1]
        The sound. Resampling may overshoot the range by a little.

    n_valid : int
        How many of its first samples hold sound: silence that was added never counts. 0 if nothing could be decoded.

    Raises
    ------
    AudioDecodeError
        With ``on_error="raise"``, if the sound cannot be decoded.

    DataFormatError
        If an array is no waveform or its rate no rate.

    Warns
    -----
    AudioDecodeWarning
        If the sound became silence, or only a part of it was sound.

    See Also
    --------
    load_clips : Many sounds in parallel, with a record of what was wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.audio import load_clip
    >>> second = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    >>> waveform, n_valid = load_clip((second, 44100))
    >>> waveform.shape, n_valid
    ((80000,), 16000)
    """
    loader = ClipLoader(sample_rate, duration, pad)
    position = start_positions(offset, 1, random_state)[0]
    waveform, n_valid, problem = loader.load(source, position)
    if problem is not None:
        report = problem_report({0: problem}, sources=[source])
        announce_problems(report, 1, on_error=on_error, stacklevel=3)
    return waveform, n_valid


@validate_params({**_OPTIONS, "sources": ["array-like"]}, prefer_skip_nested_validation=True)
def load_clips(
    sources,
    *,
    sample_rate=16000,
    duration=5.0,
    offset="start",
    pad="constant",
    on_error="silence",
    random_state=None,
    n_jobs=None,
    verbose=0,
):
    """Load many sounds in parallel.

    The waveforms stand in memory together: 5 s at 16 kHz are 320 kB a sound. The featurizers never hold more than a
    batch of them.

    Parameters
    ----------
    sources : sequence of str, path-like or tuple (waveform, sample_rate)
        The sounds, as in `load_clip`. The index of a Series names them in the report. A cell that is none of these (a
        number, a list) is the problem "no path" of its row, as it is for the featurizers.

    sample_rate, duration, offset, pad, on_error, random_state
        As in `load_clip`. ``offset="random"`` draws one place a sound, whatever `n_jobs`.

    n_jobs : int, default=None
        Number of threads, as in joblib: decoding and resampling release the interpreter's lock.

    verbose : int, default=0
        Above 0 a progress bar is shown.

    Returns
    -------
    waveforms : ndarray of shape (n_sounds, duration * sample_rate), float32 in [-1, 1]
        With ``duration=None`` a list of arrays.

    n_valid : ndarray of shape (n_sounds,), int64
        How many of the first samples of each hold sound.

    report : DataFrame
        One row for each sound with something wrong; index ``sound_id``, columns ``audio``, ``reason``, ``silent``,
        ``detail``.

    Raises
    ------
    AudioDecodeError
        With ``on_error="raise"``, if a sound cannot be decoded.

    DataFormatError
        If an array is no waveform or its rate no rate.

    TypeError
        If `sources` is one path, a whole table, or without an order.

    Warns
    -----
    AudioDecodeWarning
        Once, if anything was wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.audio import load_clips
    >>> waveforms, n_valid, report = load_clips([(np.ones(8000), 8000), np.ones(100)], duration=1.0)
    >>> waveforms.shape, n_valid.tolist(), len(report)
    ((2, 16000), [16000, 100], 0)
    """
    if isinstance(sources, pd.DataFrame):
        raise TypeError("Expected a sequence of sounds, such as data['audio']; got a DataFrame.")
    if isinstance(sources, (set, frozenset, Mapping)):
        raise TypeError(f"Expected a sequence of sounds; got {type(sources).__name__}, which has no rows in an order.")
    ids = sources.index if isinstance(sources, pd.Series) else None
    sources = list(sources)
    loader = ClipLoader(sample_rate, duration, pad)
    positions = start_positions(offset, len(sources), random_state)
    if duration is None:
        waveforms = [None] * len(sources)
    else:
        waveforms = np.empty((len(sources), loader.n_samples), dtype=np.float32)
    n_valid, problems = np.zeros(len(sources), dtype=np.int64), {}
    batches = [range(i, min(i + _BATCH_SIZE, len(sources))) for i in range(0, len(sources), _BATCH_SIZE)]
    parallel = Parallel(n_jobs=n_jobs, require="sharedmem", return_as="generator")
    jobs = parallel(delayed(_load_batch)(loader, sources, positions, rows, waveforms, n_valid) for rows in batches)
    with progress_bar(total=len(sources), desc="Decoding", verbose=verbose) as bar:
        for rows, found in zip(batches, jobs):
            problems.update(found)
            bar.update(len(rows))
    report = problem_report(problems, ids=ids, sources=sources)
    announce_problems(report, len(sources), on_error=on_error, stacklevel=3)
    return waveforms, n_valid, report


def start_positions(offset, n_sounds, random_state=None):
    """Place of each crop among all possible ones, in [0, 1].

    Parameters
    ----------
    offset : {"start", "center", "random"}
        Which part of a longer sound is taken.

    n_sounds : int
        How many places.

    random_state : int, Generator or RandomState, default=None
        For ``offset="random"``; None draws fresh entropy and leaves NumPy's global generator alone.

    Returns
    -------
    positions : ndarray of shape (n_sounds,), float
        0 is the start, 1 the end.

    Examples
    --------
    >>> from skbst.audio import start_positions
    >>> start_positions("center", 2)
    array([0.5, 0.5])
    """
    if offset != "random":
        return np.full(n_sounds, {"start": 0.0, "center": 0.5}[offset])
    if isinstance(random_state, np.random.RandomState):
        return random_state.random_sample(n_sounds)
    return np.random.default_rng(random_state).random(n_sounds)


def _load_batch(loader, sources, positions, rows, waveforms, n_valid):
    """Load some sounds into their rows; returns what was wrong."""
    problems = {}
    for i in rows:
        out = None if loader.duration is None else waveforms[i]
        waveform, n_valid[i], problem = loader.load(sources[i], positions[i], out=out)
        if out is None:
            waveforms[i] = waveform
        if problem is not None:
            problems[i] = problem
    return problems
