"""Weighted logit ensembles of the report's models over one set of features."""

from skbst.ensemble import HierarchicalVotingClassifier
from skbst.neural import KNNDistillationClassifier
from skbst.systems._make_system import classifier

__all__ = ["SYSTEM_2_WEIGHTS", "SYSTEM_4_WEIGHTS", "branches_of", "members_for", "voting"]

# report, section 3.3
SYSTEM_2_WEIGHTS = {"kd_log_stft": 0.4, "log_mel": 0.2, "flat": 0.3, "lcl": 0.1}
SYSTEM_4_WEIGHTS = {
    "log_mel": 1 / 11,
    "mfcc": 1 / 11,
    "kd_log_stft": 3 / 11,
    "flat": 2 / 11,
    "gc": 1 / 11,
    "lcl": 3 / 11,
}

_MEMBERS = {
    "kd_log_stft": ("log-stft", "baseline"),
    "log_mel": ("log-mel", "baseline"),
    "mfcc": ("mfcc", "baseline"),
    "flat": (None, "flat"),
    "gc": (None, "gc"),
    "lcl": (None, "lcl"),
}


def members_for(modalities, weights):
    """Weights of the members that have something to listen to or read; without sound those with a branch go."""
    if modalities != "text":
        return weights
    kept = {name: weight for name, weight in weights.items() if _MEMBERS[name][0] is None}
    return {name: weight / sum(kept.values()) for name, weight in kept.items()}


def voting(weights, *, taxonomy=None, **settings):
    """Unfitted vote of named members; `settings` go to each network."""
    members = []
    for name in weights:
        branch, head = _MEMBERS[name]
        model = classifier(branch, head, taxonomy=taxonomy, **settings)
        members.append((name, KNNDistillationClassifier(model) if name.startswith("kd_") else model))
    return HierarchicalVotingClassifier(members, voting="logit", weights=list(weights.values()), taxonomy=taxonomy)


def branches_of(weights):
    """Acoustic branches of the named members."""
    return [_MEMBERS[name][0] for name in weights if _MEMBERS[name][0] is not None]
