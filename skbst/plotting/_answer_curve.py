"""How right the answers are, against how many are given."""

import numpy as np

from skbst.conformal import node_confidences
from skbst.plotting._axes import axes_for
from skbst.taxonomy import resolve_taxonomy

__all__ = ["AnswerCurveDisplay"]


class AnswerCurveDisplay:
    """Accuracy of the answers that are given, as less and less sure ones are given too, at both levels.

    Parameters
    ----------
    share : ndarray of shape (n_samples,)
        Share of the rows that are answered, the surest first.

    leaf_accuracy, top_accuracy : ndarray of shape (n_samples,)
        Accuracy among them, of the classes and of the top levels; each with its own order.

    Attributes
    ----------
    ax_, figure_
        What `plot` drew.

    Examples
    --------
    >>> from skbst.plotting import AnswerCurveDisplay
    >>> proba = [[0.9, 0.1, 0.0], [0.6, 0.4, 0.0]]
    >>> display = AnswerCurveDisplay.from_predictions(
    ...     ["fx-a", "fx-h"], proba, classes=["fx-a", "fx-h", "ss-n"], draw=False
    ... )
    >>> display.leaf_accuracy, display.top_accuracy
    (array([1. , 0.5]), array([1., 1.]))
    """

    def __init__(self, share, leaf_accuracy, top_accuracy):
        self.share = share
        self.leaf_accuracy = leaf_accuracy
        self.top_accuracy = top_accuracy

    @classmethod
    def from_predictions(cls, y_true, proba, *, classes, taxonomy=None, draw=True, ax=None):
        """Build from probabilities and draw.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Class labels.

        proba : array-like of shape (n_samples, n_classes)
            Probabilities of rows that the classifier has not seen.

        classes : array-like of shape (n_classes,)
            Class of each column.

        taxonomy : Taxonomy, default=None
            The tree; None takes BST where all classes are BST codes, the flat tree where none is.

        draw : bool, default=True
            Whether to call `plot` at once.

        ax : matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        display : AnswerCurveDisplay
        """
        tree = resolve_taxonomy(taxonomy, classes).reorder(classes)
        truth, parent = tree.leaf_index(y_true), tree.parent_of_leaf
        leaf, leaf_proba, top_proba = node_confidences(proba, parent)
        counts = np.arange(1, len(truth) + 1)
        curves = [
            np.cumsum(right[np.argsort(-confidence, kind="stable")]) / counts
            for right, confidence in ((leaf == truth, leaf_proba), (parent[leaf] == parent[truth], top_proba))
        ]
        display = cls(counts / len(truth), *curves)
        return display.plot(ax=ax) if draw else display

    @classmethod
    def from_estimator(cls, estimator, X, y, **params):
        """Build from a fitted classifier's probabilities of `X`."""
        settings = {"classes": estimator.classes_, "taxonomy": getattr(estimator, "taxonomy_", None), **params}
        return cls.from_predictions(y, estimator.predict_proba(X), **settings)

    def plot(self, *, ax=None):
        """Draw a line for each level.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        self
        """
        ax = axes_for(self, ax, (5, 4))
        ax.plot(self.share, self.leaf_accuracy, label="class")
        ax.plot(self.share, self.top_accuracy, label="top level")
        ax.set(xlabel="share of clips answered, the surest first", ylabel="accuracy of these answers", xlim=(0, 1))
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
