"""How much a view counts that joins the others at the end: a branch, or a class prior."""

from dataclasses import replace

import numpy as np
import torch
from scipy.special import log_softmax
from skorch.callbacks import Callback
from skorch.utils import to_device

from skbst.exceptions import DataFormatError
from skbst.neural._log_proba import to_numpy
from skbst.neural._training._refit import fold_masks

__all__ = ["DEFAULT_SHARE", "cautious_share", "held_out_share", "hold_back_prior", "settle_class_prior", "settle_share"]

# where no rows can be held out to tell; on the recordings of docs/guide/neural.rst the likeliest share of MFCC beside
# MiniLM is .2 to .5 and the cautious one about .1
DEFAULT_SHARE = 0.3
_SHARES = np.r_[0, np.geomspace(0.02, 10, 40)]  # each 1.17 times the one before
_HELD_OUT = 5
# standard errors that a share may lose: what is worse by more is measurably worse (95 %). With one, as Breiman et al.
# have it, log loss and folds by uploader gain a little more, and official folds less (docs/guide/neural.rst)
_ERRORS = 1.96
# of what the model of the frames counts beside the other views: the branch hears the same sound, and errs with it. On
# the recordings of docs/guide/neural.rst log loss is lowest at half for MFCC, and at all of it for log-STFT
_BESIDE_FRAMES = 0.5


def settle_share(trainer, inputs, rows, *, seeds, session):
    """Train beside a held-out fifth of the rows, which tells the share of the branch.

    Parameters
    ----------
    trainer : Trainer
        Without validation rows.

    inputs : ClipInputs
        Features of all rows.

    rows : TrainingRows
        What to learn from.

    seeds : tuple of int
        Of the split, and of the order of rows.

    session : callable
        Gives the context in which one net is trained.

    Returns
    -------
    settled : Trainer
        The same with that share; as it was where no row can be held out.
    """
    split, order = seeds
    try:
        held_out = fold_masks(rows, _HELD_OUT, np.random.RandomState(split), trainer.classes)[0]
    except DataFormatError:
        return trainer
    with session():
        net, _ = replace(trainer, patience=None).train(
            inputs, rows, held_out, order_rng=np.random.RandomState(order), events=Callback()
        )
    return replace(trainer, branch_share=float(net.module_.branch_share))


def held_out_share(net, dataset, frames_share):
    """Share of the branch's logits by rows that the net has not seen.

    A fifth of the rows seldom tells more than that it is less than one. What all rows tell of the model of the same
    frames says more, and where it is 0 the share is the smallest that the fifth allows.

    Parameters
    ----------
    net : TrainingNet
        Trained.

    dataset : ClipDataset
        Rows.

    frames_share : float
        How much the model of the frames counts beside the other views.

    Returns
    -------
    share : float in [0, 10]
    """
    others, whole = (_leaf_logits(net, dataset, share) for share in (0, 1))
    own = whole - others
    return cautious_share(
        others, own, dataset.target.numpy(), dataset.weight.numpy(), trusted=_BESIDE_FRAMES * frames_share
    )


def hold_back_prior(rows, valid, classes, rng):
    """Rows of the training part that a class prior's numbers are not to learn from: a fifth, or none where too few.

    Parameters
    ----------
    rows : TrainingRows
        What to learn from.

    valid : ndarray of shape (n_distinct,), bool
        Which of them are for validation.

    classes : ndarray of shape (n_classes,)
        Labels, for messages.

    rng : RandomState
        Source of randomness.

    Returns
    -------
    held_back : ndarray of shape (n_distinct,), bool
    """
    try:
        return fold_masks(replace(rows, train_only=rows.train_only | valid), _HELD_OUT, rng, classes)[0]
    except DataFormatError:
        return np.zeros_like(valid)


def settle_class_prior(net, dataset):
    """Multiply what a class prior adds by its likeliest share beside answers of models that have not seen the row.

    Its numbers have not learnt from the rows that were held back, so chance that they know by heart counts for nothing
    there. What is always right is believed beside any answer. The cautious share was tried: with a hundred rows to tell
    by, tags that are worth a point counted for nothing (docs/guide/priors.rst).

    Parameters
    ----------
    net : TrainingNet
        Trained, with a class prior.

    dataset : ClipDataset
        The rows that were held back, with the answers of such models as ``prior``.
    """
    module, scores = net.module_, []
    with torch.no_grad():
        for inputs, _ in net.get_iterator(dataset):
            inputs = to_device(inputs, net.device)
            class_prior = inputs.pop("class_prior")
            latent, _ = module.embed_forward(**inputs)
            scores.append(to_numpy(module.class_prior(class_prior, latent))[0])
    unseen, target, weight = (part.numpy() for part in (dataset.prior, dataset.target, dataset.weight))
    module.class_prior.scale(cautious_share(unseen, np.concatenate(scores), target, weight, errors=0))


def cautious_share(others, own, target, weight, *, errors=_ERRORS, trusted=0.0):
    """Share of a view's logits nearest to a trusted one, of those that held-out rows do not speak against.

    The likeliest share is known from a hundred rows or so, and one that is too large hurts more than one that is too
    small. Allowed is therefore what is not measurably worse than the likeliest: the mean log-likelihood of the labels
    is less by no more than 1.96 standard errors of the difference. Of those the smallest is taken, or where something
    else is known of the view, the one that is nearest to it.

    Parameters
    ----------
    others, own : ndarray of shape (n_samples, n_classes)
        Logits of the other views, and what the view adds to them.

    target : ndarray of shape (n_samples,), int
        Class index.

    weight : ndarray of shape (n_samples,)
        Weight of each row.

    errors : float, default=1.96
        Standard errors that the share may lose; with 0 it is the likeliest.

    trusted : float, default=0
        What is known of the share from elsewhere.

    Returns
    -------
    share : float in [0, 10]

    References
    ----------
    L. Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3 (the rule of one standard error, after
    which this one is made).
    """
    rows, shares = np.arange(len(target)), np.union1d(_SHARES, trusted)
    loss = np.stack([-log_softmax(others + share * own, axis=1)[rows, target] for share in shares]) * weight
    beyond = loss - loss[loss.mean(axis=1).argmin()]
    error = beyond.std(axis=1) / np.sqrt(len(rows))
    allowed = shares[beyond.mean(axis=1) <= errors * error]
    return float(allowed[np.abs(allowed - trusted).argmin()])


def _leaf_logits(net, dataset, share):
    net.module_.branch_share.fill_(share)
    return np.concatenate([to_numpy(net.validation_step(batch)["y_pred"])[0] for batch in net.get_iterator(dataset)])
