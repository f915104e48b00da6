"""Featurizers with a store: what is served, what is computed, and what a killed run leaves."""

import json
import multiprocessing
import os
import signal
import time

import numpy as np
import pandas as pd
import pytest

from skbst.features import ClapAudioFeaturizer, ClapTextFeaturizer, EmbeddingStore
from skbst.features._clap import _audio_run, _text_run


def run_slowly(pipe, featurizer, X, pause):
    """Embed in a child process; says after each batch, before it is stored, how many sounds it held."""
    compute = _audio_run.AudioRun.compute

    def slow(self, rows):
        result = compute(self, rows)
        pipe.send(len(rows))
        time.sleep(pause)
        return result

    _audio_run.AudioRun.compute = slow
    pipe.send(featurizer.fit_transform(X).tobytes())


@pytest.fixture
def counted(monkeypatch):
    """List of how many sounds or texts each call embeds."""
    counts = []
    for run in (_audio_run.AudioRun, _text_run.TextRun):

        def compute(self, rows, original=run.compute):
            counts.append(len(rows))
            return original(self, rows)

        monkeypatch.setattr(run, "compute", compute)
    return counts


@pytest.fixture
def make(tiny_clap, tmp_path):
    def make(**options):
        store = tmp_path / "store"
        options = {"checkpoint": tiny_clap, "backend": "transformers", "n_jobs": 1, "store": store, **options}
        return ClapAudioFeaturizer(**options)

    return make


@pytest.fixture(scope="module")
def waveforms():
    return np.random.default_rng(0).normal(scale=0.1, size=(10, 4000)).astype(np.float32)


class TestAudio:
    def test_nothing_is_computed_twice(self, make, waveforms, counted):
        first = make().fit_transform(waveforms)
        second = make(batch_size=3, n_jobs=2).fit_transform(waveforms[::-1])
        assert counted == [10]
        assert second.tobytes() == first[::-1].tobytes()
        assert first.tobytes() == make(store=None).fit_transform(waveforms).tobytes()

    def test_equal_sounds_are_computed_once(self, make, waveforms, counted):
        rows = make().fit_transform(waveforms[[0, 1, 0, 0]])
        assert counted == [2]
        np.testing.assert_array_equal(rows[0], rows[3])

    def test_a_changed_file_is_computed_anew(self, make, clips, tmp_path, counted):
        path = tmp_path / "sound.wav"
        path.write_bytes(clips["short"].read_bytes())
        status = path.stat()
        first = make().fit_transform([path])
        path.write_bytes(path.read_bytes()[:-2] + b"\x01\x01")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        second = make().fit_transform([path])
        assert counted == [1, 1]
        assert not np.array_equal(first, second)

    def test_a_renamed_file_is_served(self, make, clips, tmp_path, counted):
        make().fit_transform([clips["short"]])
        (tmp_path / "other.wav").write_bytes(clips["short"].read_bytes())
        make().fit_transform([tmp_path / "other.wav"])
        assert counted == [1]

    @pytest.mark.parametrize("setting", [{"quantize": True}, {"antialias": False}])
    def test_a_changed_setting_is_computed_anew(self, make, waveforms, counted, setting):
        make().fit_transform(waveforms[:2])
        rows = make(**setting).fit_transform(waveforms[:2])
        assert counted == [2, 2]
        np.testing.assert_array_equal(rows, make(**setting, store=None).fit_transform(waveforms[:2]))

    def test_another_checkpoint_is_computed_anew(self, make, standin, waveforms, counted, tmp_path):
        make().fit_transform(waveforms[:2])
        other = standin.write_tiny_clap(tmp_path / "other", seed=5)
        rows = make(checkpoint=other).fit_transform(waveforms[:2])
        assert counted == [2, 2]
        assert not np.allclose(rows, make().fit_transform(waveforms[:2]))

    def test_no_weights_are_loaded_when_all_is_there(self, make, waveforms, no_models):
        from skbst.features._clap import _encoder

        make().fit_transform(waveforms)
        _encoder._models.clear()
        make().fit_transform(waveforms)
        assert not _encoder._models

    def test_settings_are_written_beside_the_vectors(self, make, waveforms, tmp_path):
        make().fit_transform(waveforms[:1])
        labels = list((tmp_path / "store" / "features" / "clap_audio_cache").glob("*/pipeline.json"))
        settings = json.loads(labels[0].read_text())
        assert settings["backend"] == "transformers"
        assert settings["windows"] == "thirds"
        assert len(settings["checkpoint"]) == 64

    def test_a_store_object_and_its_official_layout(self, make, waveforms, tmp_path):
        store = EmbeddingStore(tmp_path / "bsd")
        rows = make(store=store).fit_transform(waveforms)
        ids = [str(i) for i in range(10)]
        store.write(ids, rows)
        np.testing.assert_array_equal(store.read(ids), rows)
        assert store.skew(ids, rows).quantiles.min() > 1 - 1e-6
        loaded = np.load(tmp_path / "bsd" / "features" / "clap_audio_embeddings" / "3.npy")
        assert loaded.shape == (512,)
        assert loaded.dtype == np.float32

    def test_many_batches_are_packed(self, make, waveforms, tmp_path):
        many = np.vstack([waveforms * scale for scale in (1, 0.9, 0.8, 0.7)])
        make(batch_size=1).fit_transform(many)
        shards = list((tmp_path / "store").rglob("shard-*.npy"))
        assert len(shards) == 1


