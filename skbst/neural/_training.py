"""From checked rows to a trained net."""

import copy
import math

import numpy as np
import pandas as pd
import torch
from sklearn.utils.class_weight import compute_class_weight
from skorch.callbacks import Callback, LRScheduler

from skbst.exceptions import DataFormatError
from skbst.neural._adamw_in_backward import AdamWInBackward
from skbst.neural._architecture import build_module, parents_tensor
from skbst.neural._augmentation import make_augmentation
from skbst.neural._callbacks import BestWeights, BranchStart, StopOnRequest, ValidAccuracy, to_numpy
from skbst.neural._dataset import BatchIterator, ClipDataset
from skbst.neural._fit_linear_prior import fit_linear_prior
from skbst.neural._inner_split import inner_split
from skbst.neural._objective import Objective, leaf_log_proba
from skbst.neural._training_net import TrainingNet
from skbst.nn import length_mask

__all__ = ["history_frame", "make_net", "split_rows", "train"]

_LEAST_BATCHES = 16
_STATISTICS_ROWS = 4096
_STATISTICS_CHUNK = 64


def make_net(estimator, architecture, *, rng=None, optimizer=torch.optim.AdamW, **kwargs):
    """Build the untrained skorch net of a description with the settings of an estimator."""
    objective = Objective(
        parents_tensor(architecture),
        label_smoothing=estimator.label_smoothing,
        top_loss_weight=estimator.top_loss_weight,
        distillation_weight=estimator.distillation_weight,
    )
    net = TrainingNet(
        build_module(architecture),
        objective,
        optimizer=optimizer,
        optimizer__weight_decay=estimator.weight_decay,
        optimizer__fused=True,
        lr=estimator.lr,
        max_epochs=estimator.max_epochs,
        iterator_train=BatchIterator,
        iterator_train__rng=rng,
        iterator_valid=BatchIterator,
        iterator_valid__batch_size=256 if architecture["branch"] is None else 64,
        precision=estimator.precision,
        **kwargs,
    )
    return net.initialize()


def train(estimator, inputs, rows, valid, architecture, *, order_rng, device, events):
    """Train a net.

    Parameters
    ----------
    estimator : BranchClassifier
        Source of the settings.

    inputs : ClipInputs
        Features of all rows.

    rows : TrainingRows
        What to learn from.

    valid : ndarray of bool
        Which of them are for validation.

    architecture : dict
        See `describe`.

    order_rng : RandomState
        Source of the order of rows in each epoch.

    device : str
        Torch device.

    events : callable
        Makes the callback that reports epochs.

    Returns
    -------
    net : TrainingNet
        With the best weights.

    best_epoch : int
        Counted from 1.
    """
    weight = _loss_weights(estimator, rows, ~valid)
    train_set = _subset(inputs, rows, weight, ~valid)
    valid_set = _subset(inputs, rows, weight, valid) if valid.any() else None
    datasets = [part for part in (train_set, valid_set) if part is not None]
    late = branch_start(estimator)
    best = BestWeights(patience(estimator), estimator.min_delta, skipped=late)
    log_proba = _log_proba(architecture, estimator.beta)
    for part in datasets:  # where skorch's callbacks look for what to score
        part.X, part.y = part, estimator.classes_[part.target.numpy()]
    callbacks = [
        ("skbst_branch_start", BranchStart(late, datasets, freeze=estimator.freeze_trunk and late > 0)),
        ("skbst_valid_acc", ValidAccuracy(lambda output: log_proba(output).argmax(axis=1))),
        ("skbst_best_weights", best),
        *_schedule(estimator, late),
        ("skbst_events", events()),
        *_named(estimator.callbacks),
        ("skbst_stop", StopOnRequest()),
    ]
    net = make_net(
        estimator,
        architecture,
        rng=order_rng,
        optimizer=_optimizer(estimator, device),
        device=device,
        batch_size=batch_size(estimator, len(train_set)),
        train_split=None if valid_set is None else lambda dataset, y=None, **kwargs: (dataset, valid_set),
        callbacks=callbacks,
        callbacks__print_log=None,
        labels=estimator.classes_,
        log_proba=log_proba,
    )
    standardizer = net.module_.standardizer
    if net.module_.prior is not None:
        _learn_prior(estimator, net.module_.prior, inputs, rows, train_set, ~valid, order_rng)
    net.augment = make_augmentation(
        estimator.augmentation,
        branch=estimator.branch,
        standardizer=standardizer,
        n_classes=len(architecture["parent_of_leaf"]),
    )
    if estimator.compile:
        net.module_.compile()
    if standardizer is not None:
        # of its own: the order of rows is that of a network without a branch
        _learn_statistics(standardizer, inputs, rows.rows[~valid], copy.deepcopy(order_rng))
    try:
        net.partial_fit(train_set)
    finally:
        if isinstance(net.optimizer_, AdamWInBackward):
            net.optimizer_.close()
    return net, best.best_epoch_


def split_rows(estimator, rows, rng, classes):
    """Boolean mask of the validation rows; all False where there is no validation part."""
    if estimator.validation_fraction is None:
        return np.zeros(len(rows.target), dtype=bool)
    return inner_split(
        rows.target,
        estimator.validation_fraction,
        rng,
        weight=rows.weight,
        groups=rows.groups,
        train_only=rows.train_only,
        class_names=classes,
    )


