"""From the texts of one call to the vectors of a sentence encoder."""

import os
import threading
from collections import OrderedDict
from itertools import chain

import numpy as np

from skbst._torch import resolve_device
from skbst.audio import DecodeProblem
from skbst.exceptions import CheckpointError
from skbst.features._embedding._text_groups import embed_together
from skbst.features._embedding._threads import map_clips
from skbst.features._encoders._generator import generator_kept
from skbst.features._encoders._group_tokens import group_size, group_tokens, one_by_one, shape_of
from skbst.features._encoders._locate import find_model, model_digest, quiet_loading, read_json, require_encoders
from skbst.features._store._keys import content_key

__all__ = ["SentenceCounter", "SentenceRun", "load_sentence_model"]

# raise it when the same settings give other vectors than before; 3 no longer fills texts up
_FORMAT = 3
# texts that the tokenizer gets at once; us a text of 20 tokens: 305 alone, 153 among 32
_READ_TOGETHER = 32
# a second place lets two models be compared
_MAX_MODELS = 2
_models = OrderedDict()
_lock = threading.RLock()


def _reset_lock():
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_lock)


class SentenceModel:
    """A loaded encoder and the lock of its tokenizer, which two threads must not share.

    Parameters
    ----------
    network : SentenceTransformer
        In evaluation mode.
    """

    def __init__(self, network):
        self.network = network
        self._tokenizer = threading.Lock()
        self._alike = {}

    @property
    def n_features(self):
        """Length of a vector before it is cut."""
        return int(self.network.get_embedding_dimension())

    def prompt(self, name):
        """Text that stands before each text; the choices stand in the error."""
        if name is None:
            name = self.network.default_prompt_name
        if name is None:
            return None
        if name not in self.network.prompts:
            raise ValueError(f"prompt_name={name!r} is none of the model's prompts: {sorted(self.network.prompts)}.")
        return self.network.prompts[name] or None

    def count(self, text):
        """Number of tokens of a text, marks of start and end included, however long it is."""
        with self._tokenizer:
            return len(self.network.tokenizer(text, truncation=False, verbose=False)["input_ids"])

    def read(self, texts, prompt):
        """Tokens of each text, as tensors without fill, a list of dict."""
        parts = [texts[i : i + _READ_TOGETHER] for i in range(0, len(texts), _READ_TOGETHER)]
        return list(chain(*(self._read(part, prompt) for part in parts)))

    def _read(self, texts, prompt):
        with self._tokenizer:
            inputs = one_by_one(self.network.preprocess(texts, prompt=prompt), len(texts))
            return inputs or [self.network.preprocess([text], prompt=prompt) for text in texts]

    def embed(self, group):
        """Embed texts of one shape.

        Parameters
        ----------
        group : list of dict
            Tokens of one text, or of a group of `group_tokens`.

        Returns
        -------
        vectors : list of ndarray of shape (n_features,), float32
        """
        shape = shape_of(group[0])
        return embed_together(self._embed, group, shape, self._alike, group_size(shape))

    def _embed(self, group):
        import torch

        moved = {}
        for name, value in group[0].items():
            if isinstance(value, torch.Tensor):
                value = torch.cat([inputs[name] for inputs in group]) if len(group) > 1 else value
                value = value.to(self.network.device)
            moved[name] = value
        return list(np.array(self.network(moved)["sentence_embedding"].detach().float().cpu().numpy()))


class SentenceCounter:
    """Count tokens as a sentence encoder does.

    Parameters
    ----------
    featurizer : SentenceTransformerFeaturizer
        Whose model is asked.
    """

    def __init__(self, featurizer):
        self.featurizer = featurizer
        self._model = None

    def __call__(self, text):
        """Count the tokens of a text."""
        if self._model is None:
            self._model = load_sentence_model(self.featurizer)
        return self._model.count(text)


def load_sentence_model(featurizer):
    """Load the encoder of a featurizer, or take the one that this process has, a `SentenceModel`."""
    import torch

    folder = _find(featurizer)
    device = resolve_device(featurizer.device)
    name = model_digest(folder), device, featurizer.precision
    with _lock:
        if name not in _models:
            with generator_kept():
                _models[name] = SentenceModel(_load(folder, device, getattr(torch, featurizer.precision), featurizer))
            while len(_models) > _MAX_MODELS:
                _models.popitem(last=False)
        _models.move_to_end(name)
        return _models[name]


