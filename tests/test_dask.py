"""Everything that runs in parallel also runs on a dask cluster, and gives the same."""

import os
import runpy
from pathlib import Path

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skbst.datasets import load_bsd, make_bst_clips
from skbst.features import BlockSelector, ClipFeaturizer, MFCCFeaturizer
from skbst.metrics import hierarchical_f1_scorer
from skbst.model_selection import KNNBlendSearchCV, OfficialKFold
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    # torch is imported before a worker reports: on a busy machine it takes so long that the scheduler gives it up
    workers = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "preload": ["skbst.neural"]}
    patience = {f"distributed.comm.timeouts.{name}": "300s" for name in ("tcp", "connect")}
    with (
        dask.config.set(patience),
        distributed.LocalCluster(**workers, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def on_dask(client):
    """Context in which joblib runs on the cluster; afterwards `workers` are those that did something."""

    class OnDask:
        def __enter__(self):
            self.stream = distributed.get_task_stream(client)
            self.stream.__enter__()
            self.config = joblib.parallel_config("dask")
            self.config.__enter__()
            return self

        def __exit__(self, *exception):
            self.config.__exit__(*exception)
            self.stream.__exit__(*exception)
            self.workers = {task["worker"] for task in self.stream.data}

    return OnDask()


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    root = tmp_path_factory.mktemp("dask") / "clips"
    classes = dict.fromkeys(["fx-a", "fx-h", "m-sp", "sp-s"], 1)
    make_bst_clips(root, n_clips=40, max_duration=0.2, sample_rate=16000, class_weights=classes, random_state=0)
    return load_bsd(root)


@pytest.fixture(scope="module")
def featurizer(clips):
    return ClipFeaturizer([("mfcc", MFCCFeaturizer(duration=0.2))]).fit(clips.data)


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs(80, centers=4, cluster_std=3.0, n_features=6, random_state=0)
    return X.astype(np.float32), np.array(["fx-a", "fx-h", "m-sp", "ss-n"])[y]


@pytest.fixture
def blender():
    return KNNPriorBlender(BranchClassifier(size="small", max_epochs=2, random_state=0))


def assert_same_search(found, expected):
    assert found.keys() == expected.keys()
    for name in expected:
        if name == "params":
            assert found[name] == expected[name]
        elif "time" not in name and not name.startswith("param_"):
            assert_allclose(found[name], expected[name], rtol=0, atol=1e-12)


def test_a_featurizer_alone_uses_threads_of_this_process(clips, featurizer, on_dask):
    expected = featurizer.transform(clips.data)["mfcc"]
    with on_dask:
        found = clone(featurizer).set_params(n_jobs=2).fit(clips.data).transform(clips.data)["mfcc"]
    assert not on_dask.workers
    assert_array_equal(found, expected)


def test_parts_of_a_library_are_featurized_by_all_workers(clips, featurizer, on_dask):
    parts = [clips.data.iloc[start : start + 6] for start in range(0, len(clips.data), 6)]
    with on_dask:
        bundles = Parallel(batch_size=1)(delayed(featurizer.transform)(part) for part in parts)
    assert len(on_dask.workers) == 2
    together = np.concatenate([bundle["mfcc"] for bundle in bundles])
    assert_array_equal(together, featurizer.transform(clips.data)["mfcc"])


def test_cross_validation_makes_features_where_its_jobs_run(clips, client, on_dask, tmp_path):
    def note(clips):
        (tmp_path / str(os.getpid())).touch()
        return clips

    featurizer = ClipFeaturizer([("mfcc", MFCCFeaturizer(duration=0.2))])
    steps = [FunctionTransformer(note), featurizer, BlockSelector("mfcc"), StandardScaler(), LogisticRegression(C=0.01)]
    model = make_pipeline(*steps)
    settings = {"cv": OfficialKFold(4), "scoring": hierarchical_f1_scorer, "return_estimator": True}
    with on_dask:
        found = cross_validate(model, clips.data, clips.target, **settings)
    assert len(on_dask.workers) == 2
    assert {path.name for path in tmp_path.iterdir()} == {str(pid) for pid in client.run(os.getpid).values()}
    expected = cross_validate(model, clips.data, clips.target, **settings)
    assert_array_equal(found["test_score"], expected["test_score"])
    for one, other in zip(found["estimator"], expected["estimator"]):
        assert_array_equal(one.predict(clips.data), other.predict(clips.data))


def test_blend_search(blobs, blender, on_dask):
    X, y = blobs
    grid = {"alpha": [0.0, 0.3, 0.9], "k": [3, 7], "estimator__lr": [1e-3, 1e-2]}
    search = KNNBlendSearchCV(blender, grid, cv=2, scoring=hierarchical_f1_scorer)
    expected = search.fit(X, y).cv_results_
    best = search.predict(X)
    with on_dask:
        search = clone(search).fit(X, y)
    assert len(on_dask.workers) == 2
    assert_same_search(search.cv_results_, expected)
    assert_array_equal(search.predict(X), best)


def test_grid_search(blobs, blender, on_dask):
    X, y = blobs
    search = GridSearchCV(blender, {"alpha": [0.0, 0.5]}, cv=2, scoring=hierarchical_f1_scorer)
    expected = search.fit(X, y).cv_results_
    with on_dask:
        search = clone(search).fit(X, y)
    assert len(on_dask.workers) == 2
    assert_same_search(search.cv_results_, expected)


def test_the_example(client, capsys):
    main = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "search_on_dask.py"))["main"]
    main(["--dask", client.scheduler.address, "--clips", "46", "--epochs", "1", "--check"])
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()[:3]] == ["cross_validate", "KNNBlendSearchCV", "GridSearchCV"]
    assert "2 workers ran" in said
    assert "Without the cluster every figure is the same." in said
