"""What probabilities say, against what happens."""

from skbst.metrics import expected_calibration_error, reliability_curve
from skbst.plotting._axes import axes_for

__all__ = ["ReliabilityDisplay"]


class ReliabilityDisplay:
    """Accuracy against probability, in bins, for the classes and for the top levels.

    Parameters
    ----------
    curves : dict of str to Bunch
        ``"leaf"`` and ``"top"``, each as `skbst.metrics.reliability_curve` gives.

    errors : dict of str to float
        Expected calibration error of each level.

    Attributes
    ----------
    ax_, figure_
        What `plot` drew.

    Examples
    --------
    >>> from skbst.plotting import ReliabilityDisplay
    >>> proba = [[0.75, 0.25, 0.0], [0.75, 0.25, 0.0]]
    >>> display = ReliabilityDisplay.from_predictions(
    ...     ["fx-a", "fx-h"], proba, classes=["fx-a", "fx-h", "ss-n"], draw=False
    ... )
    >>> display.errors
    {'leaf': 0.25, 'top': 0.0}
    """

    def __init__(self, curves, errors):
        self.curves = curves
        self.errors = errors

    @classmethod
    def from_predictions(
        cls, y_true, proba, *, classes, taxonomy=None, n_bins=15, sample_weight=None, draw=True, ax=None
    ):
        """Build from probabilities and draw.

        Parameters
        ----------
        y_true, proba, classes, taxonomy, n_bins, sample_weight
            As in `skbst.metrics.reliability_curve`.

        draw : bool, default=True
            Whether to call `plot` at once.

        ax : matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        display : ReliabilityDisplay
        """
        params = {"classes": classes, "taxonomy": taxonomy, "n_bins": n_bins, "sample_weight": sample_weight}
        curves = {level: reliability_curve(y_true, proba, level=level, **params) for level in ("leaf", "top")}
        errors = {level: expected_calibration_error(y_true, proba, level=level, **params) for level in curves}
        display = cls(curves, errors)
        return display.plot(ax=ax) if draw else display

    @classmethod
    def from_estimator(cls, estimator, X, y, **params):
        """Build from a fitted classifier's probabilities of `X`."""
        settings = {"classes": estimator.classes_, "taxonomy": getattr(estimator, "taxonomy_", None), **params}
        return cls.from_predictions(y, estimator.predict_proba(X), **settings)

    def plot(self, *, ax=None):
        """Draw a line for each level; the diagonal is where 80 % means right in 80 of 100.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        self
        """
        ax = axes_for(self, ax, (4.5, 4.5))
        ax.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        for level, name in (("leaf", "class"), ("top", "top level")):
            curve, error = self.curves[level], 100 * self.errors[level]
            ax.plot(curve.confidence, curve.accuracy, "o-", label=f"{name}, error {error:.1f} %", markersize=4)
        ax.set(xlabel="probability of the likeliest", ylabel="share of them that is right", xlim=(0, 1), ylim=(0, 1.02))
        ax.legend(loc="upper left")
        self.ax_, self.figure_ = ax, ax.figure
        return self
