"""Linear models of the embeddings, and what they say of clips that they have not seen."""

import copy
import warnings

import numpy as np
import torch
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from skbst._sklearn import _get_threadpool_controller
from skbst.neural._training._late_fusion import cautious_share

__all__ = ["fit_frame_prior", "fit_linear_prior"]

# rows of length 1 want a weak penalty; ten times scikit-learn's default C, taken as is, not tuned
_C = 10.0
# each model that is asked has seen four fifths of the rows; taken as is, not tuned
_N_FOLDS = 5
# keeps the shares finite where models are always right on their held-out rows; taken as is, not tuned
_PENALTY = 1e-3


def fit_linear_prior(prior, embeddings, target, weight, *, groups, rng, n_threads):
    """Solve the models of a `skbst.nn.LinearPrior`, and answer for each training row as if it were new.

    Each model is a logistic regression. It is fitted once on all rows, and once without each of five folds, which
    then get its answers; on those answers the weights of the models are chosen, none below zero, by the highest
    likelihood, together and each alone. A network that is trained beside these answers learns what a linear model
    misses on clips it has not seen, and not what it misses on clips it knows by heart, which is nothing.

    Parameters
    ----------
    prior : LinearPrior
        Gets its parameters.

    embeddings : dict of str to ndarray of shape (n_samples, n_features)
        Training rows of "audio" and "text", as the prior has them.

    target : ndarray of shape (n_samples,), int
        Class index.

    weight : ndarray of shape (n_samples,), float
        Weight of each row, 1 on average.

    groups : ndarray of shape (n_samples,), int, or None
        Rows of one group stand in one fold.

    rng : RandomState
        Source of the folds.

    n_threads : int or None
        Threads of the linear algebra.

    Returns
    -------
    held_out : ndarray of shape (n_samples, n_classes), float32
        Weighted log-probabilities of each row by models that have not seen it.

    References
    ----------
    Wolpert 1992; Ting and Witten 1999 (see `skbst.nn.LinearPrior`).
    """
    names = list(prior.models)
    folds = _folds(target, groups, rng)
    if folds is None:
        return np.zeros((len(target), prior.models[names[0]].bias.numel()), dtype=np.float32)
    answers = []
    with _get_threadpool_controller().limit(limits=n_threads, user_api="blas"):
        for name in names:
            rows = np.asarray(embeddings[name], dtype=np.float32)
            answers.append(np.empty((len(target), prior.models[name].bias.numel()), dtype=np.float32))
            for held_out in folds:
                known = np.setdiff1d(np.arange(len(target)), held_out)
                _solve(prior, name, rows[known], target[known], weight[known])
                answers[-1][held_out] = _log_proba(prior, name, rows[held_out])
            _solve(prior, name, rows, target, weight)
        shares = _shares(np.stack(answers), target, weight)
        lone_shares = [_shares(answer[None], target, weight)[0] for answer in answers]
    for name, share, lone_share in zip(names, shares, lone_shares):
        prior.models[name].share.fill_(share)
        prior.models[name].lone_share.fill_(lone_share)
    held_out = {name: torch.from_numpy(answer) for name, answer in zip(names, answers)}
    there = {name: torch.from_numpy(np.asarray(embeddings[name]).any(axis=1)) for name in names}
    with torch.no_grad():
        return copy.deepcopy(prior).cpu().join(held_out, there).numpy()


def fit_frame_prior(module, inputs, train_set, *, groups, rng, n_threads):
    """Solve the model of a `skbst.nn.FramePrior`, and answer for each training row as if it were new.

    Its weight is the likeliest where it is the only linear model. Beside answers of others that have not seen the row
    either it is cautious: see `cautious_share`.

    Parameters
    ----------
    module : ClipNet
        Whose standardizer knows the frames; its frame prior gets its parameters.

    inputs : ClipInputs
        Features of all rows.

    train_set : ClipDataset
        The training rows, whose `prior` holds the answers of other linear models.

    groups, rng, n_threads
        As in `fit_linear_prior`.

    Returns
    -------
    held_out : ndarray of shape (n_samples, n_classes), float32
        Weighted log-probabilities of each row by models that have not seen it.

    share : float
        How much of the weight that it has alone is left beside the others; 1 where it is alone.
    """
    target, weight = train_set.target.numpy(), train_set.weight.numpy()
    rows, prior = _frame_features(module, inputs, train_set.rows), module.frame_prior.linear
    held_out = fit_linear_prior(prior, {"frames": rows}, target, weight, groups=groups, rng=rng, n_threads=n_threads)
    if train_set.prior is None:
        return held_out, 1.0
    share = cautious_share(train_set.prior.numpy(), held_out, target, weight)
    prior.models["frames"].share.mul_(share)
    return np.float32(share) * held_out, share


