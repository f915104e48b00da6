import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline

from skbst.exceptions import DataFormatError
from skbst.model_selection import KNNBlendSearchCV
from skbst.neighbors import KNNPriorBlender
from skbst.plotting import BlendSearchDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")

GRID = {"alpha": [0.0, 0.3, 0.9], "k": [2, 9], "temperature": [0.05, 0.5]}


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    return rng.standard_normal((90, 4)) + np.eye(4)[np.arange(90) % 3], np.arange(90) % 3


@pytest.fixture(scope="module")
def search(clips):
    return KNNBlendSearchCV(KNNPriorBlender(GaussianNB()), GRID, cv=3).fit(*clips)


def test_shows_the_slice_of_the_best_temperature(search):
    display = BlendSearchDisplay.from_search(search)
    assert (display.alphas == GRID["alpha"]).all()
    assert (display.ks == GRID["k"]).all()
    assert display.temperature == search.best_params_["temperature"]
    assert display.scores.max() == search.best_score_
    for params, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"]):
        if params["temperature"] == display.temperature:
            assert display.scores[GRID["alpha"].index(params["alpha"]), GRID["k"].index(params["k"])] == score
    assert len(display.ax_.texts) == 6
    assert display.im_.get_array().shape == (3, 2)


def test_other_slices_and_finer_cells(search):
    display = BlendSearchDisplay.from_search(search, temperature=0.5, draw=False)
    assert display.temperature == 0.5
    with pytest.raises(DataFormatError, match="No cell has temperature"):
        BlendSearchDisplay.from_search(search, temperature=0.7)
    fine = search.score_cells({"alpha": np.linspace(0, 1, 31), "k": range(1, 10)})
    display = BlendSearchDisplay.from_table(fine)
    assert display.scores.shape == (31, 9)
    assert not display.ax_.texts


def test_grid_search_in_a_pipeline(clips):
    pipe = Pipeline([("blend", KNNPriorBlender(GaussianNB()))])
    grid = {"blend__alpha": [0.1, 0.5], "blend__k": [2, 5]}
    search = GridSearchCV(pipe, grid, cv=3, scoring=["accuracy", "f1_macro"], refit="f1_macro").fit(*clips)
    display = BlendSearchDisplay.from_search(search)
    assert display.score_name == "f1_macro"
    assert display.scores.max() == search.best_score_
    assert (display.best_alpha_, display.best_k_) == tuple(search.best_params_.values())


def test_bad_input(search):
    with pytest.raises(DataFormatError, match="scores must have shape"):
        BlendSearchDisplay(np.zeros((2, 2)), [0.1], [5])
    no_k = KNNBlendSearchCV(KNNPriorBlender(GaussianNB()), {"alpha": [0.1]}, cv=2)
    no_k.fit(np.arange(8.0)[:, None], np.arange(8) % 2)
    with pytest.raises(DataFormatError, match="does not name k"):
        BlendSearchDisplay.from_search(no_k)
