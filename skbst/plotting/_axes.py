"""Where a display draws: matplotlib is imported here, when something is drawn."""

from skbst._optional import require

__all__ = ["axes_for"]


def axes_for(display, given, size, *layout, **options):
    """Axes of the caller, or those of a new figure.

    Parameters
    ----------
    display : object
        Who draws; an error about matplotlib names its class.

    given : matplotlib Axes, sequence of them, or None
        What the caller passed; None makes a figure.

    size : tuple of (float, float)
        Width and height of a new figure, in inches.

    *layout : int
        Rows and columns of a new figure, where there is more than one.

    **options : dict
        Further ones of ``matplotlib.pyplot.subplots``.

    Returns
    -------
    axes : matplotlib Axes, or ndarray of them
    """
    plt = require("matplotlib.pyplot", extra="plot", needed_by=type(display).__name__)
    return plt.subplots(*layout, figsize=size, layout="constrained", **options)[1] if given is None else given
