"""The official baseline as a Pipeline."""

from skbst._docstrings import completed_by
from skbst._versioned import renamed_parameter
from skbst.systems._make_system import make_system

__all__ = ["baseline"]


@completed_by(make_system)
@renamed_parameter("memory_map")
def baseline(
    *,
    embeddings="clap",
    root=None,
    modalities="both",
    size="report",
    taxonomy=None,
    store=None,
    random_state=None,
    device="auto",
    n_jobs=None,
    verbose=0,
):
    """Build the baseline: CLAP embeddings of sound and text into the HATR network (report, Table 1, first row).

    Parameters
    ----------
    modalities : {"both", "audio", "text"}, default="both"
        What the user has; the other embedding is left out.

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
        store=store,
        random_state=random_state,
        device=device,
        n_jobs=n_jobs,
        verbose=verbose,
    )