@torch.no_grad()
def _frame_features(module, inputs, rows):
    """What the frame prior's linear model reads of some rows, which its standardizer learns from."""
    frame_prior, device, statistics = module.frame_prior, module.standardizer.mean.device, []
    for _, *chunk in inputs.read_chunks(rows):
        frames, lengths = module.standardised(*(part.to(device) for part in chunk))
        statistics.append(frame_prior.statistics(frames, lengths))
    statistics = torch.cat(statistics)
    frame_prior.standardizer.update(statistics[None])
    return frame_prior.features(statistics).cpu().numpy()


def _folds(target, groups, rng):
    """Rows of each fold; None where no class has two rows (or two groups) to stand in different ones."""
    n_folds = min(_N_FOLDS, np.bincount(target).max(), np.inf if groups is None else len(np.unique(groups)))
    if n_folds < 2:
        return None
    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    splits = splitter(int(n_folds), shuffle=True, random_state=rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of classes with fewer rows than folds
        return [held_out for _, held_out in splits.split(target, target, groups) if len(held_out)]


def _solve(prior, name, rows, target, weight):
    """Fit one model and write it into the module; classes without a row keep the lowest probability."""
    model = prior.models[name]
    model.weight.zero_()
    model.bias.fill_(2 * prior.lowest)
    present = np.unique(target)
    if len(present) == 1:
        model.bias[present[0]] = 0
        return
    mean, scale = _standard(rows, weight) if not prior.unit_length else (0.0, np.linalg.norm(rows, axis=1)[:, None])
    rows = (rows - mean) / np.where(scale > 0, scale, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough: its answers are checked on held-out rows
        warnings.filterwarnings("ignore", message="The number of unique classes")
        found = LogisticRegression(C=_C, max_iter=300).fit(rows, target, sample_weight=weight)
    coef, intercept = found.coef_, found.intercept_
    if len(present) == 2:
        coef, intercept = np.vstack([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
    if not prior.unit_length:
        coef = coef / np.where(scale > 0, scale, 1)
        intercept = intercept - coef @ mean
    model.weight[present] = torch.from_numpy(coef).to(model.weight)
    model.bias[present] = torch.from_numpy(intercept).to(model.bias)


def _standard(rows, weight):
    """Mean of each column, and what brings its rows to about length 1."""
    rows = rows.astype(np.float64)
    mean = np.average(rows, axis=0, weights=weight)
    deviation = np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=weight))
    return mean, deviation * np.sqrt(rows.shape[1])


def _log_proba(prior, name, rows):
    device = prior.models[name].bias.device
    return prior.log_proba(name, torch.from_numpy(rows).to(device)).cpu().numpy()


def _shares(answers, target, weight):
    """Weights, none below zero, under which the product of the models' probabilities is most likely."""
    answers = answers.astype(np.float64)
    weight = weight / weight.sum()
    right = answers[:, np.arange(len(target)), target]

    def loss(shares):
        logits = np.tensordot(shares, answers, 1)
        logits -= logits.max(axis=1, keepdims=True)
        proba = np.exp(logits)
        total = proba.sum(axis=1, keepdims=True)
        log_right = logits[np.arange(len(target)), target] - np.log(total[:, 0])
        gradient = ((proba / total * answers).sum(axis=2) - right) @ weight
        return -log_right @ weight + _PENALTY * shares @ shares, gradient + 2 * _PENALTY * shares

    start = np.full(len(answers), 1 / len(answers))
    return minimize(loss, start, jac=True, bounds=[(0, None)] * len(answers)).x
