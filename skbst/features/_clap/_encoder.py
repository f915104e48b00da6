"""One loaded network for all featurizers of a process that ask for the same weights."""

import os
import random
import threading
from collections import OrderedDict
from contextlib import contextmanager

import numpy as np

from skbst._torch import resolve_device
from skbst.exceptions import CheckpointError
from skbst.features._clap._checkpoint._find import find_checkpoint, remember_checkpoint
from skbst.features._clap._frontend import prepare
from skbst.features._clap._laion import LaionClap
from skbst.features._clap._long_mel import LongWaveform, prepare_long
from skbst.features._clap._tokenizer import GROUP_SIZE, load_tokenizer, padded_length
from skbst.features._clap._transformers import TransformersClap
from skbst.features._embedding._text_groups import embed_together

__all__ = ["BACKENDS", "ClapEncoder", "forget_models", "load_encoder", "shared_tokenizer"]

#: Name of a backend and its adapter.
BACKENDS = {"laion-clap": LaionClap, "transformers": TransformersClap}

# audio and text featurizers share one model; a second place lets two checkpoints be compared
_MAX_MODELS = 2
_models = OrderedDict()
_tokenizers = OrderedDict()
_lock = threading.RLock()


def _reset_lock():
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_lock)


class ClapEncoder:
    """Sounds and texts to unit vectors, each independent of the others.

    Parameters
    ----------
    model : LaionClap or TransformersClap
        The network behind its adapter.

    device : torch.device
        Where the network lives.
    """

    def __init__(self, model, device):
        self._model = model
        self.device = device
        self._alike = {}

    @property
    def spec(self):
        """What the audio encoder reads, an `AudioSpec`."""
        return self._model.spec

    def audio(self, waveform, starts, *, antialias=True):
        """Embed one sound.

        Parameters
        ----------
        waveform : ndarray of shape (n_samples,), float32, or LongWaveform
            The whole sound at ``spec.sample_rate``.

        starts : tuple of int
            Windows of a longer sound.

        antialias : bool, default=True
            How the whole of a longer sound is shrunk.

        Returns
        -------
        embedding : ndarray of shape (512,), float32
            Of length 1.
        """
        if isinstance(waveform, LongWaveform):
            mel = prepare_long(waveform.blocks(), len(waveform), self.spec, starts, antialias=antialias)
        else:
            mel = prepare(waveform, self.spec, starts, antialias=antialias)
        return _unit(self._model.embed_audio(mel.to(self.device)))

    def texts(self, token_ids):
        """Embed texts of one padded length.

        Parameters
        ----------
        token_ids : list of list of int
            One text, or a group from `group_texts`.

        Returns
        -------
        embeddings : list of ndarray of shape (512,), float32
            Of length 1.
        """
        return embed_together(self._texts, token_ids, padded_length(token_ids[0]), self._alike, GROUP_SIZE)

    def _texts(self, token_ids):
        import torch

        length = padded_length(token_ids[0])
        padded = [[*ids, *[self._model.pad_token] * (length - len(ids))] for ids in token_ids]
        mask = [[1] * len(ids) + [0] * (length - len(ids)) for ids in token_ids]
        tensors = (torch.tensor(rows, dtype=torch.int64, device=self.device) for rows in (padded, mask))
        return [_unit(vector) for vector in self._model.embed_text(*tensors)]


def _unit(vector):
    vector = vector.float().cpu().numpy()
    norm = np.sqrt(np.square(vector, dtype=np.float64).sum())
    if not np.isfinite(norm) or norm == 0:
        raise CheckpointError("CLAP gave a vector of no direction (zero, NaN or infinite). The weights are damaged.")
    return (vector / norm).astype(np.float32)


@contextmanager
def untouched_generators():
    """Put all global generators back afterwards: some libraries draw from them while they are imported."""
    import torch

    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


def load_encoder(backend, checkpoint, *, device="auto", verbose=0):
    """Load a model, or hand out the one that this process has loaded.

    Parameters
    ----------
    backend : {"laion-clap", "transformers"}
        The library whose network is used.

    checkpoint : str or path-like
        As in `find_checkpoint`.

    device : str, default="auto"
        Where it shall live.

    verbose : int, default=0
        Above 0 a download shows its progress.

    Returns
    -------
    encoder : ClapEncoder
    """
    import torch

    found = find_checkpoint(checkpoint, verbose=verbose)
    device = torch.device(resolve_device(device))
    key = (backend, found.digest, str(device))
    with _lock:
        if key not in _models:
            with untouched_generators():
                _models[key] = ClapEncoder(BACKENDS[backend].load(found, device), device)
        remember_checkpoint(found)
        _models.move_to_end(key)
        while len(_models) > _MAX_MODELS:
            _models.popitem(last=False)
        return _models[key]


def shared_tokenizer(checkpoint, name=None, *, verbose=0):
    """Load the tokenizer of a checkpoint, or hand out the one that this process has loaded.

    Parameters
    ----------
    checkpoint : str or path-like
        As in `find_checkpoint`; a folder of transformers has its own tokenizer, a file takes RoBERTa's.

    name : str or path-like, default=None
        Another tokenizer.

    verbose : int, default=0
        Above 0 a download shows its progress.

    Returns
    -------
    tokenizer : Tokenizer
    """
    if name is None:
        found = find_checkpoint(checkpoint, verbose=verbose)
        name = found.path if found.is_folder else "roberta-base"
    key = str(name)
    with _lock:
        if key not in _tokenizers:
            with untouched_generators():
                _tokenizers[key] = load_tokenizer(name)
        return _tokenizers[key]


def forget_models():
    """Free the memory of all models and tokenizers of this process."""
    with _lock:
        _models.clear()
        _tokenizers.clear()
