"""From the texts of one call to their embeddings."""

from itertools import chain

from skbst.features._clap._checkpoint._find import find_checkpoint
from skbst.features._clap._encoder import load_encoder, shared_tokenizer
from skbst.features._clap._tokenizer import MAX_TOKENS, group_texts
from skbst.features._embedding._threads import map_clips
from skbst.features._store._keys import content_key

__all__ = ["TextRun", "TokenCounter"]

# raise it when the same settings give other vectors than before
_FORMAT = 1


class TokenCounter:
    """Count tokens as the text encoder of a checkpoint does.

    Parameters
    ----------
    checkpoint : str or path-like
        As in `find_checkpoint`.

    tokenizer : str, path-like or None, default=None
        Another tokenizer than the checkpoint's own.
    """

    def __init__(self, checkpoint, tokenizer=None):
        self.checkpoint = checkpoint
        self.tokenizer = tokenizer
        self._shared = None

    def __call__(self, text):
        """Count the tokens of a text, marks of start and end included."""
        if self._shared is None:
            self._shared = shared_tokenizer(self.checkpoint, self.tokenizer)
        return self._shared.count(text)


class TextRun:
    """One call of `transform`.

    Parameters
    ----------
    featurizer : ClapTextFeaturizer
        The settings.

    texts : list of str
        What the encoder reads.
    """

    def __init__(self, featurizer, texts):
        self.featurizer = featurizer
        self.texts = texts
        self._tokenizer = None

    @property
    def tokenizer(self):
        """The shared tokenizer."""
        own = self.featurizer
        if self._tokenizer is None:
            self._tokenizer = shared_tokenizer(own.checkpoint, own.tokenizer, verbose=own.verbose)
        return self._tokenizer

    def pipeline(self):
        """All that shapes an embedding beside the final text, which is the key."""
        own = self.featurizer
        return {
            "format": _FORMAT,
            "embedding": "clap_text",
            "backend": own.backend,
            "checkpoint": find_checkpoint(own.checkpoint, verbose=own.verbose).digest,
            "tokenizer": self.tokenizer.digest,
            "max_tokens": MAX_TOKENS,
        }

    def keys(self, rows):
        """Name texts by content."""
        return [content_key(self.texts[row]) for row in rows]

    def compute(self, rows):
        """Embed some texts; returns their vectors, all of which may be stored."""
        own = self.featurizer
        encoder = load_encoder(own.backend, own.checkpoint, device=own.device, verbose=own.verbose)
        token_ids = [self.tokenizer(self.texts[row]) for row in rows]
        groups = group_texts(token_ids)
        items = [[token_ids[i] for i in group] for group in groups]
        made = map_clips(encoder.texts, items, n_jobs=own.n_jobs, device=encoder.device)
        vectors = dict(zip(chain(*groups), chain(*made)))
        return [vectors[i] for i in range(len(rows))], [True] * len(rows)
