"""Libraries on a real dask cluster of two processes: the same bytes, and both at work."""

import time

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skbst.cli import main
from skbst.features import AudioStatisticsFeaturizer
from skbst.library import embed_library, label_library
from skbst.persistence import save_model
from skbst.systems import baseline

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
pytest.importorskip("pyarrow", exc_type=ImportError)


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
def address(client):
    return client.scheduler.address


@pytest.fixture
def at_work(client):
    """``at_work()`` gives the workers that did something since the test began."""
    start = time.time()
    client.get_task_stream()  # the scheduler begins to take notes
    return lambda: {task["worker"] for task in client.get_task_stream(start=start)}


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_labels_have_the_bytes_of_one_process(model, sounds, address, at_work, tmp_path):
    alone = label_library(model, sounds, tmp_path / "alone", rows=3)
    spread = label_library(model, sounds, tmp_path / "spread", rows=3, dask=address)
    assert files(tmp_path / "spread") == files(tmp_path / "alone")
    assert (spread.n_clips, spread.reasons) == (alone.n_clips, alone.reasons) == (24, {"not decodable": 1})
    assert len(at_work()) == 2
    again = label_library(model, sounds, tmp_path / "spread", rows=3, dask=address)
    assert (again.n_computed, again.n_found) == (0, 24)


def test_the_command_labels_with_a_saved_system(clips, target, sounds, address, tmp_path, capsys):
    system = baseline(embeddings="builtin", size="small", random_state=0).fit(clips, target)
    save_model(system, tmp_path / "model")
    words = ["label", str(sounds), "--model", str(tmp_path / "model"), "--rows", "5", "--quiet"]
    assert main([*words, "-o", str(tmp_path / "alone")]) == 0
    assert main([*words, "-o", str(tmp_path / "spread"), "--dask", address]) == 0
    assert "24 clips labelled" in capsys.readouterr().out
    tables = [pd.read_parquet(tmp_path / name) for name in ("alone", "spread")]
    assert_frame_equal(*tables, rtol=1e-5)


def test_a_store_is_filled_by_all_workers(clips, sounds, address, at_work, tmp_path, monkeypatch):
    expected = AudioStatisticsFeaturizer().fit_transform(clips)
    summary = embed_library(AudioStatisticsFeaturizer(), sounds, tmp_path / "store", rows=3, dask=address)
    assert (summary.n_clips, summary.n_unreadable, summary.reasons) == (24, 1, {"not decodable": 1})
    listed = pd.read_csv(tmp_path / "store" / "skbst_problems.csv")
    assert listed.to_numpy().tolist() == [["zz.wav", "not decodable"]]
    assert len(at_work()) == 2
    import soundfile

    def no_decoding(*args, **kwargs):
        raise AssertionError("a sound was decoded again")

    monkeypatch.setattr(soundfile, "SoundFile", no_decoding)
    stored = AudioStatisticsFeaturizer(store=tmp_path / "store").fit_transform(clips)
    assert_array_equal(stored, expected)
    assert np.isfinite(stored).all()


def test_an_error_on_a_worker_is_the_error_of_the_call(clips, target, address, tmp_path):
    names = make_column_transformer((OneHotEncoder(), ["uploader"]))
    model = make_pipeline(names, LogisticRegression()).fit(clips.assign(uploader="ann"), target)
    with pytest.raises(ValueError, match="uploader"):
        label_library(model, clips, tmp_path / "out", dask=address)
    assert not list((tmp_path / "out").glob("part-*"))
