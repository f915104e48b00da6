"""Loss and accuracy over the epochs of a training run."""

from skbst.plotting._axes import axes_for

__all__ = ["LearningCurvesDisplay"]


class LearningCurvesDisplay:
    """Loss and validation accuracy per epoch, with the epoch whose weights were kept.

    Parameters
    ----------
    history : DataFrame
        One row per epoch with the columns ``train_loss``, and where there was a validation part ``valid_loss`` and
        ``valid_acc`` (such as ``BranchClassifier.history_``).

    best_epoch : int, default=None
        Epoch (from 1) that is marked.

    Attributes
    ----------
    axes_, figure_
        What `plot` drew.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbst.plotting import LearningCurvesDisplay
    >>> history = pd.DataFrame({"epoch": [1, 2], "train_loss": [2.0, 1.0], "valid_loss": [2.1, 1.5]})
    >>> LearningCurvesDisplay(history).best_epoch is None
    True
    """

    def __init__(self, history, *, best_epoch=None):
        self.history = history
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator, **plot_params):
        """Draw the curves of a fitted `skbst.neural.BranchClassifier`."""
        return cls(estimator.history_, best_epoch=getattr(estimator, "best_epoch_", None)).plot(**plot_params)

    def plot(self, *, axes=None):
        """Draw the loss and, where it was measured, the validation accuracy.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self
        """
        axes = axes_for(self, axes, (9, 3.4), 1, 2)
        epochs = self.history["epoch"]
        for name, label in (("train_loss", "training"), ("valid_loss", "validation")):
            if name in self.history:
                axes[0].plot(epochs, self.history[name], label=label)
        if "valid_acc" in self.history:
            axes[1].plot(epochs, self.history["valid_acc"], color="tab:orange")
        if self.best_epoch is not None:
            for ax in axes:
                ax.axvline(self.best_epoch, color="0.5", linestyle=":", label=f"kept: epoch {self.best_epoch}")
        axes[0].set(xlabel="epoch", ylabel="loss")
        axes[1].set(xlabel="epoch", ylabel="validation accuracy")
        axes[0].legend()
        self.axes_, self.figure_ = axes, axes[0].figure
        return self
