"""One model of the report as a Pipeline from clips to class codes."""

from skbst._torch import check_device
from skbst._versioned import renamed_parameter
from skbst.exceptions import DataFormatError
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier, KNNDistillationClassifier, Recipe
from skbst.systems._features import clip_features
from skbst.systems._system_pipeline import SystemPipeline

__all__ = ["classifier", "make_system", "pipeline"]


@renamed_parameter("memory_map")
def make_system(
    branch=None,
    head="baseline",
    *,
    neighbours=False,
    distillation=False,
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
    """Build one row of the report's Tables 1 and 2.

    Parameters
    ----------
    branch : {"log-stft", "log-mel", "mfcc"}, default=None
        Acoustic branch; None uses the embeddings alone.

    head : {"baseline", "flat", "gc", "lcl"}, default="baseline"
        Classification head.

    neighbours : bool, default=False
        Whether the neighbour prior is blended in (report, section 2.3, "Post-").

    distillation : bool, default=False
        Whether neighbour targets are distilled into the network (report, section 2.3, "KD-").

    embeddings : {"clap", "shipped", "builtin"} or dict, default="clap"
        Computed CLAP embeddings; those that lie in the dataset's folder; or `AudioStatisticsFeaturizer` and
        `TextLSAFeaturizer`, which need no download. Or featurizers of one's own by role, "audio" and "text", one or
        several, in a list or a dict by name: ``{"audio": [ClapAudioFeaturizer(), TransformersAudioFeaturizer(...)],
        "text": {"title": SentenceTransformerFeaturizer(...)}}``. Their blocks are named after their classes
        ("clap_audio", "transformers_audio", a second one of a class "transformers_audio_2") or as the dict says, with
        the role at the end ("title_text"). A third role, "prior", takes one `ClassPriorFeaturizer` or
        `LLMPriorFeaturizer`, for the block of that name.

    root : str or path-like, default=None
        The dataset's folder, for ``embeddings="shipped"``: vectors are found by sound_id there, whether there are
        sounds or not. None looks, for each row, in the folder above the one that its sound lies in.

    modalities : {"both", "audio", "text"}, default="both"
        What the user has. The other embedding is left out.

    size : {"report", "small"}, default="report"
        The report's sizes and recipe, to the parameter. Or the same code small enough for a CPU in minutes, for few
        clips and for embeddings of any kind: it adds to linear models of the embeddings (`skbst.nn.LinearPrior`) and
        trains on all rows down a cosine for 40 epochs, for few clips leave none for early stopping, with three times
        the report's dropout; a branch, with logits of its own, and the adapter of the text join for 10 more, while all
        else stays as it is.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    store : str or path-like, default=None
        Folder in which frames and embeddings that need no learning are kept; see `skbst.features.ClipFeaturizer`.
        Folds and searches then make them once, and a sound that is there is not decoded again.

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
        Unfitted; steps ``"features"`` and ``"classifier"``. Fits on ``load_bsd(root).data`` and ``.target``.

    Examples
    --------
    >>> from skbst.systems import make_system
    >>> system = make_system("mfcc", "lcl", embeddings="builtin", size="small")
    >>> [name for name, _ in system[0].featurizers]
    ['audio', 'text', 'mfcc']
    >>> system[-1].head
    'lcl'
    """
    model = classifier(
        branch, head, size=size, taxonomy=taxonomy, random_state=random_state, device=device, verbose=verbose
    )
    if distillation:
        model = KNNDistillationClassifier(model)
    if neighbours:
        model = KNNPriorBlender(model)
    features = {
        "root": root,
        "modalities": modalities,
        "store": store,
        "n_jobs": n_jobs,
    }
    branches = [] if branch is None else [branch]
    return pipeline(model, embeddings, branches, random_state=random_state, device=device, verbose=verbose, **features)


def classifier(branch, head, *, size, taxonomy, random_state, device, verbose, refit=False):
    """Unfitted network of a member: the report's to the parameter, or a small one; with `refit` on all rows."""
    if size not in ("report", "small"):  # said now, and not after an hour of featurizing
        raise DataFormatError(f"size must be 'report' or 'small'; got {size!r}.")
    check_device(device)
    return BranchClassifier(
        branch,
        head,
        size=size,
        # the small recipe holds no rows out
        recipe=Recipe(refit=True) if refit and size == "report" else size,
        taxonomy=taxonomy,
        random_state=random_state,
        device=device,
        verbose=verbose,
    )


def pipeline(model, embeddings, branches, **features):
    """Featurizers of the branches before a classifier."""
    return SystemPipeline(
        [("features", clip_features(embeddings, branches=branches, **features)), ("classifier", model)]
    )
