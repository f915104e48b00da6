"""Weights of an ensemble from out-of-fold predictions."""

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from skbst.ensemble._decoding import decode_proba
from skbst.ensemble._members import combine_log_proba
from skbst.ensemble._simplex import ascend, n_grid_points, simplex_grid
from skbst.ensemble._weight_search_result import WeightSearchResult
from skbst.exceptions import DataFormatError
from skbst.metrics import hierarchical_scores_from_confusion
from skbst.taxonomy import resolve_taxonomy

__all__ = ["search_weights"]

# a larger grid takes longer than climbing coordinate by coordinate is worth; taken as it is
_MOST_CANDIDATES = 5000


def search_weights(
    log_proba,
    y,
    *,
    classes,
    taxonomy=None,
    folds=None,
    names=None,
    voting="logit",
    decode="leaf",
    method="auto",
    step=0.1,
    top_weight=0.75,
    zero_division=0.0,
    n_bootstrap=200,
    random_state=0,
):
    """Search weights of an ensemble for the highest hF, and report how stable they are.

    Parameters
    ----------
    log_proba : array-like of shape (n_members, n_samples, n_classes)
        Out-of-fold log-probabilities, from `out_of_fold_log_proba`. In-sample ones would favour whoever overfits most.
        A member with a row of -inf throughout abstains there (see `ClassPriorClassifier`).

    y : array-like of shape (n_samples,)
        Class labels.

    classes : array-like of shape (n_classes,)
        Labels of the columns.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all classes are BST codes, the flat tree where none is.

    folds : array-like of shape (n_samples,), int, default=None
        Fold of each row, for the spread over folds; None counts all as one.

    names : sequence of str, default=None
        Names of the members.

    voting, decode : str, default="logit" and "leaf"
        As in `HierarchicalVotingClassifier`.

    method : {"auto", "grid", "coordinate"}, default="auto"
        All weights on a grid over the simplex; or an ascent from equal weights, one member at a time. "auto" takes the
        grid up to 5,000 points.

    step : float in (0, 1], default=0.1
        Distance between weights.

    top_weight : float in [0, 2], default=0.75
        Twice the credit of a right top level.

    zero_division : {0.0, 1.0, np.nan}, default=0.0
        As in `skbst.metrics.hierarchical_f1_score`, but a class that is never predicted counts as nothing here: a
        search must not be rewarded for dropping one.

    n_bootstrap : int, default=200
        Bootstrap samples of the rows.

    random_state : int, RandomState or None, default=0
        Seeds them.

    Returns
    -------
    result : WeightSearchResult
        Weights, scores and their spread.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.ensemble import search_weights
    >>> y = np.array(["fx-a", "fx-h", "m-m"] * 20)
    >>> good = np.log(np.where(y[:, None] == np.unique(y), 0.8, 0.1))
    >>> noise = np.log(np.random.default_rng(0).dirichlet(np.ones(3), 60))
    >>> result = search_weights([good, noise], y, classes=np.unique(y), names=["good", "noise"])
    >>> result.score, bool(result.summary().loc["good", "bootstrap_mean"] > 0.5)
    (1.0, True)
    """
    y, classes = np.asarray(y), np.asarray(classes)
    log_proba = _check_log_proba(log_proba, y, classes, folds)
    names = tuple(f"member{i}" for i in range(len(log_proba))) if names is None else tuple(names)
    tree = resolve_taxonomy(taxonomy, classes).reorder(classes)
    judge = _Judge(log_proba, tree.leaf_index(y), tree.parent_of_leaf, voting, decode, top_weight, zero_division)
    judge.take(_candidates(len(log_proba), method, step, judge.score_of))
    scores, weights = judge.score(), judge.weights
    best, equal = _choose(scores, weights), int(np.abs(weights - 1 / len(names)).sum(axis=1).argmin())
    chosen, errors, gain = _bootstrap(judge, n_bootstrap, check_random_state(random_state), best, equal)
    stable = _choose(scores, weights, slack=errors)
    folds = np.zeros(len(y), dtype=int) if folds is None else np.asarray(folds)
    by_fold = {fold: _choose(judge.score(folds == fold), weights) for fold in np.unique(folds)}
    return WeightSearchResult(
        names=names,
        weights=weights[best],
        stable_weights=weights[stable],
        score=float(scores[best]),
        stable_score=float(scores[stable]),
        equal_score=float(scores[equal]),
        gain=gain,
        candidates=pd.DataFrame(weights, columns=names).assign(score=scores, standard_error=errors),
        bootstrap_weights=pd.DataFrame(weights[chosen], columns=names),
        fold_weights=pd.DataFrame(weights[list(by_fold.values())], columns=names, index=list(by_fold)),
    )


