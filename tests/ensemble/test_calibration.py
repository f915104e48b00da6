"""scikit-learn's calibration around what this package makes, from tables of clips and from bundles."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbst.datasets import make_bst_table
from skbst.ensemble import FoldEnsembleClassifier, HierarchicalDecoder, HierarchicalVotingClassifier
from skbst.features import BlockSelector, FeatureBundle, TextLSAFeaturizer
from skbst.model_selection import KNNBlendSearchCV
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier, KNNDistillationClassifier
from skbst.systems import SystemPipeline, baseline

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


def classifiers():
    network = BranchClassifier(size="small", max_epochs=2, random_state=0)
    linear = LogisticRegression()
    return {
        **{head: clone(network).set_params(head=head) for head in ("baseline", "flat", "gc", "lcl")},
        "distillation": KNNDistillationClassifier(network),
        "blender": KNNPriorBlender(linear),
        "vote": HierarchicalVotingClassifier([("linear", linear), ("blender", KNNPriorBlender(linear))]),
        "folds": FoldEnsembleClassifier(linear, cv=2),
        "decoder": HierarchicalDecoder(linear, decode="top-down"),
        "search": KNNBlendSearchCV(KNNPriorBlender(linear), {"alpha": [0.0, 0.3]}, cv=2),
        "system": SystemPipeline([("scale", StandardScaler()), ("classifier", KNNPriorBlender(linear))]),
    }


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", classifiers())
def test_calibration_keeps_the_hierarchy(name, method):
    """Leaf sums are the top level's probabilities, and both levels' answers agree, below every calibration."""
    rng = np.random.default_rng(0)
    y = np.array(["fx-a", "fx-h", "m-sp", "ss-n"])[np.arange(80) % 4]
    X = (rng.standard_normal((80, 5)) + 2 * np.eye(4, 5)[np.arange(80) % 4]).astype(np.float32)
    inner = CalibratedClassifierCV(classifiers()[name], method=method, cv=2)
    model = HierarchicalDecoder(inner, decode="leaf").fit(X, y)
    proba, top = model.predict_proba(X), model.predict_top_proba(X)
    assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
    assert_allclose(top, np.c_[proba[:, 0] + proba[:, 1], proba[:, 2], proba[:, 3]], rtol=1e-6)
    assert_array_equal(model.top_classes_, ["fx", "m", "ss"])
    assert_array_equal(model.predict_top(X), [code.split("-")[0] for code in model.predict(X)])
