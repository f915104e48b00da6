"""The skorch net that trains a `ClipNet` on ready batches."""

import signal
import threading
from contextlib import contextmanager, suppress

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from skorch import NeuralNet
from skorch.callbacks.scoring import ScoringBase

from skbst.neural._training._callbacks import StopFit

__all__ = ["TrainingNet"]

# share of a batch whose answers are exchanged before a class prior is told, where no model that has not seen the rows
# answers: without it what is always right is not wholly believed; weight of the square of its embedding, without which
# chance is learnt by heart (docs/guide/priors.rst)
_MISTAKEN, _PENALTY = 0.25, 10.0


class TrainingNet(ClassifierMixin, NeuralNet):
    """skorch's training loop with dict batches, augmentation on the device and a stop that is no Ctrl-C.

    Scoring callbacks of skorch see what they know: class labels in the place of targets with weights, and a net whose
    ``predict`` and ``predict_proba`` answer as the estimator does.

    Parameters
    ----------
    *args, **kwargs
        Of `skorch.NeuralNet`.

    augment : callable, default=None
        Takes and gives (inputs, targets) of a training batch.

    precision : {"float32", "bfloat16"}, default="float32"
        Number format of the training forward pass.

    labels : ndarray of shape (n_classes,), default=None
        The class labels; None where the net only predicts.

    log_proba : callable, default=None
        From an output of the module to log-probabilities of the classes, an ndarray.
    """

    def __init__(self, *args, augment=None, precision="float32", labels=None, log_proba=None, **kwargs):
        self.augment = augment
        self.precision = precision
        self.labels = labels
        self.log_proba = log_proba
        self.stop_requested = False
        self.interrupted = False
        super().__init__(*args, **kwargs)

    def train_step_single(self, batch, **fit_params):
        """Forward and backward pass of one batch, augmented."""
        if not self.module_.training:  # walking through all modules in each step costs a hundredth of it
            self._set_training(True)
        inputs, target = (_to_device(part, self.device) for part in batch)
        if self.augment is not None:
            with torch.no_grad():
                inputs, target = self.augment(inputs, target)
        class_prior = inputs.pop("class_prior", None)
        with self._autocast():
            if class_prior is None:
                output = self.module_(**inputs)
                loss = total = self.criterion_(output, target)
            else:  # two losses without a common parameter, so that rows without a prior lose nothing to those with one
                latent, output = self.module_.embed_forward(**inputs)
                loss = self.criterion_(output, target)
                total = loss + self._told_loss(latent, output, class_prior, target, inputs.get("prior"))
        total.backward()
        return {"loss": loss, "y_pred": output}

    def _told_loss(self, latent, output, class_prior, target, unseen):
        """What a class prior's own numbers learn from, and nothing else does.

        On its training rows the network is hardly ever wrong, on new ones it is. So the prior is told beside what
        linear models say that have not seen the row (`unseen`), or some rows get another's answer. The latent vector
        knows the row, too: what it says of the class would be taken for the prior's, unless it is another row's.
        """
        module = self.module_
        if unseen is not None:
            output, latent = module.in_form_of(output, unseen), latent.roll(1, dims=0)  # a batch comes in no order
        else:
            n_mistaken = round(_MISTAKEN * len(latent))
            order = torch.arange(len(latent), device=latent.device)
            order = torch.cat([order[:n_mistaken].roll(1), order[n_mistaken:]])  # a batch comes in no order
            latent, output = latent[order], _rows_of(output, order)
        told = module.told(latent, output, class_prior)
        return self.criterion_(told, target) + _PENALTY * module.class_prior.embedding.square().sum()

    def validation_step(self, batch, **fit_params):
        """Forward pass of one validation batch, in float32 and without class priors, which judge no epoch."""
        self._set_training(False)
        inputs, target = (_to_device(part, self.device) for part in batch)
        inputs.pop("class_prior", None)
        with torch.no_grad():
            output = self.module_(**inputs)
            return {"loss": self.criterion_(output, target), "y_pred": output}

    def notify(self, method_name, **cb_kwargs):
        """Call the callbacks. One that raises KeyboardInterrupt asks to stop, as in skorch; Ctrl-C ends the fit."""
        scored = self._with_labels(cb_kwargs)
        try:
            getattr(self, method_name)(self, **cb_kwargs)
            for _, callback in self.callbacks_:
                getattr(callback, method_name)(self, **(scored if isinstance(callback, ScoringBase) else cb_kwargs))
        except KeyboardInterrupt as stop:
            if self.interrupted:
                raise
            raise StopFit from stop

    def _with_labels(self, cb_kwargs):
        """Keyword arguments with a batch of (inputs, labels)."""
        if "batch" not in cb_kwargs or self.labels is None:
            return cb_kwargs
        inputs, target = cb_kwargs["batch"]
        return {**cb_kwargs, "batch": (inputs, self.labels[target["target"].numpy()])}

    @property
    def classes_(self):
        """The class labels, as scikit-learn's scorers ask for them."""
        return self.labels

    def predict_proba(self, X):
        """Probabilities of the classes for a dataset of skbst, or for what a scoring callback has kept."""
        return np.concatenate([np.exp(self.log_proba(output)) for output in self.forward_iter(X)])

    def predict(self, X):
        """Labels for the same."""
        return self.labels[self.predict_proba(X).argmax(axis=1)]

    def partial_fit(self, X, y=None, classes=None, **fit_params):
        """Train; unlike skorch's, Ctrl-C ends the whole fit."""
        if not self.initialized_:
            self.initialize()
        fit_params.pop("_routing_method", None)
        self.stop_requested = False
        with noticed_interrupts(self):
            self.notify("on_train_begin", X=X, y=y)
            with suppress(StopFit):
                self.fit_loop(X, y, **fit_params)
            self.notify("on_train_end", X=X, y=y)
        # from here on it answers, to any number of threads, and never changes its mode
        self.module_.eval()
        return self

    def load_weights(self, weights):
        """Take over a state dict of numpy arrays."""
        tensors = {name: torch.tensor(value, device=self.device) for name, value in weights.items()}
        self.module_.load_state_dict(tensors)
        self.module_.eval()

    def _autocast(self):
        device_type = torch.device(self.device).type
        return torch.autocast(device_type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16")


@contextmanager
def noticed_interrupts(net):
    """Set ``net.interrupted`` at Ctrl-C, before Python's own handler raises KeyboardInterrupt wherever the code is."""
    net.interrupted = False
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield  # signals reach the main thread alone
        return

    def notice(number, frame):
        net.interrupted = True
        return before(number, frame)

    signal.signal(signal.SIGINT, notice)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _rows_of(output, order):
    return tuple(level[order] for level in output) if isinstance(output, tuple) else output[order]


def _to_device(tensors, device):
    return {name: value.to(device, non_blocking=True) for name, value in tensors.items()}
