"""From vectors that a data set ships to vectors that are computed here."""

from copy import deepcopy

import pandas as pd

from skbst.exceptions import DataFormatError
from skbst.features import ClapAudioFeaturizer, ClapTextFeaturizer, ClipFeaturizer, ShippedEmbeddingFeaturizer
from skbst.library._problems import clip_readers

__all__ = ["with_clap"]

_COMPUTED = {"clap_audio": ClapAudioFeaturizer, "clap_text": ClapTextFeaturizer}


def with_clap(model, *, store=None, **settings):
    """Copy a model that was trained on shipped CLAP vectors so that it computes them for sounds of your own.

    Shipped vectors are looked up by sound_id, and your sounds have none. The copy embeds sounds and texts with the same
    CLAP; everything else stays as it was fitted. How far computed vectors are from shipped ones is measured by
    `skbst.features.embedding_skew`.

    Parameters
    ----------
    model : classifier
        Fitted with `skbst.features.ShippedEmbeddingFeaturizer` inside a `skbst.features.ClipFeaturizer`: a system
        with ``embeddings="shipped"``.

    store : str or path-like, default=None
        Where vectors are kept, as in `embed_library`.

    **settings
        Handed to `skbst.features.ClapAudioFeaturizer` and `skbst.features.ClapTextFeaturizer`: ``checkpoint``,
        ``backend``, ``device``, ``n_jobs``.

    Returns
    -------
    model : classifier
        The copy.

    Raises
    ------
    DataFormatError
        If the model has no shipped vectors.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbst.library import with_clap
    >>> with_clap(LogisticRegression().fit([[0.0], [1.0]], ["fx-a", "m-sp"]))
    Traceback (most recent call last):
        ...
    skbst.exceptions.DataFormatError: LogisticRegression looks up no shipped vectors; it labels other sounds as it is.
    """
    changed, copied = 0, deepcopy(model)
    for reader in clip_readers(copied):
        if not isinstance(reader, ClipFeaturizer):
            continue
        for place, (name, part) in enumerate(reader.featurizers_):
            if isinstance(part, ShippedEmbeddingFeaturizer):
                computed = _fitted(_COMPUTED[part.block](store=store, **settings))
                reader.featurizers_[place] = (name, computed)
                reader.named_featurizers_[name] = computed
                changed += 1
    if not changed:
        raise DataFormatError(f"{type(model).__name__} looks up no shipped vectors; it labels other sounds as it is.")
    return copied


def _fitted(featurizer):
    """Nothing is learnt in its fit; a row is needed for the names of the columns alone."""
    row = {"audio": "", "title": "", "tags": "", "description": ""}
    return featurizer.fit(pd.DataFrame(row, index=["0"], dtype="str"))
