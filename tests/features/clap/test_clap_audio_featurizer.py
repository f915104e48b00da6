# ruff: noqa: NPY002 (NumPy's global generator is what these tests watch)
import multiprocessing
import pickle
import random
import time
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skbst.exceptions import AudioDecodeError, AudioDecodeWarning
from skbst.features import ClapAudioFeaturizer, ClapTextFeaturizer
from skbst.features._clap import _encoder
from skbst.features._clap._encoder import load_encoder
from skbst.features._embedding._threads import map_clips

N_FEATURES = 512


@pytest.fixture
def make(tiny_clap):
    """Featurizers of the small ClapModel, whose windows are 1 s long."""

    def make(**options):
        return ClapAudioFeaturizer(**{"checkpoint": tiny_clap, "backend": "transformers", "n_jobs": 1, **options})

    return make


@pytest.fixture(scope="module")
def waveforms():
    rng = np.random.default_rng(0)
    return [rng.normal(scale=0.1, size=n).astype(np.float32) for n in (1, 700, 30000, 48000, 48300, 90000, 200000)]


def as_sources(waveforms):
    return [(waveform, 48000) for waveform in waveforms]


def embed(checkpoint, waveforms):
    return ClapAudioFeaturizer(checkpoint, backend="transformers").fit_transform(as_sources(waveforms))


