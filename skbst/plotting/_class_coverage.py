"""Coverage of each class against what chance allows."""

import numpy as np
from scipy.stats import binom

from skbst.conformal import class_coverage_scores
from skbst.plotting._axes import axes_for

__all__ = ["ClassCoverageDisplay"]


class ClassCoverageDisplay:
    """Share of each class's rows whose set holds it, beside the band that chance allows at the promised level.

    Parameters
    ----------
    coverage : ndarray of shape (n_classes,)
        Share of covered rows, in [0, 1]; NaN where there are none.

    support : ndarray of shape (n_classes,)
        Number of rows.

    classes : array-like of shape (n_classes,), str
        Class codes.

    confidence_level : float in (0, 1)
        The promise.

    Attributes
    ----------
    band_ : ndarray of shape (n_classes, 2)
        Between these shares lie 95 of 100 classes of such a size that are covered as promised (binomial).

    ax_, figure_
        What `plot` drew.

    Examples
    --------
    >>> from skbst.plotting import ClassCoverageDisplay
    >>> sets = [[True, False], [True, True], [True, False]]
    >>> display = ClassCoverageDisplay.from_sets(
    ...     ["fx-a", "fx-a", "fx-h"], sets, classes=["fx-a", "fx-h"], confidence_level=0.9, draw=False
    ... )
    >>> display.coverage
    array([1., 0.])
    """

    def __init__(self, coverage, support, *, classes, confidence_level):
        self.coverage = coverage
        self.support = support
        self.classes = classes
        self.confidence_level = confidence_level

    @property
    def band_(self):
        """Shares between which chance leaves 95 of 100 classes."""
        n = np.maximum(np.asarray(self.support, dtype=int), 1)
        return np.stack([binom.ppf(q, n, self.confidence_level) / n for q in (0.025, 0.975)], axis=1)

    @classmethod
    def from_sets(cls, y_true, sets, *, classes, confidence_level, draw=True, ax=None):
        """Build from sets of classes and draw.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Class labels.

        sets : array-like of shape (n_samples, n_classes), bool
            Sets.

        classes : array-like of shape (n_classes,)
            Class of each column.

        confidence_level : float in (0, 1)
            The promise.

        draw : bool, default=True
            Whether to call `plot` at once.

        ax : matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        display : ClassCoverageDisplay
        """
        coverage, y_true = class_coverage_scores(y_true, sets, classes=classes), np.asarray(y_true)
        support = np.array([np.sum(y_true == code) for code in classes])
        display = cls(coverage, support, classes=classes, confidence_level=confidence_level)
        return display.plot(ax=ax) if draw else display

    @classmethod
    def from_estimator(cls, estimator, X, y, **params):
        """Build from the sets of a fitted `skbst.conformal.HierarchicalConformalClassifier`."""
        settings = {"classes": estimator.classes_, "confidence_level": estimator.confidence_level, **params}
        return cls.from_sets(y, estimator.predict_set(X), **settings)

    def plot(self, *, ax=None):
        """Draw a point and a band for each class that has rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure of a fitting size.

        Returns
        -------
        self
        """
        rows = np.flatnonzero(np.asarray(self.support) > 0)
        ax = axes_for(self, ax, (6, 1.5 + 0.24 * len(rows)))
        coverage, place = np.asarray(self.coverage)[rows], np.arange(len(rows))
        low, high = self.band_[rows].T
        ax.barh(place, high - low, left=low, height=0.7, color="0.85", label="chance, 95 of 100")
        off = coverage < low
        ax.plot(coverage[~off], place[~off], "o", color="tab:blue", label="coverage")
        ax.plot(coverage[off], place[off], "o", color="tab:red", label="below the band")
        ax.axvline(self.confidence_level, color="0.4", linewidth=1)
        ax.set_yticks(place, [f"{np.asarray(self.classes)[i]}  ({np.asarray(self.support)[i]:g})" for i in rows])
        ax.invert_yaxis()
        ax.set_xlabel("share of rows whose set holds the class")
        ax.legend(fontsize=8, loc="lower left")
        self.ax_, self.figure_ = ax, ax.figure
        return self
