"""The pages of the gallery that draw displays; those that only make clips are run by the documentation."""

import runpy
from pathlib import Path

import pytest

matplotlib = pytest.importorskip("matplotlib")

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "n_axes"),
    [("plot_audit", [1]), ("plot_selection", [1, 1]), ("plot_neighbours", [2, 2, 2]), ("plot_sets", [1, 3])],
)
def test_each_display_is_drawn(name, n_axes, monkeypatch):
    """A colour scale counts as axes, too."""
    import matplotlib.pyplot as plt

    monkeypatch.setattr(plt, "show", lambda: None)
    plt.switch_backend("agg")
    plt.close("all")
    runpy.run_path(str(EXAMPLES / f"{name}.py"))
    figures = [plt.figure(number) for number in plt.get_fignums()]
    assert [len(figure.axes) for figure in figures] == n_axes
    for figure in figures:
        figure.canvas.draw()
    plt.close("all")
