"""The forward pass over many rows."""

import numpy as np
import torch

from skbst._torch import least_rows
from skbst.exceptions import DataFormatError
from skbst.neural._log_proba import to_numpy

__all__ = ["embed_forward_rows", "forward_rows"]


def forward_rows(module, inputs, *, chunk_size, device):
    """Logits of all rows, float32: (leaf, top or None). The module is in eval mode since its fit or load ended."""
    outputs = [to_numpy(output) for output in _chunks(module.forward, inputs, chunk_size, device)]
    return _joined(outputs, inputs)


def embed_forward_rows(module, inputs, *, chunk_size, device):
    """Latent vectors and, from the same pass, the logits: (latent, leaf, top or None)."""
    latent, outputs = [], []
    for z, output in _chunks(module.embed_forward, inputs, chunk_size, device):
        latent.append(z.cpu().numpy())
        outputs.append(to_numpy(output))
    return np.concatenate(latent), *_joined(outputs, inputs)


def _joined(outputs, inputs):
    leaf, top = zip(*outputs)
    leaf = np.concatenate(leaf)
    _refuse_nan(leaf, inputs)
    return leaf, None if top[0] is None else np.concatenate(top)


def _refuse_nan(answers, inputs):
    """Raise where answers are no numbers, rather than make a class of them.

    Embeddings are checked when they come in, frames are not read before they are needed.
    """
    bad = np.flatnonzero(~np.isfinite(answers).all(axis=1))
    if len(bad):
        # in a batch a broken clip may spoil the answers to others
        bad = [row for row in bad if _is_broken(inputs, row)] or bad
        source = "X" if inputs.frames is None else f"Block {inputs.frames_block!r}"
        raise DataFormatError(
            f"{source} has NaN, infinite or far too large values in {len(bad)} of {len(answers)} rows (first: row "
            f"{bad[0]}). Drop these rows, or let the featurizer replace what could not be decoded."
        )


def _is_broken(inputs, row):
    if inputs.frames is None:
        return True
    frames, lengths = inputs.read_frames(np.array([row]))
    return not bool(frames[0, : lengths[0]].isfinite().all())


def _chunks(function, inputs, chunk_size, device):
    for start in range(0, len(inputs), chunk_size):
        rows = np.arange(start, min(start + chunk_size, len(inputs)))
        with torch.inference_mode():
            batch = {name: value.to(device) for name, value in inputs.batch(_padded(inputs, rows)).items()}
            yield _first(function(**batch), len(rows))


def _padded(inputs, rows):
    """Repeat the first row up to the least number; not with frames, where rows are dear."""
    n_missing = least_rows() - len(rows)
    return rows if inputs.frames is not None or n_missing <= 0 else np.concatenate([rows, np.full(n_missing, rows[0])])


def _first(output, n_rows):
    if isinstance(output, tuple):
        return tuple(_first(part, n_rows) for part in output)
    return output[:n_rows]
