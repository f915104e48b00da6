"""From checked rows to a trained net."""

import copy
import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from sklearn.utils.class_weight import compute_class_weight
from skorch.callbacks import Callback

from skbst.exceptions import DataFormatError
from skbst.neural._architecture import build_module, parents_tensor
from skbst.neural._log_proba import leaf_log_proba, to_numpy
from skbst.neural._recipe import Recipe
from skbst.neural._rows._dataset import BatchIterator, ClipDataset
from skbst.neural._training._adamw_in_backward import AdamWInBackward
from skbst.neural._training._augmentation import make_augmentation
from skbst.neural._training._callbacks import BestWeights, BranchHold, BranchStart, StopOnRequest, ValidAccuracy
from skbst.neural._training._fit_linear_prior import fit_frame_prior, fit_linear_prior
from skbst.neural._training._late_fusion import DEFAULT_SHARE, held_out_share, hold_back_prior, settle_class_prior
from skbst.neural._training._objective import Objective
from skbst.neural._training._schedule import schedule
from skbst.neural._training._session import seeded
from skbst.neural._training._training_net import TrainingNet
from skbst.nn import length_mask

__all__ = ["Trainer", "history_frame"]

_LEAST_BATCHES = 16  # an epoch of fewer steps hardly moves; below 16 rows batch statistics are noise
# steps without a better epoch after which a branch of the report's widths may stop, however few an epoch has. On 180
# clips branches begin to hear a pulse rate after 150 to 400 steps, and where 36 validation clips were right by luck
# before that, 200 ended the fit: log-STFT with LCL .715 with one seed of six, 1.000 with 400. Six epochs of 2,200
# training rows are as many: on the report's own set they are 1,237
_LEAST_PATIENCE = 400
# steps that a branch which joins late has at least, where the recipe's number of epochs is taken. MFCC of the small
# recipe told a rise from a fall of loudness on 180 clips at .86 and .77 (two seeds) after 120, at 1.00 and .995 after
# 168; the fits of docs/guide/reproduction.rst have as many in its ten epochs
_LEAST_BRANCH_STEPS = 160
# first steps of a branch without logits of its own that leave it as it was drawn. Without, log-STFT with LCL heard no
# pulse rate with one seed of four; 90 and 180 were tried with two, and 100 with six (docs/guide/neural.rst). At most a
# fifth of all its steps, so that a short fit trains it, too
_HELD_STEPS, _HELD_SHARE = 100, 0.2
# clips whose frames give the mean and deviation of a bin; taken as it is, not tuned
_STATISTICS_ROWS = 4096


