"""Scores of many cells of (alpha, k, temperature, prior_weight) from one fold's probabilities and neighbours."""

import time
import warnings
from dataclasses import dataclass

import numpy as np

from skbst._sklearn import _BaseScorer
from skbst.metrics import hierarchical_f1_score
from skbst.model_selection._blend._precomputed_classifier import PrecomputedClassifier
from skbst.model_selection._one_number import as_number
from skbst.model_selection._paired._confusion_scores import score_confusions
from skbst.neighbors import blend, neighbour_prior
from skbst.taxonomy import BST, resolve_taxonomy

__all__ = ["FoldParts", "fast_scores_of", "score_cells"]

_FAST_OPTIONS = {"taxonomy", "top_weight", "zero_division"}


@dataclass
class FoldParts:
    """What a fold's model and its neighbours say about some rows; every cell follows from it.

    Attributes
    ----------
    rows : ndarray of shape (n_samples,), int
        Positions of the rows in the data of the search.

    y : ndarray of shape (n_samples,)
        Their labels.

    classes : ndarray of shape (n_classes,)
        Labels that the model knows.

    p_model : ndarray of shape (n_samples, n_classes), float64
        The model's probabilities.

    similarities : ndarray of shape (n_samples, k), float32
        Cosines of the nearest training rows, to the largest k.

    labels : ndarray of shape (n_samples, k), int
        Their classes as positions in `classes`.

    n_bank : int
        Number of training rows that were looked through.

    p_prior : ndarray of shape (n_samples, n_classes), float64, or None
        What is known of the rows beforehand.
    """

    rows: np.ndarray
    y: np.ndarray
    classes: np.ndarray
    p_model: np.ndarray
    similarities: np.ndarray
    labels: np.ndarray
    n_bank: int
    p_prior: np.ndarray | None = None

    def prior(self, k, temperature):
        """Class distribution of the nearest rows.

        Parameters
        ----------
        k : int
            How many of them.

        temperature : float
            As in `KNNPriorBlender`.

        Returns
        -------
        prior : ndarray of shape (n_samples, n_classes), float64
        """
        return neighbour_prior(self.similarities[:, :k], self.labels[:, :k], len(self.classes), temperature)

    def proba(self, *, alpha, k, temperature, prior_weight=0.0):
        """Blended probabilities of one cell.

        Parameters
        ----------
        alpha : float
            Weight of the neighbours.

        k : int
            How many of them.

        temperature : float
            As in `KNNPriorBlender`.

        prior_weight : float, default=0.0
            Weight of what is known beforehand.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
        """
        return self.mix(self.prior(k, temperature), {"alpha": alpha, "prior_weight": prior_weight})

    def mix(self, neighbours, cell):
        """Blend as `proba` does, from the neighbours' distribution.

        Parameters
        ----------
        neighbours : ndarray of shape (n_samples, n_classes), float64
            As from `prior`.

        cell : dict
            Has ``alpha``, and ``prior_weight`` where it is not 0.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
        """
        beta = cell.get("prior_weight", 0.0)
        return blend(self.p_model, neighbours, cell["alpha"], p_prior=self.p_prior, prior_weight=beta)


def score_cells(parts, cells, scorer, X=None, score_params=None, fast=None, error_score="raise"):
    """Score one fold for many cells.

    Parameters
    ----------
    parts : FoldParts
        The fold.

    cells : list of dict
        Each with alpha, k, temperature and, where there is a prior, prior_weight.

    scorer : callable
        ``scorer(estimator, X, y, **score_params)``.

    X : array-like, default=None
        Rows of the fold, for scorers that look at them.

    score_params : dict, default=None
        For the scorer.

    fast : callable, default=None
        ``fast(parts, list of probabilities)`` gives the scores at once; see `fast_scores_of`.

    error_score : "raise" or float, default="raise"
        Score of a cell for which the scorer raises.

    Returns
    -------
    scores : list
        One per cell, in the order of `cells`: numbers, or dicts of a multi-metric scorer.

    seconds : list of float
        Time spent on each cell; those that share a neighbour prior share its cost.
    """
    scores, seconds = [None] * len(cells), [0.0] * len(cells)
    groups = {}
    for i, cell in enumerate(cells):
        groups.setdefault((cell["k"], cell["temperature"]), []).append(i)
    for (k, temperature), members in groups.items():
        start = time.perf_counter()
        prior = parts.prior(k, temperature)
        probas = (parts.mix(prior, cells[i]) for i in members)
        if fast is not None:
            found = fast(parts, probas)
        else:
            stubs = (PrecomputedClassifier(parts.classes, proba) for proba in probas)
            found = [_score(scorer, stub, X, parts.y, score_params or {}, error_score) for stub in stubs]
        share = (time.perf_counter() - start) / len(members)
        for i, score in zip(members, found):
            scores[i], seconds[i] = score, share
    return scores, seconds


def _score(scorer, stub, X, y, params, error_score):
    try:
        found = scorer(stub, X, y, **params)
    except Exception as error:
        if error_score == "raise":
            raise
        warnings.warn(f"Scoring failed, the score is {error_score}: {error!r}", UserWarning, stacklevel=2)
        return error_score
    if not isinstance(found, dict):
        return _number(found, scorer)
    # several scorers give the traceback of one that raised in the place of its score
    for name in [name for name, score in found.items() if isinstance(score, str)]:
        warnings.warn(f"Scoring {name} failed, the score is {error_score}: {found[name]}", UserWarning, stacklevel=2)
        found[name] = error_score
    return {name: _number(score, scorer) for name, score in found.items()}


def _number(score, scorer):
    number = as_number(score)
    if number is None:
        raise ValueError(f"scoring must return a number, got {score!r:.80} instead (scorer={scorer}).")
    return number


def fast_scores_of(scorer, y):
    """Return a function that scores cells by counting pairs, if the scorer is hF of predictions; else None.

    Parameters
    ----------
    scorer : callable
        As handed to the search.

    y : ndarray of shape (n_samples,)
        All labels.

    Returns
    -------
    fast : callable or None
        For `score_cells`; same numbers as the scorer's.
    """
    if not isinstance(scorer, _BaseScorer) or scorer._score_func is not hierarchical_f1_score:
        return None
    options = dict(scorer._kwargs)
    if scorer._sign != 1 or scorer._response_method != "predict" or set(options) - _FAST_OPTIONS:
        return None
    taxonomy = options.pop("taxonomy", None)
    if taxonomy is None:
        known = BST.is_leaf(y)
        # a fold that lacks the other labels would be scored on BST: the scorer itself must decide, fold by fold
        if known.any() and not known.all():
            return None
        taxonomy = resolve_taxonomy(None, y)
    return lambda parts, probas: _hf(parts, probas, taxonomy, options)


def _hf(parts, probas, taxonomy, options):
    n_leaves = taxonomy.n_leaves
    row, column = taxonomy.leaf_index(parts.y) * n_leaves, taxonomy.leaf_index(parts.classes)
    counts = np.stack([np.bincount(row + column[proba.argmax(axis=1)], minlength=n_leaves**2) for proba in probas])
    return score_confusions(
        counts.reshape(-1, n_leaves, n_leaves).astype(np.float64),
        taxonomy.parent_of_leaf,
        metric="hierarchical_f1",
        **options,
    ).tolist()
