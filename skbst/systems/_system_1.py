"""System 1: the log-STFT model with its neighbours."""

from skbst.systems._make_system import make_system

__all__ = ["system_1"]


def system_1(
    *,
    embeddings="clap",
    root=None,
    modalities="both",
    size="report",
    taxonomy=None,
    store=None,
    memory_map=None,
    random_state=None,
    device="auto",
    n_jobs=None,
    verbose=0,
):
    """Build System 1: the log-STFT network with the neighbour prior (report, sections 2.3 and 3.3).

    Parameters
    ----------
    embeddings : {"clap", "shipped", "builtin"} or dict, default="clap"
        Computed CLAP embeddings; those that lie in the dataset's folder; or the embedded defaults that need no
        download; or a dict of featurizers, one or several for each role (see `make_system`).

    root : str or path-like, default=None
        The dataset's folder, for ``embeddings="shipped"``: vectors are found by sound_id there, whether there are
        sounds or not. None looks, for each row, in the folder above the one that its sound lies in.

    modalities : {"both", "audio", "text"}, default="both"
        What the user has. ``"text"`` has no sound for the branch: the baseline's network, with the neighbours.

    size : {"report", "small"}, default="report"
        The report's sizes, or the same code small enough for a CPU in minutes.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    store : str or path-like, default=None
        Folder in which frames and embeddings that need no learning are kept; see `skbst.features.ClipFeaturizer`.
        Folds and searches then make them once, and a sound that is there is not decoded again.

    memory_map : str or path-like, default=None
        The older name of `store`.

    random_state : int, RandomState or None, default=None
        Seed of everything that is drawn.

    device : str, default="auto"
        Torch device.

    n_jobs : int, default=None
        Number of threads of the featurizers.

    verbose : int, default=0
        Above 0 progress bars are shown.

    Returns
    -------
    system : SystemPipeline
        Unfitted; fits on ``load_bsd(root).data`` and ``.target``. A search sets ``classifier__alpha``,
        ``classifier__k`` and ``classifier__temperature``.

    Examples
    --------
    >>> from skbst.systems import system_1
    >>> system = system_1(embeddings="builtin", size="small", random_state=0)
    >>> system[-1].estimator.branch, system.set_params(classifier__alpha=0.2)[-1].alpha
    ('log-stft', 0.2)
    """
    return make_system(
        None if modalities == "text" else "log-stft",
        neighbours=True,
        embeddings=embeddings,
        root=root,
        modalities=modalities,
        size=size,
        taxonomy=taxonomy,
        store=store if store is not None else memory_map,
        random_state=random_state,
        device=device,
        n_jobs=n_jobs,
        verbose=verbose,
    )
