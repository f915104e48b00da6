import pickle

import pytest
from sklearn.base import BaseEstimator

import skbst._versioned as versioned
from skbst._versioned import VersionedMixin
from skbst.exceptions import VersionMismatchWarning


class Model(VersionedMixin, BaseEstimator):
    def __init__(self, size=1):
        self.size = size


def test_the_same_version_is_silent_and_another_one_warns(monkeypatch):
    data = pickle.dumps(Model(size=3))
    loaded = pickle.loads(data)
    assert vars(loaded) == {"size": 3}
    monkeypatch.setattr(versioned, "__version__", "99.0")
    with pytest.warns(VersionMismatchWarning, match=r"loaded by 99\.0"):
        assert pickle.loads(data).size == 3
