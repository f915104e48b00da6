"""What a paired comparison found."""

from dataclasses import dataclass

import numpy as np

__all__ = ["PairedComparison"]


@dataclass(frozen=True, repr=False, eq=False)
class PairedComparison:
    """Two systems on the same rows: scores, their difference, and how sure it is.

    Parameters
    ----------
    metric : str
        Name of the score.

    score_a, score_b : float
        Scores; with folds, means over folds.

    difference : float
        ``score_a - score_b``.

    interval : tuple (low, high)
        Bootstrap interval of the difference.

    interval_method : {"bca", "percentile"}
        How it was made; "percentile" where BCa was asked for and is not defined.

    p_value : float
        Of the permutation test.

    confidence_level : float
        Coverage of the intervals.

    n_samples : int
        Number of rows.

    n_groups : int or None
        Number of groups that were drawn, None where rows were.

    fold_differences : ndarray of shape (n_folds,) or None
        Differences per fold; None without folds.

    fold_interval : tuple (low, high) or None
        Corrected resampled t interval over folds (Nadeau and Bengio, 2003).

    fold_p_value : float or None
        The p-value that belongs to it.

    bootstrap_differences : ndarray of shape (n_bootstrap,)
        Differences of the resamples.

    permutation_differences : ndarray of shape (n_permutations,)
        Differences of the random swaps.
    """

    metric: str
    score_a: float
    score_b: float
    difference: float
    interval: tuple
    interval_method: str
    p_value: float
    confidence_level: float
    n_samples: int
    n_groups: int | None
    fold_differences: np.ndarray | None
    fold_interval: tuple | None
    fold_p_value: float | None
    bootstrap_differences: np.ndarray
    permutation_differences: np.ndarray

    @property
    def standard_error(self):
        """Standard deviation of the bootstrap differences."""
        return float(self.bootstrap_differences.std(ddof=1))

    def to_dict(self):
        """Return the figures, for a row of a table.

        Returns
        -------
        figures : dict of str to object
        """
        low, high = self.interval
        fold_low, fold_high = self.fold_interval or (np.nan, np.nan)
        return {
            "metric": self.metric,
            "score_a": self.score_a,
            "score_b": self.score_b,
            "difference": self.difference,
            "low": low,
            "high": high,
            "p_value": self.p_value,
            "fold_low": fold_low,
            "fold_high": fold_high,
            "fold_p_value": np.nan if self.fold_p_value is None else self.fold_p_value,
        }

    def __repr__(self):
        level = f"{100 * self.confidence_level:g} %"
        units = "rows" if self.n_groups is None else f"{self.n_groups} groups"
        method = {"bca": "BCa", "percentile": "percentile"}[self.interval_method]
        lines = [
            f"{self.metric} of {self.n_samples} rows: A {self.score_a:.4f}, B {self.score_b:.4f}, "
            f"A - B {self.difference:+.4f}",
            f"  {level} interval {_interval(self.interval)}  {method} bootstrap of {units}, "
            f"{len(self.bootstrap_differences)} resamples",
            f"  permutation p = {self.p_value:.4g}  {len(self.permutation_differences)} random swaps of {units}",
        ]
        if self.fold_interval is not None:
            lines.append(
                f"  {level} interval {_interval(self.fold_interval)}  corrected t over "
                f"{len(self.fold_differences)} folds, p = {self.fold_p_value:.4g}"
            )
        return "\n".join(lines)


def _interval(interval):
    return f"[{interval[0]:+.4f}, {interval[1]:+.4f}]"