def _check_log_proba(log_proba, y, classes, folds):
    log_proba = np.asarray(log_proba, dtype=np.float64)
    if log_proba.ndim != 3 or log_proba.shape[2] != len(classes):
        raise DataFormatError(
            f"log_proba must have shape (n_members, n_samples, {len(classes)}); got {log_proba.shape}."
        )
    silent = np.isneginf(log_proba).all(axis=2, keepdims=True)
    if silent.all(axis=0).any() or not (np.isfinite(log_proba) | silent).all():
        raise DataFormatError("log_proba must be finite; out_of_fold_log_proba(min_proba=...) makes it so.")
    check_consistent_length(y, log_proba[0], folds)
    return log_proba


def _candidates(n_members, method, step, score):
    if method not in ("auto", "grid", "coordinate"):
        raise ValueError(f"method must be 'auto', 'grid' or 'coordinate'; got {method!r}.")
    if not 0 < step <= 1:
        raise ValueError(f"step must lie in (0, 1]; got {step}.")
    equal = np.full((1, n_members), 1 / n_members)
    if method == "coordinate" or (method == "auto" and n_grid_points(n_members, step) > _MOST_CANDIDATES):
        return ascend(score, n_members, step)
    return np.unique(np.vstack([simplex_grid(n_members, step), equal]).round(12), axis=0)


class _Judge:
    """Predictions of all candidates, and their hF on any weighting of the rows."""

    def __init__(self, log_proba, truth, parent, voting, decode, top_weight, zero_division):
        self.log_proba, self.truth, self.parent = log_proba, truth, parent
        # the same number for every class moves no maximum
        self._logits = np.where(np.isneginf(log_proba), 0, log_proba)
        self.voting, self.decode, self.top_weight, self.zero_division = voting, decode, top_weight, zero_division

    def take(self, weights):
        """Keep these candidates."""
        self.weights, self.predictions = weights, self._predict(weights)

    def score_of(self, weights):
        """hF of each row of weights on all rows, without keeping them."""
        return self._hf(self._predict(weights), None)

    def score(self, counts=None):
        """hF of each candidate with rows counted so often, ndarray of shape (n_candidates,)."""
        return self._hf(self.predictions, None if counts is None else np.asarray(counts, dtype=np.float64))

    def _predict(self, weights):
        found = np.empty((len(weights), len(self.truth)), dtype=np.int16)
        for i, row in enumerate(weights):
            if self.voting == "logit" and self.decode == "leaf":
                found[i] = np.tensordot(row, self._logits, axes=1).argmax(axis=1)
            else:
                proba = np.exp(combine_log_proba(self.log_proba, row, voting=self.voting))
                found[i] = decode_proba(proba, self.parent, decode=self.decode, top_weight=self.top_weight)
        return found

    def _hf(self, predictions, counts):
        n_classes = len(self.parent)
        first = self.truth * n_classes
        tables = [np.bincount(first + row, weights=counts, minlength=n_classes**2) for row in predictions]
        precision, _, f1, support = hierarchical_scores_from_confusion(
            np.stack(tables).reshape(-1, n_classes, n_classes),
            self.parent,
            top_weight=self.top_weight,
            zero_division=self.zero_division,
        )
        kept = (support > 0) & ~np.isnan(precision)
        return np.where(kept, f1, 0).sum(axis=1) / np.maximum(kept.sum(axis=1), 1)


def _choose(scores, weights, slack=1e-12):
    """Of the candidates within `slack` of the best, the one nearest to equal weights."""
    close = np.flatnonzero(scores >= scores.max() - slack)
    return int(close[np.square(weights[close]).sum(axis=1).argmin()])


def _bootstrap(judge, n_bootstrap, rng, best, equal):
    """Choices of bootstrap samples, standard errors against the best, gain over equal weights on rows left out."""
    chosen, lags, gains, n_rows = [], [], [], len(judge.truth)
    for _ in range(n_bootstrap):
        counts = np.bincount(rng.randint(n_rows, size=n_rows), minlength=n_rows)
        drawn, left_out = judge.score(counts), judge.score(counts == 0)
        chosen.append(_choose(drawn, judge.weights))
        lags.append(drawn - drawn[best])
        gains.append(left_out[chosen[-1]] - left_out[equal])
    if not n_bootstrap:
        return chosen, np.zeros(len(judge.weights)), (float("nan"),) * 3
    gain = (np.mean(gains), *np.quantile(gains, [0.05, 0.95]))
    return chosen, np.std(lags, axis=0), tuple(float(value) for value in gain)