def history_frame(net):
    """Learning curves, one row per epoch."""
    names = {"epoch": "epoch", "train_loss": "train_loss", "valid_loss": "valid_loss", "valid_acc": "valid_acc"}
    names.update(lr="lr", dur="seconds")
    columns = {name: [row.get(key, np.nan) for row in net.history] for key, name in names.items()}
    return pd.DataFrame(columns)


def batch_size(estimator, n_rows):
    """Rows of a batch: 64, or 32 with an acoustic branch (report, section 3.1); fewer where rows are few."""
    if estimator.batch_size != "auto":
        return estimator.batch_size
    return int(np.clip(n_rows // _LEAST_BATCHES, 16, 64 if estimator.branch is None else 32))


def patience(estimator):
    """Epochs without improvement: 15, or 6 with an acoustic branch (report, section 3.1)."""
    if estimator.patience != "auto":
        return estimator.patience
    return 15 if estimator.branch is None else 6


def branch_start(estimator):
    """Epochs that leave the acoustic branch out, at most all but one."""
    return 0 if estimator.branch is None else min(estimator.branch_start, estimator.max_epochs - 1)


def _learn_prior(estimator, prior, inputs, rows, train_set, in_training, rng):
    """Solve the linear prior on the training part, which is told what models that have not seen a row say of it."""
    known = {name: values[train_set.rows] for name, values in inputs.embeddings.items()}
    groups = None if rows.groups is None else rows.groups[in_training]
    held_out = fit_linear_prior(
        prior,
        known,
        train_set.target.numpy(),
        train_set.weight.numpy(),
        groups=groups,
        rng=rng,
        n_threads=estimator.n_threads,
    )
    train_set.prior = torch.from_numpy(held_out)


def _learn_statistics(standardizer, inputs, rows, rng):
    """Mean and deviation of each bin over training rows, a random few thousand where there are more."""
    rows = np.sort(rng.permutation(rows)[:_STATISTICS_ROWS])
    for chunk in np.array_split(rows, -(-len(rows) // _STATISTICS_CHUNK)):
        frames, lengths = inputs.read_frames(chunk)
        bad = ~(frames.isfinite() | ~length_mask(lengths, frames.shape[1])[:, :, None]).flatten(1).all(dim=1).numpy()
        if bad.any():
            raise DataFormatError(
                f"Block {inputs.frames_block!r} has NaN or infinite values in its frames (first seen: row "
                f"{chunk[bad][0]}). Drop these rows, or let the featurizer replace what could not be decoded."
            )
        standardizer.update(frames.to(standardizer.mean.device), lengths.to(standardizer.mean.device))


def _loss_weights(estimator, rows, in_training):
    """Sample weight times class weight, 1 on average over the training part."""
    classes = estimator.classes_
    if isinstance(estimator.class_weight, dict) and any(not value >= 0 for value in estimator.class_weight.values()):
        raise ValueError(f"class_weight must not be negative; got {estimator.class_weight}.")
    per_class = compute_class_weight(
        estimator.class_weight, classes=classes, y=classes[rows.target], sample_weight=rows.weight
    )
    weight = rows.weight * per_class[rows.target]
    return weight / weight[in_training].mean()


def _subset(inputs, rows, weight, chosen):
    soft_targets = None if rows.soft_targets is None else rows.soft_targets[chosen]
    return ClipDataset(inputs, rows.rows[chosen], rows.target[chosen], weight[chosen], soft_targets)


def _log_proba(architecture, beta):
    """What makes log-probabilities of the classes of the network's output."""
    parents = np.asarray(architecture["parent_of_leaf"])

    def log_proba(output):
        leaf, top = to_numpy(output)
        return leaf_log_proba(leaf, top if architecture["head"] == "lcl" else None, parents, beta=beta)

    return log_proba


def _optimizer(estimator, device):
    """AdamW; on a CPU the one that steps in the backward pass, unless a callback wants to see gradients."""
    callbacks = [callback for _, callback in _named(estimator.callbacks)]
    if device != "cpu" or any(
        type(callback).on_grad_computed is not Callback.on_grad_computed for callback in callbacks
    ):
        return torch.optim.AdamW
    return AdamWInBackward


def _schedule(estimator, late):
    if estimator.schedule == "cosine":
        return [("skbst_schedule", LRScheduler("LambdaLR", lr_lambda=CosineDescents(late, estimator.max_epochs)))]
    if estimator.schedule == "step":
        return [("skbst_schedule", LRScheduler("StepLR", step_size=20, gamma=0.5))]
    return []


class CosineDescents:
    """Share of the learning rate in an epoch: down a cosine to zero, once before the branch starts and once after."""

    def __init__(self, late, max_epochs):
        self.late = late
        self.max_epochs = max_epochs

    def __call__(self, epoch):
        begin, end = (0, self.late) if epoch < self.late else (self.late, self.max_epochs)
        return 0.5 * (1 + math.cos(math.pi * (epoch - begin) / (end - begin)))


def _named(callbacks):
    named = [item if isinstance(item, tuple) else (f"user_{i}", item) for i, item in enumerate(callbacks or ())]
    for name, callback in named:
        if not isinstance(callback, Callback):
            raise TypeError(
                f"callbacks takes skorch callbacks, or pairs of a name and one; got {callback!r} ({name!r})."
            )
    return named
