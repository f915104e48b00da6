"""A user's own encoders, and the blocks that they fill."""

import re
from collections.abc import Mapping

from sklearn.base import clone

from skbst._block_names import EMBEDDING_ROLES, PRIOR_BLOCK, embedding_role
from skbst.exceptions import DataFormatError

__all__ = ["own_featurizers"]


def own_featurizers(embeddings, *, modalities, device):
    """Name the featurizers of a dict by role.

    A block is named after the class of its featurizer and its role: "clap_audio", "transformers_audio",
    "sentence_transformer_text"; a second one of a class gets the number 2, and the first keeps its name. Names of the
    user's own get the role at their end where they do not have it: "title" becomes "title_text".

    Parameters
    ----------
    embeddings : dict
        As in `make_system`.

    modalities : {"both", "audio", "text"}
        What the user has.

    device : str
        Handed to clones of those that leave it open.

    Returns
    -------
    featurizers : list of tuple (str, transformer)
        Those of sounds, those of texts, and a prior.

    Raises
    ------
    DataFormatError
        If a role is unknown, nothing is left, something is no featurizer, or a name is given twice.
    """
    unknown = [role for role in embeddings if role not in (*EMBEDDING_ROLES, PRIOR_BLOCK)]
    if unknown:
        raise DataFormatError(
            f"embeddings has the key(s) {unknown}; a dict of featurizers has 'audio', 'text' and 'prior'."
        )
    chosen = []
    for role in EMBEDDING_ROLES:
        if modalities in ("both", role):
            chosen += _named(role, embeddings.get(role))
    if not chosen:
        raise DataFormatError(
            f"embeddings={embeddings!r} with modalities={modalities!r} leaves no encoder; give at least one under "
            "'audio' or 'text'."
        )
    if embeddings.get(PRIOR_BLOCK) is not None:
        chosen.append((PRIOR_BLOCK, _checked(embeddings[PRIOR_BLOCK], PRIOR_BLOCK)))
    return [(name, _on_device(featurizer, device)) for name, featurizer in chosen]


def _named(role, given):
    """Blocks of one role; `given` is a featurizer, a list of them or of (name, featurizer), or a dict by name."""
    if given is None:
        return []
    if isinstance(given, Mapping):
        given = list(given.items())
    items = list(given) if isinstance(given, (list, tuple)) else [given]
    if len(items) == 2 and isinstance(items[0], str):  # one (name, featurizer), not a list of two
        items = [tuple(items)]
    named = []
    for item in items:
        own, featurizer = item if isinstance(item, tuple) and len(item) == 2 else (None, item)
        name = _with_role(_class_name(_checked(featurizer, role)) if own is None else str(own), role)
        taken = [other for other, _ in named]
        if own is not None and name in taken:
            raise DataFormatError(
                f"embeddings[{role!r}] has the name {name!r} twice; every encoder needs one of its own."
            )
        named.append((_free(name, taken), featurizer))
    return named


def _class_name(featurizer):
    """Words of a class: "ClapAudioFeaturizer" is "clap_audio"."""
    name = (
        re.sub("(Featurizer|Transformer|Encoder|Embedder)$", "", type(featurizer).__name__) or type(featurizer).__name__
    )
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).strip("_").lower()


def _with_role(name, role):
    return name if embedding_role(name) == role else f"{name}_{role}"


def _free(name, taken):
    """The name, or with the first number from 2 that is free."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def _checked(featurizer, role):
    if isinstance(featurizer, type) or not (hasattr(featurizer, "fit") and hasattr(featurizer, "transform")):
        raise DataFormatError(
            f"embeddings[{role!r}] takes featurizers such as {'SentenceTransformer' if role == 'text' else 'ClapAudio'}"
            f"Featurizer(), one or a list; got {featurizer!r}."
        )
    return featurizer


def _on_device(featurizer, device):
    """A clone, which computes where the system does if it has no device of its own."""
    featurizer = clone(featurizer)
    if "device" in featurizer.get_params(deep=False) and featurizer.device == "auto":
        featurizer.set_params(device=device)
    return featurizer
