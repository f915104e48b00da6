"""What the name of a block says of it."""

__all__ = ["EMBEDDING_ROLES", "PRIOR_BLOCK", "embedding_role"]

EMBEDDING_ROLES = ("audio", "text")
#: A block of this name holds what is known of the classes beforehand (see `skbst.features.ClassPriorFeaturizer`).
PRIOR_BLOCK = "prior"


def embedding_role(name):
    """Whether a block is an embedding of sounds or of texts, by the last or else the first word of its name.

    A number at the end does not count.

    Parameters
    ----------
    name : str
        Words joined by underscores.

    Returns
    -------
    role : {"audio", "text"} or None

    Examples
    --------
    >>> from skbst._block_names import embedding_role
    >>> [embedding_role(name) for name in ("clap_audio_2", "text_lsa", "text_to_audio", "log_mel")]
    ['audio', 'text', 'audio', None]
    """
    words = name.split("_")
    words = words[:-1] if len(words) > 1 and words[-1].isdigit() else words
    return next((word for word in (words[-1], words[0]) if word in EMBEDDING_ROLES), None)
