"""Classes from their names and descriptions, by the space of a text encoder."""

from string import Formatter

import numpy as np
from scipy.special import softmax

from skbst.exceptions import DataFormatError

__all__ = ["TEMPLATES", "class_prompts", "embed_prompts", "similarity_prior"]

#: Prompts of a class; several, since no single one is best for all encoders.
TEMPLATES = ("{name}", "This is a sound of {name}.", "{top}: {name}.", "{name}. {description}")
_FIELDS = frozenset(("code", "name", "top", "description"))


def class_prompts(taxonomy, code, templates=TEMPLATES):
    """Write the prompts of a class.

    Parameters
    ----------
    taxonomy : Taxonomy
        Has names and descriptions.

    code : str
        A leaf.

    templates : sequence of str
        With ``{name}``, ``{description}``, ``{top}``, ``{code}``; one that asks for what the tree lacks is skipped.

    Returns
    -------
    prompts : list of str
        At least one.
    """
    top = str(taxonomy.top_of([code])[0])
    fields = {"code": code, "name": taxonomy.leaf_names[code].replace(" / ", " or ").lower()}
    if top != code:
        fields["top"] = taxonomy.top_names[top]
    if taxonomy.leaf_descriptions[code]:
        fields["description"] = taxonomy.leaf_descriptions[code]
    usable = [template for template in templates if _names(template) <= fields.keys()]
    return list(dict.fromkeys(template.format(**fields).strip() for template in usable)) or [fields["name"]]


def _names(template):
    try:
        names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise DataFormatError(f"Template {template!r} cannot be read ({error}).") from error
    if not names:
        raise DataFormatError(f"Template {template!r} is the same for all classes; it needs one of {sorted(_FIELDS)}.")
    if not names <= _FIELDS:
        raise DataFormatError(f"Template {template!r} asks for {sorted(names - _FIELDS)}; known are {sorted(_FIELDS)}.")
    return names


def embed_prompts(encoder, prompts):
    """Mean direction of the prompts of each class.

    Parameters
    ----------
    encoder : transformer
        Fitted to the prompts, a list of str.

    prompts : list of list of str
        Of each class.

    Returns
    -------
    embeddings : ndarray of shape (n_classes, n_features), float32
        Of length 1.
    """
    flat = [prompt for group in prompts for prompt in group]
    vectors = np.asarray(encoder.fit(flat).transform(flat), dtype=np.float64)
    if not np.isfinite(vectors).all():
        raise DataFormatError("The encoder makes NaN or infinity of prompts of the classes; see encoder_report.")
    stops = np.cumsum([len(group) for group in prompts])
    means = [part.mean(axis=0) for part in np.split(_unit(vectors), stops[:-1])]
    return _unit(np.stack(means)).astype(np.float32)


def similarity_prior(vectors, class_embeddings, temperature):
    """Softmax of the cosines; a vector of zeros, or with a number that is not finite, knows nothing.

    Parameters
    ----------
    vectors : array-like of shape (n_samples, n_features)
        Of the clips.

    class_embeddings : ndarray of shape (n_classes, n_features)
        Of length 1.

    temperature : float
        Divisor of the cosines.

    Returns
    -------
    prior : ndarray of shape (n_samples, n_classes), float32
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    if vectors.ndim != 2 or vectors.shape[1] != class_embeddings.shape[1]:
        raise DataFormatError(
            f"The vectors of the clips have shape {vectors.shape}, those of the classes {class_embeddings.shape}; both "
            "must come from one space."
        )
    vectors = np.where(np.isfinite(vectors).all(axis=1, keepdims=True), vectors, 0)
    known = np.linalg.norm(vectors, axis=1) > 0
    prior = softmax(_unit(vectors) @ class_embeddings.T.astype(np.float64) / temperature, axis=1)
    return np.where(known[:, None], prior, 0).astype(np.float32)


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(float).tiny)
