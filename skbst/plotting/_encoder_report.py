"""What `encoder_report` found, as a picture."""

import numpy as np

from skbst.features import encoder_report
from skbst.plotting._axes import axes_for

__all__ = ["EncoderReportDisplay"]

_COLOURS = {"ok": "tab:green", "note": "tab:orange", "fault": "tab:red"}
# a thousandth of a limit and a thousand times it look alike: far from it
_SPAN = 1000.0


class EncoderReportDisplay:
    """One bar for each check of an encoder: how far its value is from the limit.

    Bars to the right of the line are beyond their limit: a note, or a fault. What has no limit, such as time and
    memory, stands in the title.

    Parameters
    ----------
    report : DataFrame
        From `skbst.features.encoder_report`.

    Attributes
    ----------
    ax_, figure_
        What `plot` drew.

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.features import AudioStatisticsFeaturizer, encoder_report
    >>> from skbst.plotting import EncoderReportDisplay
    >>> seconds = np.arange(8000) / 16000
    >>> clips = [(0.3 * np.sin(2 * np.pi * f * seconds), 16000) for f in (110, 440, 1760)]
    >>> EncoderReportDisplay(encoder_report(AudioStatisticsFeaturizer(), clips)).verdict
    'note'
    """

    def __init__(self, report):
        self.report = report

    @property
    def verdict(self):
        """The worst of all verdicts: "ok", "note" or "fault"."""
        return max(self.report["verdict"], key=list(_COLOURS).index)

    @classmethod
    def from_estimator(cls, estimator, clips, **plot_params):
        """Check a featurizer on some clips, and draw what was found.

        Parameters
        ----------
        estimator : transformer
            A featurizer of sounds or of texts.

        clips : DataFrame or sequence
            As in `skbst.features.encoder_report`.

        **plot_params : dict
            Of `plot`.

        Returns
        -------
        display : EncoderReportDisplay
        """
        return cls(encoder_report(estimator, clips)).plot(**plot_params)

    def plot(self, *, ax=None):
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self
        """
        checks = self.report[self.report["limit"].notna()]
        ax = axes_for(self, ax, (7, 1 + 0.3 * len(checks)))
        reach, rows = _reach(checks["value"].to_numpy(), checks["limit"].to_numpy()), np.arange(len(checks))
        ax.barh(rows, reach, color=[_COLOURS[verdict] for verdict in checks["verdict"]])
        for row, value, verdict in zip(rows, checks["value"], checks["verdict"]):
            ax.annotate(
                f"{value:.3g}" + ("" if verdict == "ok" else f", {verdict}"),
                (max(0.0, reach[row]), row),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
            )
        ax.axvline(0, color="0.3", linewidth=1)
        ax.set_yticks(rows, checks.index)
        ax.invert_yaxis()
        ax.set_xlim(-np.log10(_SPAN) - 0.2, np.log10(_SPAN) + 1.5)
        ax.set_xticks([-2, 0, 2], ["a hundredth", "the limit", "a hundred times"])
        costs = self.report[self.report["limit"].isna()]
        ax.set_title(", ".join(f"{value:.3g} {name}" for name, value in costs["value"].items()), fontsize="medium")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _reach(value, limit):
    """Orders of magnitude from the limit to the value; where the limit is 0, to either end."""
    value = np.where(np.isfinite(value), value, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(limit > 0, value / limit, np.where(value > 0, np.inf, 0))
        return np.log10(np.clip(ratio, 1 / _SPAN, _SPAN))
