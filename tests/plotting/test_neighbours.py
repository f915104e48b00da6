import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from skbst.exceptions import DataFormatError
from skbst.neighbors import KNNPriorBlender, blend
from skbst.plotting import NeighboursDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    y = np.array(["fx-a", "m-sp", "ss-n", "is-p"])[np.arange(120) % 4]
    X = rng.standard_normal((120, 6)) + np.eye(6)[np.arange(120) % 4]
    groups = np.arange(120) % 3
    titles = pd.DataFrame({"title": [f"clip {i}" for i in range(120)]})
    blender = KNNPriorBlender(LogisticRegression(), k=7, alpha=0.4).fit(X, y, groups=groups, metadata=titles)
    return blender, X, groups


def test_draws_what_explain_says(fitted):
    blender, X, _ = fitted
    display = NeighboursDisplay.from_estimator(blender, X, row=-3, n_neighbors=5)
    table = blender.explain(X[[117]])
    left, right = display.axes_
    bars = [patch.get_width() for patch in left.patches]
    np.testing.assert_allclose(bars, table["weight"][:5])
    ticks = [tick.get_text() for tick in left.get_yticklabels()]
    assert ticks == [f"{title}  {label}" for title, label in zip(table["title"][:5], table["label"][:5])]
    assert left.get_title(loc="left") == f"clip 117: {table['prediction'][0]}"
    lines = {line.get_label(): line.get_ydata() for line in right.lines if len(line.get_xdata()) == 2}
    winner = table["prediction"][0]
    position = blender.classes_.tolist().index(winner)
    np.testing.assert_allclose(
        lines[winner],
        [blender.estimator_.predict_proba(X[[117]])[0, position], blender.neighbour_proba(X[[117]])[0, position]],
    )


def test_flips_cover_the_whole_range():
    rng = np.random.default_rng(1)
    for _ in range(50):
        p, q = rng.dirichlet(np.ones(5), 2)
        display = NeighboursDisplay([], [], [], p, q, list("abcde"), alpha=0.3)
        grid = np.linspace(0, 1, 2001)
        winners = np.array([blend(p[None], q[None], alpha)[0].argmax() for alpha in grid])
        changes = grid[np.flatnonzero(np.diff(winners)) + 1]
        np.testing.assert_allclose(display.flips, changes, atol=1e-3)


def test_frames_groups_and_own_axes(fitted):
    _, X, groups = fitted
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, axes = plt.subplots(1, 2)
    own = KNNPriorBlender(LogisticRegression(), exclude_own_group=True)
    own.fit(pd.DataFrame(X, columns=list("abcdef")), np.arange(120) % 2, groups=groups)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    display = NeighboursDisplay.from_estimator(own, frame, row=4, groups=groups, axes=axes, title="mine")
    assert display.figure_ is figure
    assert axes[0].get_title(loc="left").startswith("mine: ")
    lonely = KNNPriorBlender(LogisticRegression(), exclude_own_group=True)
    lonely.fit(X, np.arange(120) % 2, groups=np.zeros(120))
    with pytest.raises(DataFormatError, match="no neighbour"):
        NeighboursDisplay.from_estimator(lonely, X, groups=np.zeros(120))
    plt.close("all")
