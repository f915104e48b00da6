"""A fitted network never changes: not by answering, not by many threads that ask at once."""

import concurrent.futures
import pickle

import numpy as np
import pytest
import torch

from skbst.features import FeatureBundle
from skbst.neural._training._session import borrowed_threads
from skbst.persistence import load_model, save_model
from tests.neural.conftest import make_network

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "predict_top_proba", "embed")


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    y = np.array(["fx-a", "m-sp", "ss-n"])[np.arange(90) % 3]
    frames = rng.normal(size=(90, 30, 40)).astype(np.float32) + np.eye(3, 40)[np.arange(90) % 3][:, None]
    return FeatureBundle({"clap_audio": rng.normal(size=(90, 8)).astype(np.float32), "log_mel": frames}), y


@pytest.fixture(scope="module", params=[0.2, None], ids=["validated", "all rows"])
def fitted(request, rows):
    model = make_network("log-mel", size="small", max_epochs=2, validation_fraction=request.param, random_state=0)
    return model.fit(*rows)


def kinds(fitted, folder):
    yield "fresh", fitted
    yield "unpickled", pickle.loads(pickle.dumps(fitted))
    yield "loaded", load_model(save_model(fitted, folder / "model"))


def test_eight_threads_give_the_answers_of_one(fitted, rows, tmp_path):
    X, _ = rows
    for kind, model in kinds(fitted, tmp_path):
        assert not model.net_.module_.training, kind
        alone, before = model.predict_proba(X), pickle.dumps(model)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for found in pool.map(lambda _, model=model: model.predict_proba(X), range(16)):
                np.testing.assert_array_equal(found, alone, err_msg=kind)
        assert pickle.dumps(model) == before, kind


@pytest.mark.parametrize("method", METHODS)
def test_answering_changes_nothing(method, fitted, rows):
    before = pickle.dumps(fitted)
    getattr(fitted, method)(rows[0])
    assert pickle.dumps(fitted) == before


def test_the_last_borrower_gives_the_threads_back():
    before = torch.get_num_threads()
    with borrowed_threads(1):
        with borrowed_threads(1):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
