"""Score of a blend search over alpha and k."""

import numpy as np
import pandas as pd

from skbst.exceptions import DataFormatError
from skbst.plotting._axes import axes_for

__all__ = ["BlendSearchDisplay"]


class BlendSearchDisplay:
    """Map of the mean score over alpha and k at one temperature.

    Parameters
    ----------
    scores : ndarray of shape (n_alphas, n_ks)
        Mean scores; NaN for cells that were not searched.

    alphas : ndarray of shape (n_alphas,)
        Rising.

    ks : ndarray of shape (n_ks,), int
        Rising.

    temperature : float, default=None
        For the title.

    score_name : str, default="score"
        For the scale.

    Attributes
    ----------
    best_alpha_, best_k_ : float, int
        The cell of the highest score; of equal ones that of the lowest alpha, then k.

    ax_, figure_, im_
        What `plot` drew.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.plotting import BlendSearchDisplay
    >>> display = BlendSearchDisplay(np.array([[0.70, 0.70], [0.72, 0.75]]), [0.0, 0.3], [5, 20])
    >>> display.best_alpha_, display.best_k_
    (0.3, 20)
    """

    def __init__(self, scores, alphas, ks, *, temperature=None, score_name="score"):
        self.scores = np.asarray(scores, dtype=np.float64)
        self.alphas = np.asarray(alphas)
        self.ks = np.asarray(ks)
        self.temperature = temperature
        self.score_name = score_name
        if self.scores.shape != (len(self.alphas), len(self.ks)):
            raise DataFormatError(
                f"scores must have shape ({len(self.alphas)}, {len(self.ks)}); got {self.scores.shape}."
            )
        row, column = np.unravel_index(np.nanargmax(self.scores), self.scores.shape)
        self.best_alpha_, self.best_k_ = self.alphas[row].item(), self.ks[column].item()

    @classmethod
    def from_search(cls, search, *, temperature=None, metric=None, draw=True, **plot_params):
        """Build from a fitted search over the parameters of a `KNNPriorBlender` and draw.

        Parameters
        ----------
        search : KNNBlendSearchCV or GridSearchCV
            Fitted; its grid names alpha and k.

        temperature : float, default=None
            The slice to show; None takes that of the best cell.

        metric : str, default=None
            Which of several scores; None takes the one that decided.

        draw : bool, default=True
            Whether to call `plot` at once.

        **plot_params
            Handed to `plot`.

        Returns
        -------
        display : BlendSearchDisplay
        """
        if metric is None:
            metric = search.refit if isinstance(search.refit, str) else "score"
        results = search.cv_results_
        table = pd.DataFrame({"mean": results[f"mean_test_{metric}"]})
        for name in ("alpha", "k", "temperature"):
            keys = [
                key for key in results if key.startswith("param_") and key.split("__")[-1] in (f"param_{name}", name)
            ]
            if not keys and name != "temperature":
                raise DataFormatError(
                    f"The grid of this search does not name {name}; it has {list(results['params'][0])}."
                )
            if keys:
                table[name] = np.ma.filled(np.ma.asarray(results[keys[0]]).astype(float), np.nan)
        return cls.from_table(table, score="mean", temperature=temperature, score_name=metric, draw=draw, **plot_params)

    @classmethod
    def from_table(
        cls, table, *, score="mean_test_score", temperature=None, score_name="score", draw=True, **plot_params
    ):
        """Build from columns alpha, k, maybe temperature, and a score, as of ``KNNBlendSearchCV.score_cells``.

        Parameters
        ----------
        table : DataFrame
            One row per cell.

        score : str, default="mean_test_score"
            Column of the score. Cells that stand in several rows (other parameters varied) show their best.

        temperature : float, default=None
            As in `from_search`.

        score_name : str, default="score"
            What the colours are called.

        draw : bool, default=True
            As in `from_search`.

        **plot_params : dict
            As in `from_search`.

        Returns
        -------
        display : BlendSearchDisplay
        """
        if "temperature" in table:
            if temperature is None:
                temperature = float(table.loc[table[score].idxmax(), "temperature"])
            table = table[np.isclose(table["temperature"], temperature)]
            if not len(table):
                raise DataFormatError(f"No cell has temperature {temperature}.")
        grid = table.pivot_table(index="alpha", columns="k", values=score, aggfunc="max")
        display = cls(
            grid.to_numpy(),
            grid.index.to_numpy(),
            grid.columns.to_numpy().astype(int),
            temperature=temperature,
            score_name=score_name,
        )
        return display.plot(**plot_params) if draw else display

    def plot(self, *, ax=None, cmap="viridis", values="auto", colorbar=True):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        cmap : str or Colormap, default="viridis"
            Colours.

        values : bool or "auto", default="auto"
            Whether scores in per cent stand in the cells; "auto" writes them for up to 80 cells.

        colorbar : bool, default=True
            Whether to draw the scale.

        Returns
        -------
        self
        """
        ax = axes_for(self, ax, (6, 4.5))
        self.im_ = ax.imshow(self.scores, cmap=cmap, origin="lower", aspect="auto")
        if values is True or (values == "auto" and self.scores.size <= 80):
            self._write_values(ax)
        row, column = self.alphas.tolist().index(self.best_alpha_), self.ks.tolist().index(self.best_k_)
        ax.plot(column, row, marker="s", markersize=18, markerfacecolor="none", markeredgecolor="tab:red")
        for set_ticks, labels in ((ax.set_xticks, self.ks), (ax.set_yticks, self.alphas)):
            shown = np.unique(np.linspace(0, len(labels) - 1, min(len(labels), 12)).round().astype(int))
            set_ticks(shown, [f"{label:g}" for label in labels[shown]])
        ax.set(xlabel="k", ylabel="alpha")
        if self.temperature is not None:
            ax.set_title(f"temperature {self.temperature:g}")
        if colorbar:
            ax.figure.colorbar(self.im_, ax=ax, label=self.score_name)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _write_values(self, ax):
        middle = (np.nanmin(self.scores) + np.nanmax(self.scores)) / 2
        for (row, column), value in np.ndenumerate(self.scores):
            if np.isfinite(value):
                color = "white" if value < middle else "black"
                ax.text(column, row, f"{100 * value:.1f}", ha="center", va="center", fontsize=8, color=color)
