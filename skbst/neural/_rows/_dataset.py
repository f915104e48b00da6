"""Rows with their targets, and batches of them as ready tensors."""

import numpy as np
import torch
from skorch.dataset import Dataset

__all__ = ["BatchIterator", "ClipDataset"]


class ClipDataset(Dataset):
    """Some rows of `ClipInputs` with targets and weights.

    Parameters
    ----------
    inputs : ClipInputs
        The features of all rows.

    rows : ndarray of shape (n_samples,), int
        Positions in `inputs`.

    target : ndarray of shape (n_samples,), int
        Class index.

    weight : ndarray of shape (n_samples,), float
        Weight of each row in the loss, 1 on average.

    soft_targets : ndarray of shape (n_samples, n_classes), default=None
        Target distributions for distillation.

    class_prior : ndarray of shape (n_samples, n_prior), default=None
        What is known of the class, in the place of what `inputs` have.

    Attributes
    ----------
    prior : tensor of shape (n_samples, n_classes), float32, or None
        What a linear prior that has not seen the row says of it; set before training.

    with_frames : bool
        Whether batches have frames; may be changed between two passes.
    """

    def __init__(self, inputs, rows, target, weight, soft_targets=None, class_prior=None):
        self.inputs = inputs
        self.with_frames = True
        self.rows = rows
        self.target = torch.from_numpy(np.asarray(target, dtype=np.int64))
        self.weight = torch.from_numpy(np.asarray(weight, dtype=np.float32))
        self.soft_targets = None if soft_targets is None else torch.from_numpy(soft_targets)
        self.class_prior = None if class_prior is None else torch.from_numpy(class_prior)
        self.prior = None

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.batch(np.atleast_1d(index))

    def batch(self, positions):
        """Inputs and targets of some positions, each a dict of tensors."""
        index = torch.from_numpy(positions)
        target = {"target": self.target[index], "weight": self.weight[index]}
        if self.soft_targets is not None:
            target["soft_target"] = self.soft_targets[index]
        inputs = self.inputs.batch(self.rows[positions], with_frames=self.with_frames)
        if self.class_prior is not None:
            inputs["class_prior"] = self.class_prior[index]
        if self.prior is not None:
            inputs["prior"] = self.prior[index]
        return inputs, target


class BatchIterator:
    """Batches of a `ClipDataset`, all of nearly one size, none left out.

    Parameters
    ----------
    dataset : ClipDataset
        The rows.

    batch_size : int
        Largest number of rows of a batch; ``ceil(n / batch_size)`` batches share the rows evenly, so that no
        batch norm ever sees one row.

    rng : RandomState, default=None
        Source of a new order for each pass; None keeps the order.
    """

    def __init__(self, dataset, batch_size, rng=None):
        self.dataset = dataset
        self.batch_size = batch_size
        self.rng = rng

    def __len__(self):
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self):
        n_rows = len(self.dataset)
        order = np.arange(n_rows) if self.rng is None else self.rng.permutation(n_rows)
        for positions in np.array_split(order, len(self)):
            yield self.dataset.batch(positions)
