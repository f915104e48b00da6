"""System 2: four models vote, trained once on everything."""

from skbst._docstrings import completed_by
from skbst._versioned import renamed_parameter
from skbst.systems._ensemble import SYSTEM_2_WEIGHTS, branches_of, members_for, voting
from skbst.systems._make_system import make_system, pipeline

__all__ = ["system_2"]


@completed_by(make_system)
@renamed_parameter("memory_map")
def system_2(
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
    """Build System 2: KD-log-STFT, log-Mel, Flat and LCL vote with their logits (report, section 3.3).

    Weights are 0.4, 0.2, 0.3 and 0.1; each model is trained on all rows that `fit` gets. With ``size="report"`` it is
    first stopped beside five folds of them, then trained for the mean of the best epochs there, six fits for one; see
    ``refit`` of `skbst.neural.Recipe`.

    Parameters
    ----------
    modalities : {"both", "audio", "text"}, default="both"
        What the user has. ``"text"`` has no sound for the branches: the members without one vote,
        Flat and LCL with 0.75 and 0.25.

    Returns
    -------
    system : SystemPipeline
        Unfitted; fits on ``load_bsd(root).data`` and ``.target``.

    Examples
    --------
    >>> from skbst.systems import system_2
    >>> vote = system_2(embeddings="builtin", size="small", random_state=0)[-1]
    >>> dict(zip([name for name, _ in vote.estimators], vote.weights))
    {'kd_log_stft': 0.4, 'log_mel': 0.2, 'flat': 0.3, 'lcl': 0.1}
    """
    weights = members_for(modalities, SYSTEM_2_WEIGHTS)
    settings = {"size": size, "taxonomy": taxonomy, "random_state": random_state, "device": device, "verbose": verbose}
    model = voting(weights, refit=True, **settings)
    features = {
        "root": root,
        "modalities": modalities,
        "store": store,
        "n_jobs": n_jobs,
    }
    branches = branches_of(weights)
    return pipeline(model, embeddings, branches, random_state=random_state, device=device, verbose=verbose, **features)
