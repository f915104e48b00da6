"""Text to token numbers, cut to what CLAP's text encoder was trained on."""

import hashlib
import threading

from skbst.exceptions import DownloadError
from skbst.features._clap._checkpoint._download import WITHOUT_CLAP, require_clap
from skbst.features._embedding._text_groups import group_by_shape

__all__ = ["GROUP_SIZE", "MAX_TOKENS", "Tokenizer", "group_texts", "load_tokenizer", "padded_length"]

#: Length of a text in laion-clap's training, marks of start and end included; transformers would read 512.
MAX_TOKENS = 77
# few lengths, so that texts meet others of theirs; taken as it is
_PADDED_TO = 8
#: Texts of a whole group; taken as it is.
GROUP_SIZE = 8


class Tokenizer:
    """A byte-pair tokenizer that cuts at `MAX_TOKENS` and does not pad.

    Parameters
    ----------
    inner : PreTrainedTokenizerFast
        Any tokenizer of transformers.
    """

    def __init__(self, inner):
        self._inner = inner
        self._lock = threading.Lock()
        backend = getattr(inner, "backend_tokenizer", None)
        vocabulary = backend.to_str() if backend is not None else repr(sorted(inner.get_vocab().items()))
        self.digest = hashlib.sha256(vocabulary.encode()).hexdigest()

    def __call__(self, text):
        """Token numbers of one text, a list of at most `MAX_TOKENS` int."""
        with self._lock:
            return self._inner(text, truncation=True, max_length=MAX_TOKENS)["input_ids"]

    def count(self, text):
        """Count the tokens of a text, not cut."""
        with self._lock:
            return len(self._inner(text, truncation=False, verbose=False)["input_ids"])


def padded_length(token_ids):
    """Number of tokens after padding: the next multiple of 8 above.

    laion-clap pads to 77, at the same cost for every text. At least one token is padded, because attention without any
    goes another way and rounds differently.
    """
    return (len(token_ids) // _PADDED_TO + 1) * _PADDED_TO


def group_texts(token_ids):
    """Put texts of one padded length together.

    Parameters
    ----------
    token_ids : list of list of int
        Texts.

    Returns
    -------
    groups : list of list of int
        Positions.
    """
    return group_by_shape({i: padded_length(ids) for i, ids in enumerate(token_ids)}, lambda _: GROUP_SIZE)


def load_tokenizer(name):
    """Load a tokenizer from a folder or the hub's cache, else from the hub.

    Parameters
    ----------
    name : str or path-like
        A folder, or a hub repository such as ``"roberta-base"``.

    Returns
    -------
    tokenizer : Tokenizer

    Raises
    ------
    DownloadError
        If it is not on this machine and cannot be fetched.
    """
    transformers = require_clap("transformers", "CLAP's text encoder")
    try:
        return Tokenizer(transformers.AutoTokenizer.from_pretrained(name, local_files_only=True))
    except (OSError, ValueError):
        pass
    try:
        return Tokenizer(transformers.AutoTokenizer.from_pretrained(name))
    except (OSError, ValueError) as error:
        raise DownloadError(
            f"The tokenizer {str(name)!r} is not on this machine and could not be fetched "
            f"({str(error).strip().splitlines()[0]}). Without a network: save vocab.json, merges.txt, tokenizer.json "
            f"and config.json of https://huggingface.co/roberta-base in a folder and pass it as "
            f"`tokenizer`. {WITHOUT_CLAP}"
        ) from error
