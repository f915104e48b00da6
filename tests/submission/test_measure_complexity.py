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

from skbst.datasets import load_bsd, make_bst_clips
from skbst.features import BlockSelector, ClapAudioFeaturizer, ClapTextFeaturizer, ClipFeaturizer, MFCCFeaturizer
from skbst.features._clap._encoder import load_encoder
from skbst.submission import measure_complexity


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


@pytest.mark.clap
def test_encoders_of_clap_are_counted_once(tiny_clap, tmp_path):
    """They sit in a cache of the process; what is stored, and the number of threads, change nothing."""
    clips = load_bsd(make_bst_clips(tmp_path / "clips", n_clips=46, max_duration=0.1, n_empty_files=0))
    shared = {"checkpoint": str(tiny_clap), "backend": "transformers", "device": "cpu"}

    def measure(X=None, **options):
        clap = [
            ("clap_audio", ClapAudioFeaturizer(**shared, **options)),
            ("clap_text", ClapTextFeaturizer(**shared, **options)),
            ("again", ClapTextFeaturizer(**shared, cleaner=None)),
        ]
        model = make_pipeline(ClipFeaturizer(clap), BlockSelector(), LogisticRegression())
        before = model.fit(clips.data, clips.target)[0].get_params()
        complexity = measure_complexity(model, X)
        assert model[0].get_params() == before
        return complexity

    network = load_encoder("transformers", str(tiny_clap), device="cpu")._model.network
    sides = (network.audio_model, network.audio_projection, network.text_model, network.text_projection)
    linear = 23 * 3 * 512 + 23
    encoders = sum(parameter.numel() for module in sides for parameter in module.parameters())
    assert measure()["total_parameters"] == encoders + linear
    once = measure(clips.data.iloc[:3], n_jobs=1)
    assert once["MACS"] > encoders / 10
    assert measure(clips.data.iloc[:3], n_jobs=2, store=str(tmp_path / "store")) == once


def test_threads_and_stored_frames_change_nothing(tmp_path):
    pytest.importorskip("torch")
    clips = load_bsd(make_bst_clips(tmp_path / "clips", n_clips=46, max_duration=0.1, n_empty_files=0))
    macs = []
    for options in ({}, {"n_jobs": 2, "store": str(tmp_path / "frames")}):
        mfcc = ClipFeaturizer([("mfcc", MFCCFeaturizer(duration=0.1))], **options)
        model = make_pipeline(mfcc, BlockSelector("mfcc"), KNeighborsClassifier(1)).fit(clips.data, clips.target)
        macs.append(measure_complexity(model, clips.data.iloc[:4])["MACS"])
    assert macs[0] == macs[1] > 0


def test_a_row_costs_the_same_in_every_company(iris):
    pytest.importorskip("torch")
    from skbst._torch import least_rows
    from skbst.neural import BranchClassifier

    model = BranchClassifier(size="small", max_epochs=1, random_state=0).fit(*iris)
    costs = {measure_complexity(model, iris[0][:n_rows])["MACS"] for n_rows in (1, 2, 7, 20)}
    assert len(costs) == 1
    assert least_rows() > 1


def test_attention_is_counted():
    torch = pytest.importorskip("torch")
    layer = torch.nn.TransformerEncoderLayer(16, 2, dim_feedforward=32, batch_first=True).eval()
    model = Torch(torch.nn.Sequential(layer))
    before = torch.backends.mha.get_fastpath_enabled()
    macs = measure_complexity(model, np.zeros((2, 10, 16)))["MACS"]
    projections, attention, feed_forward = 4 * 10 * 16 * 16, 2 * 10 * 10 * 16, 2 * 10 * 16 * 32
    assert macs == projections + attention + feed_forward
    assert torch.backends.mha.get_fastpath_enabled() == before
