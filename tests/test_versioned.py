import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone

import skbst._versioned as versioned
from skbst._versioned import VersionedMixin, renamed_parameter
from skbst.exceptions import VersionMismatchWarning
from skbst.features import ClipFeaturizer, LogMelFeaturizer, LogSTFTFeaturizer, MFCCFeaturizer
from skbst.persistence import load_model, save_model
from skbst.systems import baseline, make_system, system_1, system_2, system_3, system_4


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


BUILDERS = [baseline, make_system, system_1, system_2, system_3, system_4]


@pytest.mark.parametrize(
    "make", [LogMelFeaturizer, LogSTFTFeaturizer, MFCCFeaturizer, *BUILDERS], ids=lambda make: make.__name__
)
def test_the_older_name_of_store_is_taken_and_said(make):
    assert "memory_map" not in inspect.signature(make).parameters
    with pytest.warns(FutureWarning, match="memory_map= is the name of before: pass store=") as record:
        made = make(memory_map="frames")
    assert record[0].filename == __file__
    assert (made[0] if make in BUILDERS else made).store == "frames"
    assert (clone(made)[0] if make in BUILDERS else clone(made)).store == "frames"
    with pytest.warns(FutureWarning), pytest.raises(TypeError, match="older name of store: pass store alone"):
        make(memory_map="frames", store="others")
    with pytest.warns(FutureWarning):
        assert renamed_parameter("memory_map")(lambda store=None: store)(memory_map=None, store="others") == "others"


@pytest.mark.parametrize(
    ("store", "memory_map", "kept"), [(None, "old", "old"), ("new", None, "new"), (None, None, None)]
)
def test_a_pickle_of_before_keeps_its_folder(store, memory_map, kept):
    """States of before have both names."""
    clips = ClipFeaturizer([("mfcc", MFCCFeaturizer())])
    for featurizer in (clips, clips.featurizers[0][1]):
        vars(featurizer).update(store=store, memory_map=memory_map)
    loaded = pickle.loads(pickle.dumps(clips))
    for featurizer in (loaded, loaded.featurizers[0][1]):
        assert featurizer.store == kept
        assert not hasattr(featurizer, "memory_map")


def test_a_saved_model_of_before_loads(tmp_path):
    noise = np.random.default_rng(0).uniform(-1, 1, (3, 1600))
    featurizer = MFCCFeaturizer().fit(noise)
    expected = featurizer.transform(noise)
    featurizer.memory_map = None
    loaded = load_model(save_model(featurizer, tmp_path / "model"))
    np.testing.assert_array_equal(loaded.transform(noise), expected)
    assert not hasattr(loaded, "memory_map")
