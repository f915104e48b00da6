import numpy as np
import pandas as pd
import pytest

from skbst.features import AudioStatisticsFeaturizer, encoder_report
from skbst.plotting import EncoderReportDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")


def report(**changes):
    rows = {"megabytes": (3.0, np.nan, "ok"), "batch": (0.0, 1e-3, "ok"), "gain": (5.0, 0.5, "note")}
    rows = {**rows, "finite": (0.2, 0.0, "fault"), "padding": (np.inf, 1e-3, "fault"), **changes}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "limit", "verdict"])


def test_bars_reach_as_far_as_values_pass_their_limits():
    display = EncoderReportDisplay(report()).plot()
    assert [bar.get_width() for bar in display.ax_.patches] == pytest.approx([-3, 1, 3, 3])
    assert [text.get_text() for text in display.ax_.texts] == ["0", "5, note", "0.2, fault", "inf, fault"]
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["batch", "gain", "finite", "padding"]
    assert display.ax_.get_title() == "3 megabytes"
    assert display.verdict == "fault"
    display.figure_.canvas.draw()


def test_from_a_featurizer():
    rng = np.random.default_rng(0)
    clips = [
        (rng.normal(0, 0.1, 4000 * (1 + i)).astype(np.float32) * np.hanning(4000 * (1 + i)), 16000) for i in range(3)
    ]
    _, ax = matplotlib.pyplot.subplots()
    display = EncoderReportDisplay.from_estimator(AudioStatisticsFeaturizer(), clips, ax=ax)
    assert display.ax_ is ax
    assert len(ax.patches) == display.report["limit"].notna().sum()
    assert list(display.report.index) == list(encoder_report(AudioStatisticsFeaturizer(), clips).index)
