"""What a selection of training rows kept and dropped."""

import numpy as np
import pandas as pd

from skbst._optional import require
from skbst.exceptions import DataFormatError
from skbst.plotting._axes import axes_for
from skbst.taxonomy import BST

__all__ = ["SelectionDisplay"]


class SelectionDisplay:
    """Candidates of each class: those kept, and those dropped by the rule that dropped them.

    Parameters
    ----------
    counts : DataFrame of shape (n_classes, n_outcomes)
        Rows per class and outcome; index class, first column the rows kept.

    Attributes
    ----------
    ax_, figure_
        What `plot` drew.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.plotting import SelectionDisplay
    >>> manifest = pd.DataFrame({
    ...     "class": ["fx-a", "fx-a", "m-sp"],
    ...     "reason": ["", "teachers disagree (1 of 3 votes)", "text: few words"],
    ... })
    >>> SelectionDisplay.from_manifest(manifest, draw=False).counts
          kept  text  teachers disagree
    class
    m-sp     0     1                  0
    fx-a     1     0                  1
    """

    def __init__(self, counts):
        self.counts = counts

    @classmethod
    def from_manifest(cls, manifest, *, draw=True, **plot_params):
        """Count a manifest of `make_bsd_grand` and draw.

        Parameters
        ----------
        manifest : DataFrame
            With the columns ``class`` and ``reason`` ("" for rows that were kept).

        draw : bool, default=True
            Whether to call `plot` at once.

        **plot_params
            Handed to `plot`.

        Returns
        -------
        display : SelectionDisplay
        """
        missing = {"class", "reason"} - set(manifest.columns)
        if missing:
            raise DataFormatError(f"The manifest lacks the column(s) {sorted(missing)}; has {list(manifest.columns)}.")
        outcome = manifest["reason"].fillna("").str.split(r" \(|:", n=1, regex=True).str[0].replace("", "kept")
        counts = pd.crosstab(manifest["class"], outcome)
        order = {code: place for place, code in enumerate(BST.leaves.tolist())}
        classes = sorted(counts.index, key=lambda code: (order.get(code, len(order)), code))
        rules = [name for name in _RULES if name in counts]
        rules += [name for name in counts if name not in (*_RULES, "kept")]
        counts = counts.reindex(index=classes, columns=["kept", *rules], fill_value=0).rename_axis(columns=None)
        display = cls(counts)
        return display.plot(**plot_params) if draw else display

    def plot(self, *, ax=None, normalize=False, cmap="YlOrBr"):
        """Draw one bar per class.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        normalize : bool, default=False
            Whether bars show shares of the class and not rows.

        cmap : str or Colormap, default="YlOrBr"
            Colours of the rules; what was kept is green.

        Returns
        -------
        self
        """
        plt = require("matplotlib.pyplot", extra="plot", needed_by=type(self).__name__)
        ax = axes_for(self, ax, (9, max(2.5, 0.24 * len(self.counts) + 1.2)))
        widths = self.counts.to_numpy(dtype=float)
        totals = widths.sum(axis=1, keepdims=True)
        if normalize:
            widths = np.divide(widths, totals, out=np.zeros_like(widths), where=totals > 0)
        starts = np.cumsum(widths, axis=1) - widths
        shades = plt.get_cmap(cmap)(np.linspace(0.75, 0.2, max(1, widths.shape[1] - 1)))
        colors = ["tab:green", *shades]
        for name, width, start, color in zip(self.counts.columns, widths.T, starts.T, colors):
            ax.barh(range(len(widths)), width, left=start, color=color, label=name)
        kept = self.counts.iloc[:, 0]
        ax.set_yticks(range(len(widths)), [f"{code}  {n}" for code, n in kept.items()])
        ax.invert_yaxis()
        ax.set_xlabel("share of the class's candidates" if normalize else "candidate rows")
        ax.set_ylabel("class and rows kept")
        ax.legend(fontsize=8, loc="lower right")
        self.ax_, self.figure_ = ax, ax.figure
        return self


# in the order in which `make_bsd_grand` applies them
_RULES = (
    "not loaded",
    "class that the base set lacks",
    "sound of the base set",
    "text",
    "teachers disagree",
    "over the cap of its uploader and class",
)
