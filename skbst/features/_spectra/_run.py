"""Run featurizers of frames over sounds, with those together that can share the decoding."""

from skbst.audio import problem_report, start_positions
from skbst.features._spectra._stream import MemoryOutput, stream_frames
from skbst.features._store._access import folder_of
from skbst.features._store._frame_output import StoreOutput, sound_keys
from skbst.features._store._frames import all_locked

__all__ = ["group_by_loading", "make_frames"]


def group_by_loading(named):
    """Put featurizers together that load sounds in the same way.

    Parameters
    ----------
    named : list of tuple (str, SpectralFeaturizer)
        The featurizers.

    Returns
    -------
    groups : list of list of tuple (str, SpectralFeaturizer)
        In each, the loader, the place of a crop, the column and the folder of the store are the same.
    """
    groups = {}
    for name, featurizer in named:
        key = (featurizer._loading(), featurizer.column, str(folder_of(featurizer)))
        groups.setdefault(key, []).append((name, featurizer))
    return list(groups.values())


def make_frames(featurizers, sources):
    """Run featurizers that load sounds in the same way over them; each sound is decoded once.

    Parameters
    ----------
    featurizers : list of SpectralFeaturizer
        One of the groups of `group_by_loading`; the first one's `n_jobs` and `verbose` count.

    sources : Sources
        The sounds.

    Returns
    -------
    results : list of tuple (frames, rows, lengths)
        For each featurizer the frames, which of them each sound has (None: in order), and the lengths.

    report : DataFrame
        What was wrong with which sound.
    """
    leader, n_sounds = featurizers[0], len(sources)
    loader = leader._clip_loader()
    positions = start_positions(leader.offset, n_sounds, leader.random_state)
    kernels = [featurizer._kernel(featurizer._power_spectrum()) for featurizer in featurizers]
    options = {"n_jobs": leader.n_jobs, "verbose": leader.verbose}
    folder = folder_of(leader)
    if folder is None:
        outputs = [MemoryOutput(kernel, n_sounds) for kernel in kernels]
        stream_frames(sources.items, positions, loader, outputs, **options)
        made = [output.result() for output in outputs]
    else:
        stores = [featurizer._store(folder, kernel) for featurizer, kernel in zip(featurizers, kernels)]
        keys = sound_keys(sources.items, positions, loader.sample_rate)
        made = _made_with_stores(kernels, stores, keys, (sources.items, positions, loader), options)
    problems = made[0][3]
    report = problem_report(problems, ids=sources.ids, sources=sources.items)
    results = [
        (frames, rows, kernel.spectrum.n_sound_frames(n_valid))
        for kernel, (frames, rows, n_valid, _) in zip(kernels, made)
    ]
    return results, report


def _made_with_stores(kernels, stores, keys, loading, options):
    """Results of all kernels; stores that hold everything are read without a lock."""

    def outputs_of():
        return [StoreOutput(kernel, store, keys, loading[0]) for kernel, store in zip(kernels, stores)]

    outputs = outputs_of()
    if any(output.todo.any() for output in outputs):
        with all_locked(stores):
            outputs = outputs_of()
            stream_frames(*loading, outputs, **options)
            made = [output.result() for output in outputs]
    else:
        made = [output.result() for output in outputs]
    for output in outputs:
        output.tell_of_damage()
    return made
