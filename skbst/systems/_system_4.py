"""System 4: six models vote, once per fold, averaged."""

from skbst._docstrings import completed_by
from skbst._versioned import renamed_parameter
from skbst.ensemble import FoldEnsembleClassifier
from skbst.model_selection import OfficialKFold
from skbst.systems._ensemble import SYSTEM_4_WEIGHTS, branches_of, members_for, voting
from skbst.systems._make_system import make_system, pipeline

__all__ = ["system_4"]


@completed_by(make_system)
@renamed_parameter("memory_map")
def system_4(
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
    """Build System 4: six models vote with 1, 1, 3, 2, 1 and 3 elevenths, once per fold (report, section 3.3).

    Parameters
    ----------
    modalities : {"both", "audio", "text"}, default="both"
        What the user has. ``"text"`` has no sound for the branches: the members without one vote,
        Flat, GC and LCL with 2, 1 and 3 sixths.

    cv : int or splitter, default=None
        Folds of the ensemble; None takes the five official ones.

    Returns
    -------
    system : SystemPipeline
        Unfitted; fits on ``load_bsd(root).data`` and ``.target``.

    Examples
    --------
    >>> from skbst.systems import system_4
    >>> vote = system_4(embeddings="builtin", size="small", random_state=0)[-1].estimator
    >>> [(name, round(11 * weight)) for (name, _), weight in zip(vote.estimators, vote.weights)]
    [('log_mel', 1), ('mfcc', 1), ('kd_log_stft', 3), ('flat', 2), ('gc', 1), ('lcl', 3)]
    """
    weights = members_for(modalities, SYSTEM_4_WEIGHTS)
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
