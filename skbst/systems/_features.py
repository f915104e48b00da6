"""Which featurizers a system needs."""

from collections.abc import Mapping

from skbst.exceptions import DataFormatError
from skbst.features import (
    AudioStatisticsFeaturizer,
    ClapAudioFeaturizer,
    ClapTextFeaturizer,
    ClipFeaturizer,
    LogMelFeaturizer,
    LogSTFTFeaturizer,
    MFCCFeaturizer,
    ShippedEmbeddingFeaturizer,
    TextLSAFeaturizer,
)
from skbst.systems._own_encoders import own_featurizers

__all__ = ["clip_features"]

_SPECTRAL = {
    "log-mel": ("log_mel", LogMelFeaturizer),
    "mfcc": ("mfcc", MFCCFeaturizer),
    "log-stft": ("log_stft", LogSTFTFeaturizer),
}


def clip_features(embeddings, *, root, modalities, branches, store, random_state, device, n_jobs, verbose):
    """Unfitted `ClipFeaturizer` of a system.

    Parameters
    ----------
    embeddings : {"clap", "shipped", "builtin"} or dict
        Where embeddings come from; see `make_system`.

    root : str, path-like or None
        Folder of shipped embeddings.

    modalities : {"both", "audio", "text"}
        What the user has.

    branches : iterable of {"log-mel", "mfcc", "log-stft"}
        Acoustic branches of the members.

    store, random_state, device, n_jobs, verbose
        Handed to the featurizers.

    Returns
    -------
    featurizer : ClipFeaturizer

    Raises
    ------
    DataFormatError
        If a branch is asked for without sound, or a name is unknown.
    """
    if modalities not in ("both", "audio", "text"):
        raise DataFormatError(f"modalities must be 'both', 'audio' or 'text'; got {modalities!r}.")
    branches = sorted(set(branches))
    if modalities == "text" and branches:
        raise DataFormatError(f"modalities='text' has no sound for the branches {branches}; use a system without them.")
    if isinstance(embeddings, Mapping):
        chosen = own_featurizers(embeddings, modalities=modalities, device=device)
    else:
        makers = _embedding_featurizers(embeddings, root, store, random_state, device, n_jobs, verbose)
        chosen = [item for role, item in makers.items() if modalities in ("both", role)]
    chosen += [(_SPECTRAL[branch][0], _SPECTRAL[branch][1]()) for branch in branches]
    return ClipFeaturizer(chosen, store=store, n_jobs=n_jobs, verbose=verbose)


def _embedding_featurizers(embeddings, root, store, random_state, device, n_jobs, verbose):
    if embeddings == "clap":
        shared = {"store": store, "device": device, "n_jobs": n_jobs, "verbose": verbose}
        audio, text = ClapAudioFeaturizer(**shared), ClapTextFeaturizer(**shared)
        return {"audio": ("clap_audio", audio), "text": ("clap_text", text)}
    if embeddings == "shipped":
        blocks = ("clap_audio", "clap_text")
        return {block[5:]: (block, ShippedEmbeddingFeaturizer(block, root=root)) for block in blocks}
    if embeddings == "builtin":
        shared = {"store": store, "n_jobs": n_jobs, "verbose": verbose}
        audio = AudioStatisticsFeaturizer(**shared)
        return {"audio": ("audio", audio), "text": ("text", TextLSAFeaturizer(random_state=random_state))}
    raise DataFormatError(
        "embeddings must be 'clap', 'shipped', 'builtin' or a dict of featurizers such as {'audio': "
        f"TransformersAudioFeaturizer(...), 'text': SentenceTransformerFeaturizer(...)}}; got {embeddings!r}."
    )
