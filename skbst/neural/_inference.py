"""The forward pass over many rows."""

import numpy as np
import torch

from skbst.neural._callbacks import to_numpy

__all__ = ["embed_rows", "forward_rows"]

# Below so many rows a matrix product takes another path through the BLAS, with other rounding.
_MIN_ROWS = 16


def forward_rows(module, inputs, *, chunk_size, device):
    """Logits of all rows in eval mode, float32: (leaf, top or None)."""
    outputs = [to_numpy(output) for output in _chunks(module, module.forward, inputs, chunk_size, device)]
    leaf, top = zip(*outputs)
    return np.concatenate(leaf), None if top[0] is None else np.concatenate(top)


def embed_rows(module, inputs, *, chunk_size, device):
    """Latent vectors of all rows in eval mode, float32 of shape (n_samples, n_features)."""
    return np.concatenate([z.cpu().numpy() for z in _chunks(module, module.embed, inputs, chunk_size, device)])


def _chunks(module, function, inputs, chunk_size, device):
    was_training = module.training
    module.eval()
    try:
        for start in range(0, len(inputs), chunk_size):
            rows = np.arange(start, min(start + chunk_size, len(inputs)))
            with torch.inference_mode():
                batch = {name: value.to(device) for name, value in inputs.batch(_padded(inputs, rows)).items()}
                yield _first(function(**batch), len(rows))
    finally:
        module.train(was_training)


def _padded(inputs, rows):
    """Repeat the first row up to the least number; not with frames, where rows are dear."""
    if inputs.frames is not None or len(rows) >= _MIN_ROWS:
        return rows
    return np.concatenate([rows, np.full(_MIN_ROWS - len(rows), rows[0])])


def _first(output, n_rows):
    if isinstance(output, tuple):
        return tuple(part[:n_rows] for part in output)
    return output[:n_rows]
