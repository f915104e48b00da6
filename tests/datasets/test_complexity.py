import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbst.datasets import measure_complexity


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def count(model):
    return measure_complexity(model)["total_parameters"]


def test_weights_of_scikit_learn_models(iris):
    linear = LogisticRegression(max_iter=500)
    assert count(linear) == 0
    assert count(linear.fit(*iris)) == 3 * 4 + 3
    pipeline = make_pipeline(StandardScaler(), TruncatedSVD(2), LogisticRegression()).fit(*iris)
    assert count(pipeline) == 2 * 4 + 3 * 2 + 3
    voting = VotingClassifier([("a", LogisticRegression(max_iter=500)), ("b", KNeighborsClassifier())]).fit(*iris)
    assert count(voting) == 15
    mlp = MLPClassifier((5,), max_iter=500, solver="lbfgs", alpha=1, random_state=0)
    assert count(mlp.fit(*iris)) == 4 * 5 + 5 + 5 * 3 + 3


class Torch:
    """An estimator around a torch module, held whole and in parts."""

    def __init__(self, module):
        self.module_ = module
        self.parts_ = {"first": [module[0]]}

    def predict(self, X):
        import torch

        with torch.no_grad():
            return self.module_(torch.as_tensor(X, dtype=torch.float32)).numpy()


def test_torch_modules_and_operations():
    torch = pytest.importorskip("torch")
    model = Torch(torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)))
    complexity = measure_complexity(model, np.zeros((5, 4)))
    assert complexity == {"total_parameters": 4 * 8 + 8 + 8 * 3 + 3, "MACS": 4 * 8 + 8 * 3}


def test_attention_is_counted():
    torch = pytest.importorskip("torch")
    layer = torch.nn.TransformerEncoderLayer(16, 2, dim_feedforward=32, batch_first=True).eval()
    model = Torch(torch.nn.Sequential(layer))
    before = torch.backends.mha.get_fastpath_enabled()
    macs = measure_complexity(model, np.zeros((2, 10, 16)))["MACS"]
    projections, attention, feed_forward = 4 * 10 * 16 * 16, 2 * 10 * 10 * 16, 2 * 10 * 16 * 32
    assert macs == projections + attention + feed_forward
    assert torch.backends.mha.get_fastpath_enabled() == before