class TestText:
    @pytest.fixture
    def make(self, tiny_clap, tmp_path):
        def make(**options):
            options = {"backend": "transformers", "n_jobs": 1, "store": tmp_path, **options}
            return ClapTextFeaturizer(tiny_clap, **options)

        return make

    def test_the_final_text_is_the_key(self, make, counted):
        make().fit_transform(["rain", "wind", "rain"])
        make(cleaner=None).fit_transform(["wind", "snow"])
        assert counted == [2, 1]

    def test_a_changed_template_is_computed_anew(self, make, counted):
        table = pd.DataFrame({"title": ["Rain"], "tags": ["roof,tin"], "description": ["Heavy."]})
        first = make(cleaner=None).fit_transform(table)
        second = make(cleaner=None).fit_transform(table[["title", "tags"]])
        assert counted == [1, 1]
        assert not np.array_equal(first, second)

    def test_another_tokenizer_is_computed_anew(self, make, counted, tmp_path, standin):
        standin.write_tokenizer(tmp_path / "tokenizer")
        tokens = json.loads((tmp_path / "tokenizer" / "tokenizer.json").read_text())
        swapped = tokens["model"]["vocab"]
        swapped["a"], swapped["i"] = swapped["i"], swapped["a"]
        (tmp_path / "tokenizer" / "tokenizer.json").write_text(json.dumps(tokens))
        first = make().fit_transform(["rain"])
        second = make(tokenizer=tmp_path / "tokenizer").fit_transform(["rain"])
        assert counted == [1, 1]
        assert not np.array_equal(first, second)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
class TestProcesses:
    @pytest.fixture
    def X(self):
        return np.random.default_rng(1).normal(scale=0.1, size=(24, 4000)).astype(np.float32)

    def start(self, featurizer, X, pause):
        here, there = multiprocessing.Pipe(duplex=False)
        child = multiprocessing.get_context("fork").Process(target=run_slowly, args=(there, featurizer, X, pause))
        child.start()
        there.close()
        return child, here

    @pytest.mark.parametrize("after", [0.0, 0.1, 0.25])
    def test_a_killed_run_loses_at_most_one_batch(self, make, X, counted, after):
        child, pipe = self.start(make(batch_size=4), X, pause=0.2)
        done = [pipe.recv() for _ in range(3)]
        time.sleep(after)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        while pipe.poll():
            try:
                done.append(pipe.recv())
            except EOFError:
                break
        rows = make(batch_size=4).fit_transform(X)
        computed_twice = sum(counted) + sum(done) - len(X)
        assert 0 <= computed_twice <= 4
        assert sum(counted) < len(X)
        assert rows.tobytes() == make(store=None).fit_transform(X).tobytes()

    def test_two_runs_at_once(self, make, X, counted, tmp_path):
        runs = [self.start(make(batch_size=2), X, pause=0.01) for _ in range(2)]
        results = []
        for child, pipe in runs:
            while not isinstance(message := pipe.recv(), bytes):
                pass
            results.append(message)
            child.join()
            assert child.exitcode == 0
        rows = make().fit_transform(X)
        assert counted == []
        assert results == [rows.tobytes()] * 2
        assert rows.tobytes() == make(store=None).fit_transform(X).tobytes()
        assert not list(tmp_path.rglob("*.tmp"))