class TestBasics:
    def test_rows_are_unit_vectors(self, make, waveforms):
        rows = make().fit_transform(as_sources(waveforms))
        assert rows.shape == (7, N_FEATURES)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
        assert len(np.unique(rows, axis=0)) == 7

    def test_every_kind_of_input(self, make, clips):
        paths = [str(clips["short"]), str(clips["other_rate"])]
        expected = make().fit_transform(paths)
        table = pd.DataFrame({"audio": paths, "title": ["a", "b"]}, index=["17", "23"])
        for X in (table, table["audio"], np.array(paths), [clips["short"], clips["other_rate"]]):
            np.testing.assert_array_equal(make().fit_transform(X), expected)
        renamed = table.rename(columns={"audio": "path"})
        np.testing.assert_array_equal(make(column="path").fit_transform(renamed), expected)

    def test_table_of_waveforms(self, make, waveforms):
        X = np.stack([waveforms[3], waveforms[4][:48000]])
        np.testing.assert_array_equal(make().fit_transform(X), make().fit_transform(as_sources(X)))

    def test_names_and_set_output(self, make, waveforms):
        featurizer = make().set_output(transform="pandas").fit(as_sources(waveforms[:2]))
        table = featurizer.transform(as_sources(waveforms[:2]))
        assert table.columns[-1] == "clapaudiofeaturizer511"
        assert table.shape == (2, N_FEATURES)

    def test_progress_only_when_asked(self, make, waveforms, capfd):
        make(verbose=1).fit_transform(as_sources(waveforms))
        assert "CLAP audio" in capfd.readouterr().err
        make().fit_transform(as_sources(waveforms))
        assert capfd.readouterr() == ("", "")

    def test_in_a_pipeline(self, make, waveforms):
        pipeline = make_pipeline(make(), LogisticRegression()).fit(as_sources(waveforms), [0, 1, 0, 1, 0, 1, 0])
        assert pipeline.predict(as_sources(waveforms)).shape == (7,)

    def test_repeating_is_what_clap_does_to_short_sounds(self, make, waveforms):
        repeated = np.tile(waveforms[1], 48000 // 700)
        rows = make().fit_transform(as_sources([waveforms[1], repeated]))
        np.testing.assert_array_equal(rows[0], rows[1])

    def test_more_than_the_window_is_read(self, make, waveforms):
        long = waveforms[-1].copy()
        long[150000:] = 0
        rows = make().fit_transform(as_sources([waveforms[-1], long, long[:48000]]))
        assert len(np.unique(rows, axis=0)) == 3

    def test_wrong_parameters(self, make, tmp_path, waveforms):
        X = as_sources(waveforms[:1])
        for wrong in (
            {"backend": "torch"},
            {"windows": "halves"},
            {"batch_size": 0},
            {"on_error": "ignore"},
            {"quantize": 3},
        ):
            with pytest.raises(ValueError, match=next(iter(wrong))):
                make(**wrong).fit(X)
        with pytest.raises(ValueError, match="random"):
            make(windows="random", store=tmp_path).fit(X)

    def test_quantize_moves_little(self, make, waveforms):
        fine, coarse = (make(quantize=q).fit_transform(as_sources(waveforms)) for q in (False, True))
        cosines = np.einsum("ij,ij->i", fine, coarse)
        assert not np.array_equal(fine, coarse)
        assert cosines[1:].min() > 0.999

    def test_antialias_matters_to_long_sounds_only(self, make, waveforms):
        smooth, plain = (make(antialias=a).fit_transform(as_sources(waveforms)) for a in (True, False))
        same = (smooth == plain).all(axis=1)
        assert same.tolist() == [True] * 5 + [False] * 2


class TestSameBytes:
    @pytest.fixture
    def expected(self, make, waveforms):
        return make().fit_transform(as_sources(waveforms))

    @pytest.mark.parametrize(
        "options", [{"batch_size": 1}, {"batch_size": 3}, {"n_jobs": 3}, {"n_jobs": -1, "batch_size": 2}]
    )
    def test_batches_and_threads(self, make, waveforms, expected, options):
        assert make(**options).fit_transform(as_sources(waveforms)).tobytes() == expected.tobytes()

    def test_order_and_company(self, make, waveforms, expected):
        order = [4, 6, 0, 2]
        rows = make().fit_transform(as_sources([waveforms[i] for i in order]))
        assert rows.tobytes() == expected[order].tobytes()

    @pytest.mark.parametrize("n_threads", [1, 2, 5])
    def test_torchs_threads(self, make, waveforms, expected, n_threads):
        before = torch.get_num_threads()
        try:
            torch.set_num_threads(n_threads)
            assert make(n_jobs=None).fit_transform(as_sources(waveforms)).tobytes() == expected.tobytes()
            assert torch.get_num_threads() == n_threads
        finally:
            torch.set_num_threads(before)

    def test_laion_clap_in_any_company(self, laion_module, waveforms):
        featurizer = ClapAudioFeaturizer(laion_module[1], n_jobs=1).fit(as_sources(waveforms[:1]))
        long = np.concatenate([waveforms[-1]] * 3)
        alone = featurizer.transform(as_sources([waveforms[2]]))[0], featurizer.transform(as_sources([long]))[0]
        together = featurizer.set_params(n_jobs=3).transform(as_sources([long, waveforms[5], waveforms[2]]))
        assert together[2].tobytes() == alone[0].tobytes()
        assert together[0].tobytes() == alone[1].tobytes()

    def test_what_the_caller_has_switched_on(self, make, waveforms, expected):
        with torch.autocast("cpu", dtype=torch.bfloat16), torch.enable_grad():
            rows = make().fit_transform(as_sources(waveforms))
        assert rows.tobytes() == expected.tobytes()

    def test_a_default_type_of_double(self, tiny_clap, waveforms, expected, no_models):
        torch.set_default_dtype(torch.float64)
        try:
            rows = embed(tiny_clap, waveforms)
        finally:
            torch.set_default_dtype(torch.float32)
        assert rows.tobytes() == expected.tobytes()

    @pytest.mark.slow
    def test_processes_of_joblib(self, make, waveforms, expected):
        jobs = [delayed(make().fit_transform)(as_sources([waveform])) for waveform in waveforms[2:6]]
        parts = Parallel(n_jobs=2)(jobs)
        assert np.vstack(parts).tobytes() == expected[2:6].tobytes()

    @pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
    def test_a_forked_child(self, make, tiny_clap, waveforms, expected):
        """The parent has loaded the model and run threads; the child neither hangs nor differs."""
        make(n_jobs=2).fit_transform(as_sources(waveforms[:3]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with multiprocessing.get_context("fork").Pool(1) as pool:
                rows = pool.apply_async(embed, (tiny_clap, waveforms[:4])).get(timeout=120)
        assert rows.tobytes() == expected[:4].tobytes()

    def test_generators_are_left_alone(self, make, waveforms, no_models):
        np.random.seed(1)
        before = np.random.get_state(), torch.random.get_rng_state(), random.getstate()
        make().fit_transform(as_sources(waveforms))
        make(windows="random").fit_transform(as_sources(waveforms))
        assert np.random.get_state()[1].tobytes() == before[0][1].tobytes()
        assert np.random.get_state()[2] == before[0][2]
        assert torch.equal(torch.random.get_rng_state(), before[1])
        assert random.getstate() == before[2]

    def test_random_windows_follow_their_seed(self, make, waveforms):
        def rows(seed, **options):
            return make(windows="random", random_state=seed, **options).fit_transform(as_sources(waveforms))

        assert rows(0).tobytes() == rows(0, batch_size=1, n_jobs=3).tobytes()
        assert not np.array_equal(rows(0), rows(1))
        assert not np.array_equal(rows(None), rows(None))


class TestMemory:
    def test_nothing_is_loaded_before_it_is_needed(self, make, waveforms, no_models):
        featurizer = make().fit(as_sources(waveforms[:1]))
        assert not _encoder._models
        featurizer.transform(as_sources(waveforms[:1]))
        assert len(_encoder._models) == 1

    def test_weights_stay_out_of_pickles(self, make, waveforms):
        featurizer = make().fit(as_sources(waveforms[:1]))
        featurizer.transform(as_sources(waveforms[:1]))
        content = pickle.dumps(featurizer)
        assert len(content) < 5000
        again = pickle.loads(content).transform(as_sources(waveforms[:1]))
        np.testing.assert_array_equal(again, featurizer.transform(as_sources(waveforms[:1])))

    def test_clones_and_copies_of_the_file_share_one_model(self, make, tiny_clap, waveforms, no_models, tmp_path):
        import shutil

        featurizer = make()
        for other in (featurizer, clone(featurizer), make(checkpoint=shutil.copytree(tiny_clap, tmp_path / "copy"))):
            other.fit_transform(as_sources(waveforms[:1]))
        ClapTextFeaturizer(tiny_clap, backend="transformers").fit_transform(["rain"])
        assert len(_encoder._models) == 1

    def test_few_models_are_kept(self, tiny_clap, standin, tmp_path, no_models, monkeypatch):
        monkeypatch.setattr(_encoder, "_MAX_MODELS", 2)
        first = load_encoder("transformers", tiny_clap, device="cpu")
        for seed in (1, 2):
            load_encoder("transformers", standin.write_tiny_clap(tmp_path / str(seed), seed=seed), device="cpu")
        assert len(_encoder._models) == 2
        assert load_encoder("transformers", tiny_clap, device="cpu") is not first

    def test_changed_weights_are_loaded_anew(self, standin, tmp_path, waveforms):
        folder = standin.write_tiny_clap(tmp_path, seed=1)
        before = embed(folder, waveforms[:2])
        standin.write_tiny_clap(tmp_path, seed=2)
        assert not np.allclose(embed(folder, waveforms[:2]), before)


class TestBrokenSounds:
    @pytest.fixture
    def table(self, clips, tmp_path):
        names = ["short", "zero_bytes", "garbage", "other_rate"]
        paths = [str(clips[name]) for name in names] + [str(tmp_path / "gone.wav"), None]
        return pd.DataFrame({"audio": paths}, index=[*names, "gone", "nan"])

    def test_silence_a_warning_and_a_record(self, make, table):
        featurizer = make().fit(table)
        with pytest.warns(AudioDecodeWarning, match="4 of 6 sounds could not be decoded") as caught:
            rows = featurizer.transform(table)
        assert len(caught) == 1
        assert caught[0].filename == __file__
        silence = make().fit_transform(np.zeros((1, 48000), dtype=np.float32))[0]
        for row in (1, 2, 4, 5):
            np.testing.assert_array_equal(rows[row], silence)
        assert not np.array_equal(rows[0], silence)
        report = featurizer.transform_with_problems(table)[1]
        assert report.index.tolist() == ["zero_bytes", "garbage", "gone", "nan"]
        assert report["reason"].tolist() == ["zero bytes", "not decodable", "not found", "no path"]

    def test_raise(self, make, table):
        with pytest.raises(AudioDecodeError, match="zero bytes"):
            make(on_error="raise").fit_transform(table)

    def test_the_warning_comes_each_time_with_a_store(self, make, table, tmp_path):
        featurizer = make(store=tmp_path).fit(table)
        for _ in range(2):
            with pytest.warns(AudioDecodeWarning, match="4 of 6"):
                rows = featurizer.transform(table)
        with pytest.warns(AudioDecodeWarning):
            np.testing.assert_array_equal(rows, make().fit_transform(table))

    @pytest.mark.data
    def test_hostile_files(self, make, data_root):
        paths = sorted((data_root / "bst-real" / "broken").glob("*.*"))
        paths = [path for path in paths if path.suffix != ".csv"]
        with pytest.warns(AudioDecodeWarning):
            rows = make().fit_transform(paths)
        assert np.isfinite(rows).all()
        assert rows.shape == (len(paths), N_FEATURES)

    @pytest.mark.data
    def test_real_sounds_with_laion_clap(self, laion_module, data_root):
        paths = sorted((data_root / "bst-real" / "audio").glob("*"))[:60:10]
        rows = ClapAudioFeaturizer(laion_module[1]).fit_transform(paths)
        assert len(np.unique(rows, axis=0)) == 6


class TestThreads:
    def test_errors_come_through(self):
        with pytest.raises(ZeroDivisionError):
            map_clips(lambda n: 1 / n, [1, 0, 2], n_jobs=2, device=torch.device("cpu"))

    def test_each_call_has_one_thread(self):
        before = torch.get_num_threads()
        for n_jobs in (1, 2):
            seen = map_clips(lambda _: torch.get_num_threads(), range(4), n_jobs=n_jobs, device=torch.device("cpu"))
            assert seen == [1] * 4
        assert torch.get_num_threads() == before

    def test_global_flags_of_torch_stay(self):
        def flags():
            cudnn = torch.backends.cudnn
            return cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32, torch.is_grad_enabled()

        before = flags()
        map_clips(lambda _: time.sleep(0.002), range(40), n_jobs=4, device=torch.device("cpu"))
        assert flags() == before

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
    def test_gpu(self, make, waveforms):
        cpu, gpu = (make(device=d).fit_transform(as_sources(waveforms)) for d in ("cpu", "cuda"))
        assert np.einsum("ij,ij->i", cpu, gpu).min() > 1 - 1e-5