@dataclass(frozen=True)
class Trainer:
    """Trains one net of a description; every number is settled.

    Attributes
    ----------
    architecture : dict
        See `describe`.

    recipe : Recipe
        Checked.

    classes : ndarray of shape (n_classes,)
        Labels.

    max_epochs, lr, batch_size, patience, augmentation, class_weight, distillation_weight, precision, device,
    n_threads, callbacks
        As in `BranchClassifier`; `max_epochs` is a number and `device` is there.

    branch_share : float
        Share of a branch that joins by late fusion, where no validation rows tell it.
    """

    architecture: dict
    recipe: Recipe
    classes: np.ndarray
    max_epochs: int
    lr: float
    batch_size: object
    patience: object
    augmentation: object
    class_weight: object
    distillation_weight: float
    precision: str
    device: str
    n_threads: int | None
    callbacks: list | None
    branch_share: float = DEFAULT_SHARE

    def net(self, *, rng=None, optimizer=torch.optim.AdamW, **kwargs):
        """Build the untrained skorch net."""
        objective = Objective(
            self.architecture["head"],
            parents_tensor(self.architecture),
            label_smoothing=self.recipe.label_smoothing,
            top_loss_weight=self.recipe.top_loss_weight,
            distillation_weight=self.distillation_weight,
        )
        net = TrainingNet(
            build_module(self.architecture),
            objective,
            optimizer=optimizer,
            optimizer__weight_decay=self.recipe.weight_decay,
            optimizer__fused=True,
            lr=self.lr,
            max_epochs=self.max_epochs,
            iterator_train=BatchIterator,
            iterator_train__rng=rng,
            iterator_valid=BatchIterator,
            iterator_valid__batch_size=256 if self._branch is None else 64,
            precision=self.precision,
            device=self.device,
            **kwargs,
        )
        return net.initialize()

    def restored(self, weights):
        """Build the net of saved weights, a dict of arrays."""
        with seeded(0, self.device):
            net = self.net(callbacks=None, train_split=None)
        net.load_weights(weights)
        return net

    def for_rows(self, n_rows, asked):
        """Return the same with enough epochs for a branch that joins late; a number that was asked for stands."""
        if asked != "auto" or self._branch is None or not self._late:
            return self
        needed = math.ceil(_LEAST_BRANCH_STEPS / self._n_steps(n_rows))
        return replace(self, max_epochs=max(self.max_epochs, self._late + needed))

    def train(self, inputs, rows, valid, *, outside=None, order_rng, events):
        """Train a net.

        Parameters
        ----------
        inputs : ClipInputs
            Features of all rows.

        rows : TrainingRows
            What to learn from.

        valid : ndarray of bool
            Which of them are for validation.

        outside : ClipDataset, default=None
            Validation rows that are none of these.

        order_rng : RandomState
            Source of the order of rows in each epoch.

        events : Callback
            Reports epochs.

        Returns
        -------
        net : TrainingNet
            With the best weights.

        best_epoch : int
            Counted from 1.
        """
        weight = self._loss_weights(rows, ~valid)
        train_set = _subset(inputs, rows, weight, ~valid)
        valid_set = _subset(inputs, rows, weight, valid) if valid.any() else outside
        log_proba = _log_proba(self.architecture, self.recipe.beta)
        patience = self._patience(self._n_steps(len(train_set)))
        best = BestWeights(patience, self.recipe.min_delta, skipped=self._late)
        net = self.net(
            rng=order_rng,
            optimizer=self._optimizer(),
            batch_size=self._batch_size(len(train_set)),
            train_split=None if valid_set is None else lambda dataset, y=None, **kwargs: (dataset, valid_set),
            callbacks=self._callbacks([train_set, valid_set], log_proba, best, events),
            callbacks__print_log=None,
            labels=self.classes,
            log_proba=log_proba,
        )
        frames_share = self._prepare(net, inputs, rows, train_set, ~valid, order_rng)
        told_by = None
        if train_set.class_prior is not None and train_set.prior is not None:
            held_back = hold_back_prior(rows, valid, self.classes, copy.deepcopy(order_rng))
            told_by, there = _subset(inputs, rows, weight, held_back), torch.from_numpy(held_back[~valid])
            told_by.prior = train_set.prior[there]
            train_set.class_prior = train_set.class_prior * ~there[:, None]  # nothing is known of them in training
        try:
            net.partial_fit(train_set)
        finally:
            if isinstance(net.optimizer_, AdamWInBackward):
                net.optimizer_.close()
        if self.architecture["late_fusion"]:
            share = self.branch_share if valid_set is None else held_out_share(net, valid_set, frames_share)
            net.module_.branch_share.fill_(share)
        if told_by:
            settle_class_prior(net, told_by)
        return net, best.best_epoch_

    def _prepare(self, net, inputs, rows, train_set, in_training, order_rng):
        """What is learnt without gradients: linear priors and the statistics of frames; then the augmentation.

        The training part is told what models that have not seen a row say of it. Returned is how much the model of the
        frames counts beside the others, 0 where there is none.
        """
        prior, standardizer = net.module_.prior, net.module_.standardizer
        settings = {"groups": None if rows.groups is None else rows.groups[in_training], "n_threads": self.n_threads}
        if prior is not None:
            known = {name: values[train_set.rows] for name, values in inputs.embeddings.items()}
            labels = train_set.target.numpy(), train_set.weight.numpy()
            train_set.prior = torch.from_numpy(fit_linear_prior(prior, known, *labels, rng=order_rng, **settings))
        net.augment = make_augmentation(
            self.augmentation,
            branch=self._branch,
            standardizer=standardizer,
            n_classes=len(self.classes),
        )
        if standardizer is not None:
            # of its own: the order of rows is that of a network without a branch
            _learn_statistics(standardizer, inputs, rows.rows[in_training], copy.deepcopy(order_rng))
        if net.module_.frame_prior is None:
            return 0.0
        own, share = fit_frame_prior(net.module_, inputs, train_set, rng=copy.deepcopy(order_rng), **settings)
        if not self.architecture["late_fusion"]:  # there the other views are trained as if there were no branch
            own = torch.from_numpy(own)
            train_set.prior = own if train_set.prior is None else train_set.prior + own
        return share

    def _callbacks(self, datasets, log_proba, best, events):
        datasets = [part for part in datasets if part is not None]
        for part in datasets:  # where skorch's callbacks look for what to score
            part.X, part.y = part, self.classes[part.target.numpy()]
        freeze = self.architecture["late_fusion"] or (self.recipe.freeze_trunk and self._late > 0)
        return [
            ("skbst_branch_start", BranchStart(self._late, datasets, freeze=freeze)),
            *self._hold(len(datasets[0])),
            ("skbst_valid_acc", ValidAccuracy(lambda output: log_proba(output).argmax(axis=1))),
            ("skbst_best_weights", best),
            *schedule(self.recipe.schedule, self._late, self.max_epochs),
            ("skbst_events", events),
            *_named(self.callbacks),
            ("skbst_stop", StopOnRequest()),
        ]

    @property
    def _branch(self):
        return self.architecture["branch"]

    @property
    def _late(self):
        """Epochs that leave the acoustic branch out, at most all but one; none where it is the only view of all."""
        if self.architecture["late_fusion"]:
            # the branch has as many epochs as where it hears alone; a smaller number is divided in proportion
            start, own = self.recipe.branch_start, self.recipe._epochs_with_branch
            return min(start, self.max_epochs * start // (start + own))
        if self._branch is None or self.architecture["n_audio"] is None:
            return 0
        return min(self.recipe.branch_start, self.max_epochs - 1)

    def _hold(self, n_rows):
        """What leaves the branch as it is in its first steps, where it reaches the answer through the trunk alone."""
        if self._branch is None or self.architecture["branch_logits"]:
            return []
        n_held = min(_HELD_STEPS, int(_HELD_SHARE * self._n_steps(n_rows) * (self.max_epochs - self._late)))
        return [("skbst_branch_hold", BranchHold(n_held))]

    def _batch_size(self, n_rows):
        """Rows of a batch: 64, or 32 with an acoustic branch (report, section 3.1); fewer where rows are few."""
        if self.batch_size != "auto":
            return int(self.batch_size)
        return int(np.clip(n_rows // _LEAST_BATCHES, 16, 64 if self._branch is None else 32))

    def _n_steps(self, n_rows):
        """Batches of an epoch of so many training rows."""
        return math.ceil(n_rows / self._batch_size(n_rows))

    def _patience(self, n_steps):
        """Epochs of so many steps without improvement: 15, or 6 with an acoustic branch (report, section 3.1)."""
        if self.patience != "auto":
            return self.patience
        if self._branch is None:
            return 15
        return max(6, math.ceil(_LEAST_PATIENCE / n_steps)) if self.architecture["size"] == "report" else 6

    def _loss_weights(self, rows, in_training):
        """Sample weight times class weight, 1 on average over the training part."""
        if isinstance(self.class_weight, dict) and any(not value >= 0 for value in self.class_weight.values()):
            raise ValueError(f"class_weight must not be negative; got {self.class_weight}.")
        per_class = compute_class_weight(
            self.class_weight, classes=self.classes, y=self.classes[rows.target], sample_weight=rows.weight
        )
        weight = rows.weight * per_class[rows.target]
        return weight / weight[in_training].mean()

    def _optimizer(self):
        """AdamW; on a CPU the one that steps in the backward pass, unless a callback wants to see gradients."""
        callbacks = [callback for _, callback in _named(self.callbacks)]
        if self.device != "cpu" or any(
            type(callback).on_grad_computed is not Callback.on_grad_computed for callback in callbacks
        ):
            return torch.optim.AdamW
        return AdamWInBackward


def history_frame(net):
    """Learning curves, one row per epoch."""
    names = {"epoch": "epoch", "train_loss": "train_loss", "valid_loss": "valid_loss", "valid_acc": "valid_acc"}
    names.update(lr="lr", dur="seconds")
    columns = {name: [row.get(key, np.nan) for row in net.history] for key, name in names.items()}
    return pd.DataFrame(columns)


def _learn_statistics(standardizer, inputs, rows, rng):
    """Mean and deviation of each bin over training rows, a random few thousand where there are more."""
    rows = np.sort(rng.permutation(rows)[:_STATISTICS_ROWS])
    for chunk, frames, lengths in inputs.read_chunks(rows):
        bad = ~(frames.isfinite() | ~length_mask(lengths, frames.shape[1])[:, :, None]).flatten(1).all(dim=1).numpy()
        if bad.any():
            raise DataFormatError(
                f"Block {inputs.frames_block!r} has NaN or infinite values in its frames (first seen: row "
                f"{chunk[bad][0]}). Drop these rows, or let the featurizer replace what could not be decoded."
            )
        standardizer.update(frames.to(standardizer.mean.device), lengths.to(standardizer.mean.device))


def _subset(inputs, rows, weight, chosen):
    soft_targets = None if rows.soft_targets is None else rows.soft_targets[chosen]
    class_prior = None if rows.class_prior is None else rows.class_prior[chosen]
    return ClipDataset(inputs, rows.rows[chosen], rows.target[chosen], weight[chosen], soft_targets, class_prior)


def _log_proba(architecture, beta):
    """What makes log-probabilities of the classes of the network's output."""
    parents = np.asarray(architecture["parent_of_leaf"])

    def log_proba(output):
        leaf, top = to_numpy(output)
        return leaf_log_proba(leaf, top if architecture["head"] == "lcl" else None, parents, beta=beta)

    return log_proba


def _named(callbacks):
    named = [item if isinstance(item, tuple) else (f"user_{i}", item) for i, item in enumerate(callbacks or ())]
    for name, callback in named:
        if not isinstance(callback, Callback):
            raise TypeError(
                f"callbacks takes skorch callbacks, or pairs of a name and one; got {callback!r} ({name!r})."
            )
    return named
