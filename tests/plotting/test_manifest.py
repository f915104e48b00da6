import numpy as np
import pandas as pd
import pytest

from skbst.exceptions import DataFormatError
from skbst.plotting import SelectionDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")


@pytest.fixture
def manifest():
    return pd.DataFrame(
        {
            "class": ["fx-a"] * 5 + ["m-sp"] * 3 + ["fx-other"],
            "reason": [
                "",
                "",
                "teachers disagree (1 of 3 votes)",
                "teachers disagree (0 of 3 votes)",
                "text: no words",
                "",
                "over the cap of its uploader and class",
                "over the cap of its uploader and class",
                "not loaded: class 'fx-other' is left out",
            ],
        }
    )


def test_counts_by_hand(manifest):
    counts = SelectionDisplay.from_manifest(manifest, draw=False).counts
    assert counts.index.tolist() == ["m-sp", "fx-a", "fx-other"]
    assert counts.columns.tolist() == [
        "kept",
        "not loaded",
        "text",
        "teachers disagree",
        "over the cap of its uploader and class",
    ]
    np.testing.assert_array_equal(counts, [[1, 0, 0, 0, 2], [2, 0, 1, 2, 0], [0, 1, 0, 0, 0]])


@pytest.mark.parametrize("normalize", [False, True])
def test_bars_end_at_the_total(manifest, normalize):
    display = SelectionDisplay.from_manifest(manifest, normalize=normalize)
    ends = np.zeros(3)
    for patch in display.ax_.patches:
        row = round(patch.get_y() + patch.get_height() / 2)
        ends[row] = max(ends[row], patch.get_x() + patch.get_width())
    np.testing.assert_allclose(ends, [1, 1, 1] if normalize else [3, 5, 1])
    assert [tick.get_text() for tick in display.ax_.get_yticklabels()] == ["m-sp  1", "fx-a  2", "fx-other  0"]
    assert display.figure_ is display.ax_.figure


def test_draws_into_given_axes_and_wants_a_manifest(manifest):
    ax = matplotlib.figure.Figure().subplots()
    assert SelectionDisplay.from_manifest(manifest, ax=ax).ax_ is ax
    with pytest.raises(DataFormatError, match="reason"):
        SelectionDisplay.from_manifest(manifest[["class"]])
