import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

from skbst.curation import LabelAudit
from skbst.exceptions import DataFormatError
from skbst.plotting import LabelAuditDisplay

plt = pytest.importorskip("matplotlib.pyplot", exc_type=ImportError)


@pytest.fixture
def audited():
    X, truth = make_blobs(90, centers=3, cluster_std=0.5, random_state=0)
    y = truth.copy()
    y[[7, 30, 31]] = (y[[7, 30, 31]] + 1) % 3
    return LabelAudit(LogisticRegression(), random_state=0).fit(X, y), truth


def test_the_lines_are_those_of_score(audited):
    audit, truth = audited
    rival = np.random.default_rng(0).random(90)
    display = LabelAuditDisplay.from_estimator(audit, truth, rivals={"dice": rival}, first=20)
    ours, dice, chance = display.ax_.get_lines()
    assert ours.get_ydata().tolist() == [0, *audit.score(truth, range(1, 21))]
    wrong = np.isin(np.arange(90), [7, 30, 31])
    assert dice.get_ydata().tolist() == [0, *wrong[np.argsort(rival)].cumsum()[:20]]
    assert chance.get_xydata().tolist() == [[0, 0], [20, 3 * 20 / 90]]
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["LabelAudit", "dice", "chance"]
    plt.close(display.figure_)


def test_what_is_left_after_an_answer(audited):
    audit, truth = audited
    left = audit.answer([7], [truth[7]])
    display = LabelAuditDisplay.from_estimator(left, truth, rivals={"index": np.arange(90)}, draw=False)
    assert display.n_wrong == 2
    assert {name: len(found) for name, found in display.found.items()} == {"LabelAudit": 89, "index": 89}
    assert display.found["index"][29] == 1  # row 30, without row 7 before it


def test_another_number_of_rows_is_refused():
    with pytest.raises(DataFormatError, match="'mine' must have one score for each of 3 rows"):
        LabelAuditDisplay.from_scores([True, False, False], {"mine": [0.1, 0.2]})
