"""scikit-learn's calibration around what this package makes, from tables of clips and from bundles."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skbst.datasets import make_bst_table
from skbst.ensemble import HierarchicalDecoder
from skbst.features import BlockSelector, FeatureBundle, TextLSAFeaturizer
from skbst.systems import baseline

KINDS = {"fx-a": 1, "m-sp": 1, "sp-s": 1}
METHODS = ("sigmoid", "isotonic", "temperature")


@pytest.fixture(scope="module")
def clips():
    """A table with ids of sounds as its index, and the classes as a Series with the same."""
    table = make_bst_table(90, class_weights=KINDS, random_state=0).set_index("sound_id")
    return table[["title", "tags", "description"]], table["class"]


@pytest.fixture(scope="module")
def system():
    small = baseline(embeddings="builtin", modalities="text", size="small", random_state=0)
    return small.set_params(classifier__max_epochs=2)


@pytest.mark.parametrize("method", METHODS)
def test_system_from_clips(clips, system, method):
    data, target = clips
    assert isinstance(target.index[0], str)
    calibrated = CalibratedClassifierCV(system, method=method, cv=2).fit(data, target.to_numpy())
    proba = calibrated.predict_proba(data)
    assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert_array_equal(calibrated.classes_, sorted(KINDS))
    assert calibrated.score(data, target) > 0.5


@pytest.mark.parametrize("method", METHODS)
def test_fitted_system_on_other_clips(clips, system, method):
    data, target = clips
    fitted = system.fit(data[:60], target[:60])
    calibrated = CalibratedClassifierCV(FrozenEstimator(fitted), method=method).fit(data[60:], target[60:].to_numpy())
    assert calibrated.predict_proba(data[:3]).shape == (3, 3)
    if method == "temperature":
        assert_array_equal(calibrated.predict(data), fitted.predict(data))


@pytest.mark.parametrize("method", METHODS)
def test_pipeline_from_a_bundle(clips, method):
    data, target = clips
    words = TextLSAFeaturizer(random_state=0).fit_transform(data)
    bundle = FeatureBundle({"text": words, "noise": np.random.default_rng(0).normal(size=(90, 3))})
    pipeline = make_pipeline(BlockSelector("text"), LogisticRegression())
    calibrated = CalibratedClassifierCV(pipeline, method=method, cv=3).fit(bundle, target.to_numpy())
    decoder = HierarchicalDecoder(FrozenEstimator(calibrated)).fit(bundle, target)
    assert decoder.score(bundle, target) > 0.8
