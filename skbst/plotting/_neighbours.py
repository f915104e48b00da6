"""The neighbours of a clip and what their labels do to its class."""

import numpy as np

from skbst._optional import require
from skbst.exceptions import DataFormatError
from skbst.neighbors import blend, flip_points
from skbst.plotting._axes import axes_for

__all__ = ["NeighboursDisplay"]


class NeighboursDisplay:
    """Neighbours of one clip, and its class probabilities along alpha.

    On the left each neighbour is a bar as long as its weight, in the colour of its label; on the right the probability
    of each class that can win is a straight line from the model's (alpha = 0) to the neighbours' (alpha = 1), with the
    present alpha and those at which the decision flips.

    Parameters
    ----------
    labels : array-like of shape (k,), str
        Labels of the neighbours, nearest first.

    weights : array-like of shape (k,)
        Their weights, which sum to 1.

    similarities : array-like of shape (k,)
        Their cosines.

    p_model, p_neighbour : array-like of shape (n_classes,)
        Probabilities of the clip's classes by the model and by the neighbours.

    classes : array-like of shape (n_classes,)
        Class labels.

    alpha : float in [0, 1]
        The present setting.

    names : array-like of shape (k,), str, default=None
        What the neighbours are called (titles, say); None shows only their labels.

    title : str, default=None
        What the clip is called.

    Attributes
    ----------
    axes_, figure_
        What `plot` drew.

    Examples
    --------
    >>> from skbst.plotting import NeighboursDisplay
    >>> display = NeighboursDisplay(
    ...     ["fx-a", "fx-h"], [0.7, 0.3], [0.9, 0.8], [0.2, 0.8], [0.7, 0.3], ["fx-a", "fx-h"], alpha=0.3
    ... )
    >>> display.flips.round(3).tolist()
    [0.6]
    """

    def __init__(self, labels, weights, similarities, p_model, p_neighbour, classes, *, alpha, names=None, title=None):
        self.labels = np.asarray(labels)
        self.weights = np.asarray(weights)
        self.similarities = np.asarray(similarities)
        self.p_model = np.asarray(p_model, dtype=np.float64)
        self.p_neighbour = np.asarray(p_neighbour, dtype=np.float64)
        self.classes = np.asarray(classes)
        self.alpha = alpha
        self.names = names
        self.title = title

    @classmethod
    def from_estimator(cls, blender, X, *, row=0, groups=None, name_column="title", title=None, draw=True, **params):
        """Explain one row of `X` by a fitted `KNNPriorBlender` and draw.

        Parameters
        ----------
        blender : KNNPriorBlender
            Fitted.

        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        row : int, default=0
            The clip to explain.

        groups : array-like of shape (n_samples,), default=None
            Uploader of each row, for ``exclude_own_group``.

        name_column : str, default="title"
            Column of the metadata given at ``fit`` that names the neighbours; "id" where there is no such column.

        title : str, default=None
            What the clip is called; None gives its number.

        draw : bool, default=True
            Whether to call `plot` at once.

        **params
            Handed to `plot`.

        Returns
        -------
        display : NeighboursDisplay
        """
        row = range(len(X))[row]
        clip = X[[row]] if not hasattr(X, "iloc") else X.iloc[[row]]
        own = None if groups is None else np.asarray(groups)[[row]]
        table = blender.explain(clip, groups=own)
        if not len(table):
            raise DataFormatError(f"Clip {row} has no neighbour: its whole bank is of its own group.")
        name = next((column for column in (name_column, "id") if column in table), None)
        display = cls(
            table["label"],
            table["weight"],
            table["similarity"],
            np.asarray(blender.estimator_.predict_proba(clip))[0],
            blender.neighbour_proba(clip, groups=own)[0],
            blender.classes_,
            alpha=blender.alpha,
            names=None if name is None else table[name].tolist(),
            title=f"clip {row}" if title is None else title,
        )
        return display.plot(**params) if draw else display

    @property
    def flips(self):
        """All alphas in [0, 1] at which the decision changes, ndarray, rising."""
        found, alpha = [], 0.0
        while True:
            _, above, _, _ = flip_points(self.p_model[None], self.p_neighbour[None], alpha)
            # the next winner leads a hair beyond the crossing
            if not above[0] < 1 - 1e-9:
                return np.array(found)
            if not found or above[0] - found[-1] > 1e-8:
                found.append(above[0])
            alpha = max(alpha, above[0]) + 1e-9

    def plot(self, *, axes=None, n_neighbors=15, cmap="tab20"):
        """Draw.

        Parameters
        ----------
        axes : pair of matplotlib Axes, default=None
            Where to draw; None makes a figure.

        n_neighbors : int, default=15
            Most bars.

        cmap : str or Colormap, default="tab20"
            Colours of the classes.

        Returns
        -------
        self
        """
        plt = require("matplotlib.pyplot", extra="plot", needed_by=type(self).__name__)
        n_bars = min(n_neighbors, len(self.labels))
        axes = axes_for(self, axes, (10, max(3.0, 0.28 * n_bars + 1.2)), 1, 2, width_ratios=[1.3, 1])
        colors = self._colors(plt.get_cmap(cmap))
        self._draw_neighbours(axes[0], n_bars, colors)
        self._draw_lines(axes[1], colors)
        self.axes_, self.figure_ = tuple(axes), axes[0].figure
        if self.title is not None:
            winner = blend(self.p_model[None], self.p_neighbour[None], self.alpha)[0].argmax()
            axes[0].set_title(f"{self.title}: {self.classes[winner]}", loc="left")
        return self

    def _colors(self, cmap):
        return {str(label): cmap(i % cmap.N) for i, label in enumerate(self.classes)}

    def _draw_neighbours(self, ax, n_bars, colors):
        labels = [str(label) for label in self.labels[:n_bars]]
        ax.barh(range(n_bars), self.weights[:n_bars], color=[colors.get(label, "0.6") for label in labels])
        names = [""] * n_bars if self.names is None else [str(name)[:40] for name in self.names[:n_bars]]
        ax.set_yticks(range(n_bars), [f"{name}  {label}".strip() for name, label in zip(names, labels)])
        for i, (weight, similarity) in enumerate(zip(self.weights[:n_bars], self.similarities[:n_bars])):
            ax.text(weight, i, f" {similarity:.2f}", va="center", fontsize=8, color="0.35")
        ax.invert_yaxis()
        ax.margins(x=0.12)
        ax.set_xlabel("weight (cosine beside the bar)")

    def _draw_lines(self, ax, colors):
        flips = self.flips
        between = np.r_[0, flips, 1]
        stops = (between[:-1] + between[1:]) / 2
        winners = [int(blend(self.p_model[None], self.p_neighbour[None], stop)[0].argmax()) for stop in stops]
        shown = list(dict.fromkeys([*winners, *np.argsort(-np.maximum(self.p_model, self.p_neighbour))[:4].tolist()]))
        for i in shown:
            label, width = str(self.classes[i]), 2.5 if i in winners else 1.2
            ends = [self.p_model[i], self.p_neighbour[i]]
            ax.plot([0, 1], ends, color=colors[label], linewidth=width, label=label)
        ax.axvline(self.alpha, color="0.2", linewidth=1, label=f"alpha {self.alpha:g}")
        for flip in flips:
            ax.axvline(flip, color="0.2", linewidth=0.8, linestyle=":")
            ax.text(flip, 1.01, f"{flip:.2f}", ha="center", va="bottom", fontsize=8, transform=ax.get_xaxis_transform())
        ax.set(xlabel="alpha: model (0) to neighbours (1)", ylabel="probability", xlim=(0, 1), ylim=(0, None))
        ax.legend(fontsize=8, loc="best")
