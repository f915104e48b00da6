"""The learning rate over the epochs."""

import math

from skorch.callbacks import LRScheduler

__all__ = ["schedule"]

_HALVED_EVERY = 20  # epochs; as the official baseline does


def schedule(name, late, max_epochs):
    """Callbacks of a schedule of `Recipe`: what changes the rate, or nothing.

    Parameters
    ----------
    name : {"cosine", "step"} or None
        As in `Recipe`.

    late : int
        Epochs before the branch starts.

    max_epochs : int
        All epochs.

    Returns
    -------
    callbacks : list of (str, Callback)
    """
    if name == "cosine":
        return [("skbst_schedule", LRScheduler("LambdaLR", lr_lambda=CosineDescents(late, max_epochs)))]
    if name == "step":
        return [("skbst_schedule", LRScheduler("StepLR", step_size=_HALVED_EVERY, gamma=0.5))]
    return []


class CosineDescents:
    """Share of the learning rate in an epoch: down a cosine to zero, once before the branch starts and once after."""

    def __init__(self, late, max_epochs):
        self.late = late
        self.max_epochs = max_epochs

    def __call__(self, epoch):
        begin, end = (0, self.late) if epoch < self.late else (self.late, self.max_epochs)
        return 0.5 * (1 + math.cos(math.pi * (epoch - begin) / (end - begin)))
