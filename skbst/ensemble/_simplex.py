"""Candidates for the weights of an ensemble."""

from itertools import combinations
from math import comb

import numpy as np

__all__ = ["ascend", "n_grid_points", "simplex_grid"]


def n_grid_points(n_members, step):
    """Number of rows of `simplex_grid`."""
    parts = round(1 / step)
    return comb(parts + n_members - 1, n_members - 1)


def simplex_grid(n_members, step):
    """All weights that are multiples of a step and sum to 1.

    Parameters
    ----------
    n_members : int
        Length of a row.

    step : float in (0, 1]
        Rounded to one part of a whole number.

    Returns
    -------
    weights : ndarray of shape (n_points, n_members)
        Rows in lexicographic order.

    Examples
    --------
    >>> from skbst.ensemble._simplex import simplex_grid
    >>> simplex_grid(2, 0.5)
    array([[0. , 1. ],
           [0.5, 0.5],
           [1. , 0. ]])
    """
    parts = round(1 / step)
    bars = np.array(list(combinations(range(parts + n_members - 1), n_members - 1)), dtype=int)
    bars = bars.reshape(n_grid_points(n_members, step), n_members - 1)
    edges = np.column_stack([np.full(len(bars), -1), bars, np.full(len(bars), parts + n_members - 1)])
    return (np.diff(edges, axis=1) - 1) / parts


def ascend(score, n_members, step, max_rounds=20):
    """Climb from equal weights by moving one member's share at a time.

    Parameters
    ----------
    score : callable
        Weights of shape (n, n_members) to scores of shape (n,).

    n_members : int
        Length of a row.

    step : float
        Distance between the shares that are tried.

    max_rounds : int, default=20
        Most passes over the members.

    Returns
    -------
    visited : ndarray of shape (n_visited, n_members)
        All weights that were tried, without repetition.
    """
    best = np.full(n_members, 1 / n_members)
    best_score = score(best[None])[0]
    visited = [best[None]]
    shares = np.arange(round(1 / step) + 1)[:, None] * step
    for _ in range(max_rounds):
        before = best_score
        for member in range(n_members):
            rest = np.delete(best, member)
            rest = rest / rest.sum() if rest.sum() > 0 else np.full(len(rest), 1 / len(rest))
            tried = np.insert((1 - shares) * rest, member, shares[:, 0], axis=1)
            scores = score(tried)
            visited.append(tried)
            if scores.max() > best_score:
                best, best_score = tried[scores.argmax()], scores.max()
        if best_score <= before:
            break
    return np.unique(np.concatenate(visited).round(12), axis=0)
