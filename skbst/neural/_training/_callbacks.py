"""skorch callbacks: validation accuracy, best weights, stopping, and scikit-learn's callback protocol."""

import numpy as np
from skorch.callbacks import Callback

from skbst._progress import progress_bar

__all__ = ["BestWeights", "BranchHold", "BranchStart", "EpochEvents", "StopFit", "StopOnRequest", "ValidAccuracy"]


class StopFit(Exception):
    """Training ends here, as planned."""


class ValidAccuracy(Callback):
    """Weighted accuracy on the validation part, by the same rule that predicts."""

    def __init__(self, predict):
        self.predict = predict

    def on_epoch_begin(self, net, **kwargs):
        """Forget the last epoch."""
        self.hit_, self.total_ = 0.0, 0.0

    def on_batch_end(self, net, batch, training, y_pred=None, **kwargs):
        """Count the hits of a validation batch."""
        if training:
            return
        target = batch[1]
        weight = target["weight"].numpy().astype(np.float64)
        self.hit_ += weight[self.predict(y_pred) == target["target"].numpy()].sum()
        self.total_ += weight.sum()

    def on_epoch_end(self, net, **kwargs):
        """Write the accuracy and the learning rate into the history."""
        net.history.record("lr", net.optimizer_.param_groups[0]["lr"])
        if self.total_:
            net.history.record("valid_acc", self.hit_ / self.total_)


class BranchStart(Callback):
    """Leave the acoustic branch out of the first epochs: no frames are read.

    With `freeze`, the later epochs train what joins late alone: the branch, its fusion and its logits, and the adapter,
    which is left out before. Trained with the trunk on few clips it learns them by heart; see `ClipNet.freeze_trunk`.
    """

    def __init__(self, first_epoch, datasets, *, freeze=False):
        self.first_epoch = first_epoch
        self.datasets = datasets
        self.freeze = freeze

    def on_epoch_begin(self, net, **kwargs):
        """Say what the epoch reads and trains."""
        started = len(net.history) > self.first_epoch
        for dataset in self.datasets:
            dataset.with_frames = started
        if self.freeze:
            net.module_.freeze_trunk(started)
            net.module_.hold_adapter(not started)

    def on_train_end(self, net, **kwargs):
        """Leave the network as any other fit does."""
        if self.freeze:
            net.module_.freeze_trunk(False)
            net.module_.hold_adapter(False)


class BranchHold(Callback):
    """Leave the acoustic branch as it was drawn for its first steps, while the fusion learns to listen to it.

    At first hardly any gradient reaches the branch, and what does is chance. AdamW makes steps of full size of it all
    the same, and wears away what tells clips apart in the branch before anything listens. A branch with logits of its
    own is corrected from the first step on and needs no such time.

    References
    ----------
    A. Kumar et al., "Fine-tuning can distort pretrained features and underperform out-of-distribution", ICLR 2022
    (first the layer after the features, then all); here the features are drawn at random.
    """

    def __init__(self, n_steps):
        self.n_steps = n_steps

    def on_train_begin(self, net, **kwargs):
        """Hold the branch."""
        self.n_heard_ = 0
        net.module_.branch.requires_grad_(False)

    def on_batch_begin(self, net, batch, training, **kwargs):
        """Count the steps that hear something, and let go after the last of them."""
        if not training or "frames" not in batch[0]:
            return
        if self.n_heard_ == self.n_steps:
            net.module_.branch.requires_grad_(True)
        self.n_heard_ += 1

    def on_train_end(self, net, **kwargs):
        """Leave the network as any other fit does."""
        net.module_.branch.requires_grad_(True)


class BestWeights(Callback):
    """Keep the weights of the best epoch and ask to stop when there has been no better one for a while.

    The best epoch has the highest validation accuracy, and among equals the lowest validation loss. Patience
    is counted from the last epoch whose accuracy was above the best one before it by more than `min_delta`. The first
    `skipped` epochs do not count.
    """

    def __init__(self, patience, min_delta, skipped=0):
        self.patience = patience
        self.min_delta = min_delta
        self.skipped = skipped

    def on_train_begin(self, net, **kwargs):
        """Start anew."""
        self.best_, self.best_epoch_, self.weights_ = None, 0, None
        self.reference_, self.waited_ = -np.inf, 0

    def on_epoch_end(self, net, **kwargs):
        """Compare the epoch with the best one."""
        last = net.history[-1]
        if "valid_acc" not in last or last["epoch"] <= self.skipped:
            self.best_epoch_ = last["epoch"]
            return
        score = (last["valid_acc"], -last["valid_loss"])
        if self.best_ is None or score > self.best_:
            self.best_, self.best_epoch_ = score, last["epoch"]
            self.weights_ = {name: value.detach().clone() for name, value in net.module_.state_dict().items()}
        if last["valid_acc"] > self.reference_ + self.min_delta:
            self.reference_, self.waited_ = last["valid_acc"], 0
        else:
            self.waited_ += 1
            net.stop_requested |= self.patience is not None and self.waited_ >= self.patience

    def on_train_end(self, net, **kwargs):
        """Put the best weights back."""
        if self.weights_ is not None:
            net.module_.load_state_dict(self.weights_)
            self.weights_ = None


class EpochEvents(Callback):
    """Report epochs to scikit-learn's callbacks and to a progress bar."""

    def __init__(self, estimator, context, X, y, reconstruct, *, max_epochs, verbose):
        self.estimator = estimator
        self.context = context
        self.X = X
        self.y = y
        self.reconstruct = reconstruct
        self.max_epochs = max_epochs
        self.verbose = verbose

    def on_train_begin(self, net, **kwargs):
        """Show the bar."""
        self.bar_ = progress_bar(total=self.max_epochs, desc="training", unit="epoch", verbose=self.verbose)

    def on_epoch_begin(self, net, **kwargs):
        """Open the sub-task of an epoch."""
        self.epoch_ = self.context.subcontext(task_name="epoch")
        self.epoch_.call_on_fit_task_begin(estimator=self.estimator, X=self.X, y=self.y)

    def on_epoch_end(self, net, **kwargs):
        """Close the sub-task; a callback may ask to stop."""
        last = net.history[-1]
        self.bar_.set_postfix({key: f"{last[key]:.3f}" for key in ("train_loss", "valid_acc") if key in last})
        self.bar_.update()
        net.stop_requested |= self.epoch_.call_on_fit_task_end(
            estimator=self.estimator,
            X=self.X,
            y=self.y,
            reconstruction_attributes=lambda: self.reconstruct(net),
        )

    def on_train_end(self, net, **kwargs):
        """Close the bar."""
        self.bar_.close()


class StopOnRequest(Callback):
    """End training after an epoch in which any callback asked for it."""

    def on_epoch_end(self, net, dataset_train=None, **kwargs):
        """Raise where a stop was asked for, or where the loss is no number any more."""
        last = net.history[-1]
        for loss in ("train_loss", "valid_loss"):
            if not np.isfinite(last.get(loss, 0.0)):
                raise FloatingPointError(
                    f"The {loss} is {last[loss]} in epoch {last['epoch']}. Look for NaN in framed blocks, or lower lr."
                )
        if net.stop_requested:
            raise StopFit
