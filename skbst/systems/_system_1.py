"""System 1: the log-STFT model with its neighbours."""

from skbst._docstrings import completed_by
from skbst._versioned import renamed_parameter
from skbst.systems._make_system import make_system

__all__ = ["system_1"]


@completed_by(make_system)
@renamed_parameter("memory_map")
def system_1(
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
    """Build System 1: the log-STFT network with the neighbour prior (report, sections 2.3 and 3.3).

    Parameters
    ----------
    modalities : {"both", "audio", "text"}, default="both"
        What the user has. ``"text"`` has no sound for the branch: the baseline's network, with the neighbours.

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
        store=store,
        random_state=random_state,
        device=device,
        n_jobs=n_jobs,
        verbose=verbose,
    )
