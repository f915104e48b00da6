"""How many corrections a person finds against how many rows they look at."""

import numpy as np
import pandas as pd

from skbst.exceptions import DataFormatError
from skbst.plotting._axes import axes_for

__all__ = ["LabelAuditDisplay"]


class LabelAuditDisplay:
    """Corrections found against rows looked at: an audit, its rivals, and chance.

    Parameters
    ----------
    found : dict of str to ndarray of shape (n_samples,), int
        Of each ranking: how many corrections lie in its first row, its first two, and so on.

    n_wrong : int
        Number of corrections.

    Attributes
    ----------
    ax_, figure_
        What `plot` drew.

    Examples
    --------
    >>> from skbst.plotting import LabelAuditDisplay
    >>> wrong = [False, True, False, True]
    >>> scores = {"mine": [0.9, 0.1, 0.2, 0.8], "theirs": [0.1, 0.2, 0.3, 0.4]}
    >>> LabelAuditDisplay.from_scores(wrong, scores, draw=False).found
    {'mine': array([1, 1, 2, 2]), 'theirs': array([0, 1, 1, 2])}
    """

    def __init__(self, found, n_wrong):
        self.found = found
        self.n_wrong = n_wrong

    @classmethod
    def from_scores(cls, wrong, scores, *, draw=True, ax=None, first=None):
        """Build from scores of rows whose labels are known to be right or wrong.

        Parameters
        ----------
        wrong : array-like of shape (n_samples,), bool
            Labels that were corrected.

        scores : dict of str to array-like of shape (n_samples,)
            By the name of the ranking; the lower, the more doubtful, as those of cleanlab are too.

        draw : bool, default=True
            Whether to call `plot` at once.

        ax : matplotlib Axes, default=None
            Where to draw.

        first : int, default=None
            How many rows are looked at, None for all.

        Returns
        -------
        display : LabelAuditDisplay

        Raises
        ------
        DataFormatError
            If a ranking has another number of rows.
        """
        wrong = np.asarray(wrong, dtype=bool)
        found = {}
        for name, score in scores.items():
            score = np.asarray(score, dtype=float)
            if score.shape != wrong.shape:
                raise DataFormatError(f"{name!r} must have one score for each of {len(wrong)} rows; got {score.shape}.")
            found[name] = wrong[np.argsort(score, kind="stable")].cumsum()
        display = cls(found, int(wrong.sum()))
        return display.plot(ax=ax, first=first) if draw else display

    @classmethod
    def from_estimator(cls, audit, truth, *, rivals=None, draw=True, ax=None, first=None):
        """Build from a fitted audit and the labels after correction.

        Parameters
        ----------
        audit : LabelAudit
            Fitted; after `answer` the rows that are left count.

        truth : array-like of shape (n_samples,)
            Labels after correction, in the order of the rows of ``fit``; missing where nobody knows.

        rivals : dict of str to array-like of shape (n_samples,), default=None
            Scores by others, in the same order; the lower, the more doubtful.

        draw, ax, first
            As in `from_scores`.

        Returns
        -------
        display : LabelAuditDisplay
        """
        table, truth = audit.ranking_, np.asarray(truth, dtype=object)
        rows = table["position"].to_numpy()
        truth = truth[rows]
        wrong = ~pd.isna(truth) & (truth != table["label"].to_numpy())
        scores = {type(audit).__name__: np.arange(len(rows))}
        scores |= {name: np.asarray(score)[rows] for name, score in (rivals or {}).items()}
        return cls.from_scores(wrong.astype(bool), scores, draw=draw, ax=ax, first=first)

    def plot(self, *, ax=None, first=None):
        """Draw a line for each ranking and one for chance.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw.

        first : int, default=None
            How many rows are looked at, None for all.

        Returns
        -------
        self
        """
        ax = axes_for(self, ax, (5, 4))
        n_rows = max((len(found) for found in self.found.values()), default=0)
        first = n_rows if first is None else min(first, n_rows)
        for name, found in self.found.items():
            ax.plot(np.arange(first + 1), np.r_[0, found[:first]], label=name)
        chance = self.n_wrong * first / max(n_rows, 1)
        ax.plot([0, first], [0, chance], color="gray", linestyle="dashed", label="chance")
        ax.set(xlabel="rows looked at", ylabel=f"found of {self.n_wrong} corrections", xlim=(0, first))
        ax.set_ylim(bottom=0)
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
