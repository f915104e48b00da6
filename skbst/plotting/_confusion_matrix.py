"""Confusion matrix that shows both levels of the tree."""

import numpy as np

from skbst._optional import require
from skbst.metrics import pair_confusion
from skbst.plotting._axes import axes_for

__all__ = ["HierarchicalConfusionMatrixDisplay"]


class HierarchicalConfusionMatrixDisplay:
    """Confusion matrix of the second level with the top-level blocks drawn on it.

    Parameters
    ----------
    confusion : ndarray of shape (n_leaves, n_leaves)
        Counts or weights, true classes in rows, in the order of `taxonomy`.

    taxonomy : Taxonomy
        The tree; leaves of one top level must be neighbours in it.

    Attributes
    ----------
    ax_, figure_, im_
        What `plot` drew: the axes, its figure and the image.

    Examples
    --------
    >>> from skbst.plotting import HierarchicalConfusionMatrixDisplay as Display
    >>> display = Display.from_predictions(["fx-a", "fx-a", "ss-n"], ["fx-a", "fx-h", "ss-n"], draw=False)
    >>> display.confusion.shape
    (3, 3)
    """

    def __init__(self, confusion, *, taxonomy):
        self.confusion = confusion
        self.taxonomy = taxonomy

    @classmethod
    def from_predictions(
        cls, y_true, y_pred, *, taxonomy=None, sample_weight=None, only_present=True, draw=True, ax=None, **plot_params
    ):
        """Build from labels and draw.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_samples,)
            Class codes.

        taxonomy : Taxonomy, default=None
            The tree; None takes BST where all labels are BST codes, the flat tree where none is.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        only_present : bool, default=True
            Whether classes that occur on neither side are left out.

        draw : bool, default=True
            Whether to call `plot` at once.

        ax : matplotlib Axes, default=None
            Where to draw.

        **plot_params
            Handed to `plot`.

        Returns
        -------
        display : HierarchicalConfusionMatrixDisplay
        """
        confusion, tree = pair_confusion(y_true, y_pred, taxonomy=taxonomy, sample_weight=sample_weight)
        if only_present:
            kept = np.flatnonzero(confusion.sum(axis=0) + confusion.sum(axis=1))
            confusion, tree = confusion[np.ix_(kept, kept)], tree.restrict(tree.leaves[kept])
        display = cls(confusion, taxonomy=tree)
        return display.plot(ax=ax, **plot_params) if draw else display

    @classmethod
    def from_estimator(cls, estimator, X, y, **params):
        """Build from a fitted classifier's predictions for `X`; other arguments as in `from_predictions`."""
        return cls.from_predictions(y, estimator.predict(X), **params)

    def plot(self, *, ax=None, normalize="true", cmap="Blues", values="auto", colorbar=True):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure of a fitting size.

        normalize : {"true", None}, default="true"
            Shares of each true class (rows sum to 1), or counts.

        cmap : str or Colormap, default="Blues"
            Colours.

        values : bool or "auto", default="auto"
            Whether numbers stand in the cells; "auto" writes those that would not read as 0.

        colorbar : bool, default=True
            Whether to draw the scale.

        Returns
        -------
        self
        """
        n = len(self.confusion)
        side = max(4.0, 0.36 * n + 2)
        ax = axes_for(self, ax, (side + 1, side))
        matrix = self.confusion
        if normalize == "true":
            total = matrix.sum(axis=1, keepdims=True)
            matrix = np.divide(matrix, total, out=np.zeros_like(matrix, dtype=float), where=total > 0)
        self.im_ = ax.imshow(matrix, cmap=cmap, vmin=0, vmax=1 if normalize == "true" else None)
        if values:
            self._write_values(ax, matrix, normalize)
        self._draw_top_levels(ax)
        ax.set(xticks=range(n), yticks=range(n), xlabel="predicted class", ylabel="true class")
        ax.set_xticklabels(self.taxonomy.leaves, rotation=90)
        ax.set_yticklabels(f"{leaf}  ({support:g})" for leaf, support in zip(self.taxonomy.leaves, self._support()))
        if colorbar:
            label = "share of the true class" if normalize == "true" else "clips"
            ax.figure.colorbar(self.im_, ax=ax, label=label, shrink=0.8)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _support(self):
        return self.confusion.sum(axis=1)

    def _write_values(self, ax, matrix, normalize):
        limit = 0.5 * matrix.max()
        for i, j in zip(*np.nonzero(matrix >= (0.005 if normalize == "true" else 0.5))):
            text = f"{100 * matrix[i, j]:.0f}" if normalize == "true" else f"{matrix[i, j]:g}"
            color = "white" if matrix[i, j] > limit else "0.25"
            ax.text(j, i, text, ha="center", va="center", fontsize=7, color=color)

    def _draw_top_levels(self, ax):
        parents = self.taxonomy.parent_of_leaf
        edges = np.flatnonzero(np.diff(parents)) + 1
        starts, ends = np.r_[0, edges], np.r_[edges, len(parents)]
        for start, end in zip(starts, ends):
            box = {"fill": False, "edgecolor": "tab:red", "linewidth": 1.2}
            ax.add_patch(_rectangle((start - 0.5, start - 0.5), end - start, box))
            name = self.taxonomy.top_names[str(self.taxonomy.tops[parents[start]])]
            ax.text(
                (start + end - 1) / 2, -0.9, name, ha="center", va="bottom", fontsize=8, color="tab:red", rotation=20
            )


def _rectangle(corner, side, style):
    patches = require("matplotlib.patches", extra="plot", needed_by="HierarchicalConfusionMatrixDisplay")
    return patches.Rectangle(corner, side, side, **style)