def _find(featurizer):
    return find_model(
        featurizer.model,
        revision=featurizer.revision,
        local_files_only=bool(featurizer.local_files_only),
        needed_by=type(featurizer).__name__,
    )


def _load(folder, device, dtype, featurizer):
    _check_modules(folder)
    library = require_encoders("sentence_transformers", type(featurizer).__name__)
    transformers = require_encoders("transformers", type(featurizer).__name__)
    options = {"use_safetensors": True, "dtype": dtype}
    try:
        with quiet_loading(transformers):
            network = library.SentenceTransformer(
                str(folder), device=device, local_files_only=True, trust_remote_code=False, model_kwargs=options
            )
    except Exception as error:  # settings of another kind end in any error of the library's own
        raise CheckpointError(f"{folder}: sentence-transformers cannot load the model ({error}).") from error
    return network.eval()


def _check_modules(folder):
    """Only parts of the library itself are built, and no part of the model comes from a pickle."""
    if not (folder / "modules.json").is_file():
        raise CheckpointError(f"{folder} holds no modules.json; expected a folder that SentenceTransformer.save wrote.")
    modules = read_json(folder / "modules.json")
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise CheckpointError(f"{folder / 'modules.json'} holds no list of modules. Fetch the model again.")
    names = [str(module.get("type")) for module in modules]
    strange = [name for name in names if not name.startswith("sentence_transformers.")]
    if strange:
        raise CheckpointError(f"{folder} asks for {strange[0]!r}, which is no part of sentence-transformers; not run.")
    for path in sorted(folder.rglob("pytorch_model.bin")):
        if not any(path.parent.glob("*.safetensors")):
            raise CheckpointError(
                f"{path} is a pickle, which can run code, and has no safetensors beside it; not read."
            )


class SentenceRun:
    """One call of `transform`.

    Parameters
    ----------
    featurizer : SentenceTransformerFeaturizer
        The settings.

    texts : list of str
        What the encoder reads.

    problems : dict of int to DecodeProblem
        What texts lost, by position.
    """

    def __init__(self, featurizer, texts, problems):
        self.featurizer = featurizer
        self.texts = texts
        self._lost = problems
        self._model = None

    @property
    def model(self):
        """The shared encoder, loaded when it is first needed."""
        if self._model is None:
            self._model = load_sentence_model(self.featurizer)
        return self._model

    @property
    def problems(self):
        """Rows without text, or without a part of it, by position."""
        missing = DecodeProblem("no text", silent=True, detail="the row is 0")
        return self._lost | {row: missing for row, text in enumerate(self.texts) if not text.strip()}

    def pipeline(self):
        """All that shapes an embedding beside the final text, which is the key."""
        own = self.featurizer
        return {
            "format": _FORMAT,
            "embedding": "sentence_transformer",
            "model": model_digest(_find(own)),
            "prompt_name": own.prompt_name,
            "truncate_dim": own.truncate_dim,
            "normalize": bool(own.normalize),
            "precision": own.precision,
        }

    def keys(self, rows):
        """Name texts by content; equal ones are embedded once."""
        return [content_key(self.texts[row]) for row in rows]

    def compute(self, rows):
        """Embed some texts; returns their vectors, all of which may be stored."""
        own, model = self.featurizer, self.model
        vectors = np.zeros((len(rows), n_features_of(own, model)), dtype=np.float32)
        prompt = model.prompt(own.prompt_name)
        with generator_kept():
            there = [i for i, row in enumerate(rows) if self.texts[row].strip()]
            inputs = dict(zip(there, model.read([self.texts[rows[i]] for i in there], prompt)))
            groups = group_tokens(inputs)
            items = [[inputs[i] for i in group] for group in groups]
            made = map_clips(model.embed, items, n_jobs=own.n_jobs, device=model.network.device)
        for i, vector in zip(chain(*groups), chain(*made)):
            vectors[i] = vector[: vectors.shape[1]]
            length = float(np.linalg.norm(vectors[i]))
            if own.normalize and length > 0:
                vectors[i] /= np.float32(length)
        return list(vectors), [True] * len(rows)


def n_features_of(featurizer, model):
    """Length of a vector; an error where more is asked for than there is."""
    wanted = featurizer.truncate_dim
    if wanted is not None and wanted > model.n_features:
        raise ValueError(f"truncate_dim={wanted} is more than the {model.n_features} numbers of the model.")
    return model.n_features if wanted is None else wanted
