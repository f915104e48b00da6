"""System 3: System 2 once per fold, averaged."""

from skbst._docstrings import completed_by
from skbst._versioned import renamed_parameter
from skbst.ensemble import FoldEnsembleClassifier
from skbst.model_selection import OfficialKFold
from skbst.systems._ensemble import SYSTEM_2_WEIGHTS, branches_of, members_for, voting
from skbst.systems._make_system import make_system, pipeline

__all__ = ["system_3"]


@completed_by(make_system)
@renamed_parameter("memory_map")
def system_3(
    *,
    embeddings="clap",
    root=None,
    modalities="both",
    size="report",
    taxonomy=None,
    cv=None,
    store=None,
    random_state=None,
    device="auto",
    n_jobs=None,
    verbose=0,
):
    """Build System 3: the vote of System 2, trained once per fold and averaged (report, section 3.3).

    Parameters
    ----------
    modalities : {"both", "audio", "text"}, default="both"
        What the user has. ``"text"`` has no sound for the branches: the members without one vote,
        Flat and LCL with 0.75 and 0.25.

    cv : int or splitter, default=None
        Folds of the ensemble; None takes the five official ones.

    Returns
    -------
    system : SystemPipeline
        Unfitted; fits on ``load_bsd(root).data`` and ``.target``.

    Examples
    --------
    >>> from skbst.systems import system_3
    >>> system_3(embeddings="builtin", size="small", random_state=0)[-1].estimator.weights
    [0.4, 0.2, 0.3, 0.1]
    """
    weights = members_for(modalities, SYSTEM_2_WEIGHTS)
    settings = {"size": size, "taxonomy": taxonomy, "random_state": random_state, "device": device, "verbose": verbose}
    model = voting(weights, **settings)
    model = FoldEnsembleClassifier(model, cv=OfficialKFold() if cv is None else cv)
    features = {
        "root": root,
        "modalities": modalities,
        "store": store,
        "n_jobs": n_jobs,
    }
    branches = branches_of(weights)
    return pipeline(model, embeddings, branches, random_state=random_state, device=device, verbose=verbose, **features)
