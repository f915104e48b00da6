"""How large sets must be for the coverage that one wants, in classes and in nodes of the tree."""

from skbst.conformal import coverage_score, hierarchical_size_coverage_curve, mean_set_size
from skbst.plotting._axes import axes_for

__all__ = ["SizeCoverageDisplay"]


class SizeCoverageDisplay:
    """Coverage against the mean size of an answer, as the threshold rises: sets of classes, and nodes that cover them.

    Parameters
    ----------
    curve : Bunch
        As from `skbst.conformal.hierarchical_size_coverage_curve`.

    set_coverage, set_size : float, default=None
        Coverage and mean size of the sets that a classifier really gives, drawn as a point.

    Attributes
    ----------
    ax_, figure_
        What `plot` drew.

    Examples
    --------
    >>> from skbst.plotting import SizeCoverageDisplay
    >>> proba = [[0.6, 0.4, 0.0], [0.5, 0.3, 0.2], [0.4, 0.4, 0.2]]
    >>> display = SizeCoverageDisplay.from_predictions(["fx-a", "fx-h", "ss-n"], proba, n_points=3, draw=False)
    >>> display.curve.size.round(2).tolist(), display.curve.nodes.round(2).tolist()
    ([1.0, 2.0, 2.67], [1.0, 1.0, 1.67])
    """

    def __init__(self, curve, *, set_coverage=None, set_size=None):
        self.curve = curve
        self.set_coverage = set_coverage
        self.set_size = set_size

    @classmethod
    def from_predictions(
        cls, y_true, proba, *, sets=None, classes=None, taxonomy=None, max_nodes=None, n_points=50, draw=True, ax=None
    ):
        """Build from probabilities and draw.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Class labels.

        proba : array-like of shape (n_samples, n_classes)
            Probabilities of rows that the classifier has not seen.

        sets : ndarray of shape (n_samples, n_classes), bool, default=None
            Sets that were really given; their coverage and size are drawn as a point.

        classes : array-like of shape (n_classes,), default=None
            Class of each column; None takes the sorted classes of `y_true`.

        taxonomy : Taxonomy, default=None
            The tree; None takes BST where all classes are BST codes, the flat tree where none is.

        max_nodes : int, default=None
            Most nodes of an answer; None sets no limit.

        n_points : int, default=50
            Number of thresholds.

        draw : bool, default=True
            Whether to call `plot` at once.

        ax : matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        display : SizeCoverageDisplay
        """
        given = {"classes": classes, "taxonomy": taxonomy}
        curve = hierarchical_size_coverage_curve(y_true, proba, max_nodes=max_nodes, n_points=n_points, **given)
        point = {}
        if sets is not None:
            point = {
                "set_coverage": coverage_score(y_true, sets, classes=classes),
                "set_size": mean_set_size(sets),
            }
        display = cls(curve, **point)
        return display.plot(ax=ax) if draw else display

    @classmethod
    def from_estimator(cls, estimator, X, y, **params):
        """Build from a fitted classifier's probabilities of `X`, and from its sets where it gives any."""
        settings = {"classes": estimator.classes_, "taxonomy": getattr(estimator, "taxonomy_", None), **params}
        if hasattr(estimator, "answer"):
            answers = estimator.answer(X)
            return cls.from_predictions(y, answers.proba, **{"sets": answers.set, **settings})
        return cls.from_predictions(y, estimator.predict_proba(X), **settings)

    def plot(self, *, ax=None):
        """Draw a line for sets, one for covers, and the point that was promised.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        self
        """
        ax = axes_for(self, ax, (5, 4))
        ax.plot(self.curve.size, self.curve.coverage, label="classes of a set")
        ax.plot(self.curve.nodes, self.curve.node_coverage, label="nodes that cover it")
        if self.set_coverage is not None:
            ax.plot([self.set_size], [self.set_coverage], "o", color="black", label="sets that are given")
        ax.set(xlabel="mean size of an answer", ylabel="coverage", ylim=(None, 1.02))
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
