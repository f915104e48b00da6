"""Whatever stands around a network: eight threads answer as one, and nothing changes."""

import concurrent.futures
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skbst.conformal import HierarchicalConformalClassifier
from skbst.ensemble import FoldEnsembleClassifier, HierarchicalDecoder, HierarchicalVotingClassifier
from skbst.features import BlockSelector
from skbst.neighbors import KNNPriorBlender
from skbst.neural import KNNDistillationClassifier
from skbst.persistence import load_model, save_model
from tests.neural.conftest import make_bundle, make_network

AROUND = {
    "blender": lambda net: KNNPriorBlender(net, k=3),
    "vote": lambda net: HierarchicalVotingClassifier(
        [("net", net), ("linear", make_pipeline(BlockSelector("clap_audio"), LogisticRegression()))]
    ),
    "decoder": lambda net: HierarchicalDecoder(net),
    "folds": lambda net: FoldEnsembleClassifier(net, cv=2),
    "conformal": lambda net: HierarchicalConformalClassifier(net, cv=2),
    "distillation": lambda net: KNNDistillationClassifier(net, k=3),
    "blender around a vote": lambda net: KNNPriorBlender(HierarchicalVotingClassifier([("net", net)]), k=3),
    "calibration": lambda net: CalibratedClassifierCV(FrozenEstimator(net), cv=2),
}


@pytest.mark.parametrize("kind", AROUND)
def test_eight_threads_answer_as_one_around_a_network(kind, tmp_path):
    X, y = make_bundle(60)
    net = make_network("log-mel", size="small", max_epochs=1, validation_fraction=None, random_state=0)
    if kind == "calibration":
        net = net.fit(X, y)
    model = AROUND[kind](clone(net) if kind != "calibration" else net).fit(X, y)
    loaded = load_model(save_model(model, tmp_path / "model")) if kind != "calibration" else model
    for which, one in (("fresh", model), ("unpickled", pickle.loads(pickle.dumps(model))), ("loaded", loaded)):
        alone, before = one.predict_proba(X), pickle.dumps(one)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for found in pool.map(lambda _, one=one: one.predict_proba(X), range(16)):
                np.testing.assert_array_equal(found, alone, err_msg=which)
        assert pickle.dumps(one) == before, which
