"""How long to train on everything: as long as was best on the folds of the same rows."""

from dataclasses import replace

import numpy as np
from skorch.callbacks import Callback

from skbst.exceptions import DataFormatError
from skbst.neural._rows._inner_split import inner_split

__all__ = ["fold_masks", "settle_epochs"]


def fold_masks(rows, n_folds, rng, classes):
    """Disjoint validation parts, each chosen as that of an ordinary fit.

    Parameters
    ----------
    rows : TrainingRows
        What is learnt from; whole groups stay together, and rows of ``train_only`` are in no part.

    n_folds : int
        Most parts; fewer where rows or groups run out.

    rng : RandomState
        Source of randomness.

    classes : ndarray of shape (n_classes,)
        Labels, for messages.

    Returns
    -------
    masks : list of ndarray of shape (n_distinct,), bool

    Raises
    ------
    DataFormatError
        If not even one part can be made.
    """
    masks, used = [], rows.train_only.copy()
    settings = {"weight": rows.weight, "groups": rows.groups, "class_names": classes}
    for left in range(n_folds, 0, -1):
        fraction = min(1 / left, 0.999)  # of the rows that no part has yet; the last takes the rest
        try:
            mask = inner_split(rows.target, fraction, rng, train_only=used, **settings)
        except DataFormatError:
            if not masks:
                raise
            break
        masks.append(mask)
        used = used | mask
    return masks


def settle_epochs(trainer, inputs, rows, fraction, *, seeds, session):
    """Train beside each fold, and settle for how long to train on all rows.

    Parameters
    ----------
    trainer : Trainer
        With early stopping.

    inputs : ClipInputs
        Features of all rows.

    rows : TrainingRows
        What to learn from.

    fraction : float in (0, 1)
        Share of the rows in a fold's validation part.

    seeds : tuple of int
        Of the folds, and of the order of rows.

    session : callable
        Gives the context in which one net is trained; all start from the same weights.

    Returns
    -------
    settled : Trainer
        The same for the mean of the best epochs.

    best_epochs : list of int
        That of each fold, from 1.
    """
    split, order = seeds
    best_epochs = []
    for mask in fold_masks(rows, round(1 / fraction), np.random.RandomState(split), trainer.classes):
        with session():
            _, best = trainer.train(inputs, rows, mask, order_rng=np.random.RandomState(order), events=Callback())
        best_epochs.append(int(best))
    return replace(trainer, max_epochs=max(1, round(float(np.mean(best_epochs))))), best_epochs
