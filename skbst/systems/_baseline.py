"""The official baseline as a Pipeline."""

from skbst.systems._make_system import make_system

__all__ = ["baseline"]


def baseline(
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
    """Build the baseline: CLAP embeddings of sound and text into the HATR network (report, Table 1, first row).

    Parameters
    ----------
    embeddings : {"clap", "shipped", "builtin"} or dict, default="clap"
        Computed CLAP embeddings; those that lie in the dataset's folder; or the embedded defaults that need no
        download; or a dict of featurizers, one or several for each role (see `make_system`).

    root : str or path-like, default=None
        The dataset's folder, for ``embeddings="shipped"``: vectors are found by sound_id there, whether there are
        sounds or not. None looks, for each row, in the folder above the one that its sound lies in.

    modalities : {"both", "audio", "text"}, default="both"
        What the user has; the other embedding is left out.

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
        Unfitted; fits on ``load_bsd(root).data`` and ``.target``.

    Examples
    --------
    >>> from skbst.systems import baseline
    >>> [name for name, _ in baseline(embeddings="builtin")[0].featurizers]
    ['audio', 'text']
    """
    return make_system(
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
