"""The skorch net that trains a `ClipNet` on ready batches."""

from contextlib import suppress

import torch
from skorch import NeuralNet

from skbst.neural._callbacks import StopFit

__all__ = ["TrainingNet"]


class TrainingNet(NeuralNet):
    """skorch's training loop with dict batches, augmentation on the device and a stop that is no Ctrl-C.

    Parameters
    ----------
    *args, **kwargs
        Of `skorch.NeuralNet`.

    augment : callable, default=None
        Takes and gives (inputs, targets) of a training batch.

    precision : {"float32", "bfloat16"}, default="float32"
        Number format of the training forward pass.
    """

    def __init__(self, *args, augment=None, precision="float32", **kwargs):
        self.augment = augment
        self.precision = precision
        self.stop_requested = False
        super().__init__(*args, **kwargs)

    def train_step_single(self, batch, **fit_params):
        """Forward and backward pass of one batch, augmented."""
        if not self.module_.training:  # walking through all modules in each step costs a hundredth of it
            self._set_training(True)
        inputs, target = (_to_device(part, self.device) for part in batch)
        if self.augment is not None:
            with torch.no_grad():
                inputs, target = self.augment(inputs, target)
        with self._autocast():
            output = self.module_(**inputs)
            loss = self.criterion_(output, target)
        loss.backward()
        return {"loss": loss, "y_pred": output}

    def validation_step(self, batch, **fit_params):
        """Forward pass of one validation batch, in float32."""
        self._set_training(False)
        inputs, target = (_to_device(part, self.device) for part in batch)
        with torch.no_grad():
            output = self.module_(**inputs)
            return {"loss": self.criterion_(output, target), "y_pred": output}

    def notify(self, method_name, **cb_kwargs):
        """Call the callbacks; skorch's own stop by KeyboardInterrupt, which is told from the user's here."""
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt as stop:
            raise StopFit from stop

    def partial_fit(self, X, y=None, classes=None, **fit_params):
        """Train; unlike skorch's, Ctrl-C ends the whole fit."""
        if not self.initialized_:
            self.initialize()
        fit_params.pop("_routing_method", None)
        self.stop_requested = False
        self.notify("on_train_begin", X=X, y=y)
        with suppress(StopFit):
            self.fit_loop(X, y, **fit_params)
        self.notify("on_train_end", X=X, y=y)
        return self

    def load_weights(self, weights):
        """Take over a state dict of numpy arrays."""
        tensors = {name: torch.tensor(value, device=self.device) for name, value in weights.items()}
        self.module_.load_state_dict(tensors)

    def _autocast(self):
        device_type = torch.device(self.device).type
        return torch.autocast(device_type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16")


def _to_device(tensors, device):
    return {name: value.to(device, non_blocking=True) for name, value in tensors.items()}
