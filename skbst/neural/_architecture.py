"""From a plain description of a network to the modules."""

import torch

from skbst.nn import (
    HATR,
    BaselineHead,
    BranchHead,
    ClassPriorEmbedding,
    ClipNet,
    FlatHead,
    FramePrior,
    FrameStandardizer,
    GatedResidualFusion,
    GlobalHead,
    HighwayGateAdapter,
    LinearPrior,
    LocalPerLevelHead,
    LogMelMDFD,
    LogSTFTTransformer,
    MFCCResidualTDNN,
)

__all__ = ["BRANCHES", "HEADS", "SIZES", "build_module", "describe", "parents_tensor"]

BRANCHES = {"log-stft": LogSTFTTransformer, "log-mel": LogMelMDFD, "mfcc": MFCCResidualTDNN}
HEADS = ("baseline", "flat", "gc", "lcl")
SIZES = {
    "report": {
        "trunk": {"width": 128, "encoder_width": None, "n_blocks": 3},
        "log-stft": {},
        "log-mel": {},
        "mfcc": {},
    },
    "small": {
        "trunk": {"width": 64, "encoder_width": 128, "n_blocks": 1},
        "log-stft": {"d_model": 64, "n_layers": 2, "d_feedforward": 128, "stem_stride": 8},
        "log-mel": {"widths": (11, 11, 22, 22, 22, 22, 22), "stem_stride": (4, 2)},
        "mfcc": {"n_channels": 64},
    },
}


def describe(branch, head, size, recipe, *, shapes, taxonomy, is_plain):
    """Describe a network by plain numbers and text, all that is needed to build it again.

    Parameters
    ----------
    branch, head, size : as in the estimator

    recipe : Recipe
        Its parts.

    shapes : dict
        Shape of one row of "audio", "text", more embeddings, "frames" and "prior", where there are any.

    taxonomy : Taxonomy
        The tree of the classes, in their order.

    is_plain : bool
        Whether the rows are a plain array, of any scale.

    Returns
    -------
    architecture : dict
    """
    input_norm = recipe.input_norm
    if input_norm == "auto":
        input_norm = "batch" if is_plain else "length"
    others = {name: shape[0] for name, shape in shapes.items() if name not in ("audio", "text", "frames", "prior")}
    linear_prior = recipe.linear_prior and ("audio" in shapes or "text" in shapes)
    # a branch that is the sound's only view has its own path to the answer: through the trunk alone it learns slowly
    has_logits = branch is not None and ("audio" not in shapes or bool(recipe.branch_logits and linear_prior))
    late_fusion = has_logits and "audio" not in shapes and linear_prior and recipe.branch_logits
    late_fusion = bool(late_fusion and recipe.freeze_trunk and recipe.branch_start)
    adapter = branch == "log-stft" and not late_fusion if recipe.adapter == "auto" else recipe.adapter
    return {
        "branch": branch,
        "head": head,
        "size": size,
        "n_audio": shapes["audio"][0] if "audio" in shapes else None,
        "n_text": shapes["text"][0] if "text" in shapes else None,
        "n_others": others,
        "n_bins": shapes["frames"][1] if "frames" in shapes else None,
        "parent_of_leaf": [int(parent) for parent in taxonomy.parent_of_leaf],
        "n_tops": int(taxonomy.n_tops),
        "adapter": bool(adapter),
        "dropout": float(recipe.dropout),
        "input_norm": input_norm,
        "linear_prior": bool(linear_prior),
        # beside an audio embedding, which holds such statistics, branches were measured without
        "frame_prior": bool(recipe.linear_prior and branch is not None and "audio" not in shapes),
        "branch_logits": has_logits,
        "late_fusion": late_fusion,
        "branch_norm": "batch",
        "n_prior": shapes["prior"][0] if "prior" in shapes else None,
    }


def build_module(architecture):
    """Build the untrained `ClipNet` of a description; its weights come from torch's generator.

    What only some networks have is drawn last and leaves the generator as it was: under one seed a network with a
    branch has the trunk, the head and in training the dropout of the one without, and the two can be compared.
    """
    n_audio, n_text = architecture["n_audio"], architecture["n_text"]
    sizes, parts, n_classes = SIZES[architecture["size"]], {}, len(architecture["parent_of_leaf"])
    regularity = {"dropout": architecture["dropout"], "input_norm": architecture["input_norm"]}
    late_fusion = architecture.get("late_fusion", False)  # not there in networks of earlier versions
    # without an audio embedding to enrich, what the branch hears takes its place, or joins at the end
    alone = architecture["branch"] is not None and n_audio is None
    n_sound = _branch_width(architecture) if alone and not late_fusion else n_audio
    others = architecture.get("n_others", {})  # not there in networks of earlier versions
    trunk = HATR(n_sound, n_text, others=others, **regularity, **sizes["trunk"])
    head = _build_head(architecture, trunk.out_features)
    if architecture["linear_prior"]:
        unit_length = architecture["input_norm"] == "length"
        parts["prior"] = LinearPrior(n_audio, n_text, n_classes, others=others, unit_length=unit_length)
    with torch.random.fork_rng(devices=[]):
        if architecture["adapter"] and n_text is not None:
            parts["adapter"] = HighwayGateAdapter(n_text)
        if architecture["branch"] is not None:
            branch = parts["branch"] = _build_branch(architecture)
            parts["standardizer"] = FrameStandardizer(architecture["n_bins"])
            parts["fusion"] = None if alone else _build_fusion(architecture, branch.out_features)
        if architecture.get("frame_prior"):  # not there in networks of earlier versions
            parts["frame_prior"] = FramePrior(architecture["n_bins"], n_classes)
        if architecture["branch_logits"]:
            parts["branch_head"] = BranchHead(branch.out_features, n_classes, dropout=architecture["dropout"])
        if architecture.get("n_prior"):  # descriptions of before there were class priors do not name them
            parts["class_prior"] = ClassPriorEmbedding(architecture["n_prior"], n_classes, trunk.out_features)
    return ClipNet(trunk, head, late_fusion=late_fusion, **parts)


def parents_tensor(architecture):
    """Top level of each class as a tensor."""
    return torch.tensor(architecture["parent_of_leaf"], dtype=torch.int64)


def _build_branch(architecture):
    branch = architecture["branch"]
    return BRANCHES[branch](architecture["n_bins"], **SIZES[architecture["size"]][branch])


def _build_fusion(architecture, n_branch):
    branch_norm = architecture.get("branch_norm", "layer")  # not there in networks of earlier versions
    return GatedResidualFusion(architecture["n_audio"], n_branch, branch_norm=branch_norm)


def _branch_width(architecture):
    with torch.random.fork_rng(devices=[]):
        return _build_branch(architecture).out_features


def _build_head(architecture, in_features):
    head, dropout, parents = architecture["head"], architecture["dropout"], architecture["parent_of_leaf"]
    if head == "gc":
        return GlobalHead(in_features, parents)
    if head == "lcl":
        return LocalPerLevelHead(in_features, parents, dropout=dropout / 4)
    if head == "flat":
        return FlatHead(in_features, len(parents), dropout=dropout)
    return BaselineHead(in_features, len(parents), dropout=dropout / 4)
