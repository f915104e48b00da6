import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier

from skbst.plotting import HierarchicalConfusionMatrixDisplay, LearningCurvesDisplay
from skbst.taxonomy import BST

mpl.use("Agg")

Y_TRUE = ["fx-a", "fx-a", "fx-a", "ss-n", "m-sp"]
Y_PRED = ["fx-a", "fx-h", "fx-a", "ss-n", "fx-a"]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def test_rows_are_shares_of_the_true_class():
    display = HierarchicalConfusionMatrixDisplay.from_predictions(Y_TRUE, Y_PRED)
    assert display.taxonomy.leaves.tolist() == ["m-sp", "fx-h", "fx-a", "ss-n"]
    drawn = np.asarray(display.im_.get_array())
    assert_allclose(drawn[2], [0, 1 / 3, 2 / 3, 0])
    assert_allclose(drawn[1], 0)
    labels = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    assert labels[2] == "fx-a  (3)"
    assert len(display.ax_.patches) == 3


def test_counts_and_all_classes():
    display = HierarchicalConfusionMatrixDisplay.from_predictions(Y_TRUE, Y_PRED, only_present=False, normalize=None)
    assert display.confusion.shape == (23, 23)
    assert np.asarray(display.im_.get_array()).sum() == len(Y_TRUE)
    assert display.taxonomy is BST


def test_from_estimator_draws_on_given_axes():
    import matplotlib.pyplot as plt

    model = DummyClassifier(strategy="constant", constant="fx-a").fit(np.zeros((5, 1)), Y_TRUE)
    _, ax = plt.subplots()
    display = HierarchicalConfusionMatrixDisplay.from_estimator(model, np.zeros((5, 1)), Y_TRUE, ax=ax, colorbar=False)
    assert display.ax_ is ax
    assert_array_equal(display.confusion[:, display.taxonomy.leaf_index(["fx-a"])[0]], [1, 3, 1])


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"needs matplotlib.*skbst\[plot\]"):
        HierarchicalConfusionMatrixDisplay.from_predictions(Y_TRUE, Y_PRED)


def test_learning_curves_show_what_there_is():
    history = pd.DataFrame(
        {"epoch": [1, 2, 3], "train_loss": [3.0, 2, 1], "valid_loss": [3.0, 2, 2], "valid_acc": [0.1, 0.5, 0.4]}
    )
    display = LearningCurvesDisplay(history, best_epoch=2).plot()
    assert [line.get_label() for line in display.axes_[0].lines] == ["training", "validation", "kept: epoch 2"]
    assert_allclose(display.axes_[1].lines[0].get_ydata(), [0.1, 0.5, 0.4])
    without = LearningCurvesDisplay(history[["epoch", "train_loss"]]).plot()
    assert [line.get_label() for line in without.axes_[0].lines] == ["training"]
