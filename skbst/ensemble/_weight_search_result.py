"""Weights that a search proposes, and how far they can be trusted."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["WeightSearchResult"]


@dataclass
class WeightSearchResult:
    """Outcome of `search_weights`.

    Attributes
    ----------
    names : tuple of str
        Members, the order of all weights.

    weights : ndarray of shape (n_members,)
        The best candidate; sums to 1.

    stable_weights : ndarray of shape (n_members,)
        The candidate nearest to equal weights whose score lies within one standard error of the best. Take these
        unless the best ones lie close to them.

    score, stable_score, equal_score : float
        Out-of-fold hF of the best, the stable and equal weights. The first is that of a choice made on the same rows,
        and so a little too good.

    gain : tuple (float, float, float)
        What searching gains over equal weights: mean, 5 % and 95 % points over the bootstrap samples. Each sample
        chooses its own weights and is judged on the rows that it left out, so the choice is paid for. NaN without
        bootstrap.

    candidates : DataFrame
        One row per candidate: its weights by name, ``score``, ``standard_error`` of its difference to the best.

    bootstrap_weights : DataFrame of shape (n_bootstrap, n_members)
        The choice of each bootstrap sample of the rows.

    fold_weights : DataFrame of shape (n_folds, n_members)
        The choice on the rows of each fold alone.
    """

    names: tuple
    weights: np.ndarray
    stable_weights: np.ndarray
    score: float
    stable_score: float
    equal_score: float
    gain: tuple
    candidates: pd.DataFrame
    bootstrap_weights: pd.DataFrame
    fold_weights: pd.DataFrame

    def summary(self):
        """Tell for each member what was chosen and how much the choice varies.

        Returns
        -------
        table : DataFrame
            Index: members. Columns: ``weight``, ``stable_weight``; ``bootstrap_mean``, ``bootstrap_std``,
            ``bootstrap_5%``, ``bootstrap_95%``; ``fold_min``, ``fold_max``.
        """
        boot, folds = self.bootstrap_weights, self.fold_weights
        return pd.DataFrame(
            {
                "weight": self.weights,
                "stable_weight": self.stable_weights,
                "bootstrap_mean": boot.mean().to_numpy(),
                "bootstrap_std": boot.std(ddof=0).to_numpy(),
                "bootstrap_5%": boot.quantile(0.05).to_numpy(),
                "bootstrap_95%": boot.quantile(0.95).to_numpy(),
                "fold_min": folds.min().to_numpy(),
                "fold_max": folds.max().to_numpy(),
            },
            index=pd.Index(self.names, name="member"),
        )
