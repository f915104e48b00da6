import pickle

import numpy as np
import pandas as pd
import pytest
import soundfile

from skbst.exceptions import AudioDecodeError, AudioDecodeWarning
from skbst.features import AudioStatisticsFeaturizer
from skbst.features import _audio_statistics_featurizer as module
from skbst.features._descriptors._clip import describe_clip, descriptor_names
from skbst.features._descriptors._frames import analyse_clip, block_rms, cosine_basis, mel_bank, summarise
from skbst.features._descriptors._temporal import describe_pitch

RATE = 22050


def named(waveform, sample_rate=RATE):
    return dict(zip(descriptor_names(), describe_clip(np.asarray(waveform, dtype=np.float32), sample_rate)))


def tone(frequency, seconds=1.0, rate=RATE, harmonics=5):
    times = np.arange(round(seconds * rate)) / rate
    return sum(np.sin(2 * np.pi * frequency * k * times) / k for k in range(1, harmonics + 1)).astype(np.float32) / 3


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).uniform(-0.5, 0.5, 2 * RATE).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, noise):
    root = tmp_path_factory.mktemp("sounds")
    soundfile.write(root / "noise.wav", noise, RATE)
    soundfile.write(root / "tone.flac", tone(300), RATE)
    soundfile.write(root / "stereo.ogg", np.column_stack([tone(500, rate=44100)] * 2), 44100)
    soundfile.write(root / "one.wav", np.full(1, 0.5), RATE)
    (root / "empty.wav").touch()
    (root / "text.wav").write_text("no sound at all")
    return root


@pytest.fixture
def table(folder):
    names = ["noise.wav", "tone.flac", "stereo.ogg", "one.wav"]
    return pd.DataFrame({"audio": [str(folder / name) for name in names], "title": names}, index=list("abcd"))


def test_there_are_512_named_descriptors(noise):
    assert len(descriptor_names()) == len(set(descriptor_names())) == 512
    assert describe_clip(noise, RATE).dtype == np.float32


@pytest.mark.parametrize("n_samples", [0, 1, 2, 3, 64, 110, 1000, 1025])
@pytest.mark.parametrize("kind", ["silence", "constant", "noise", "impulse", "tiny", "huge"])
def test_descriptors_are_finite(n_samples, kind):
    rng = np.random.default_rng(n_samples)
    waveform = {
        "silence": np.zeros(n_samples),
        "constant": np.full(n_samples, 0.7),
        "noise": rng.standard_normal(n_samples),
        "impulse": (np.arange(n_samples) == n_samples // 2).astype(float),
        "tiny": 1e-30 * rng.standard_normal(n_samples),
        "huge": 1e6 * rng.standard_normal(n_samples),
    }[kind]
    descriptors = describe_clip(waveform.astype(np.float32), RATE)
    assert np.isfinite(descriptors).all()
    assert np.abs(descriptors).max() < 1e5


@pytest.mark.parametrize("sample_rate", [1000, 8000, 16000, 48000, 192000])
def test_any_sample_rate(sample_rate):
    descriptors = named(tone(220, rate=sample_rate), sample_rate)
    assert len(descriptors) == 512
    assert descriptors["duration_0"] == pytest.approx(np.log2(1.01), abs=0.02)
    if sample_rate >= 8000:
        assert descriptors["pitch_0"] == pytest.approx(np.log2(220), abs=0.05)


def test_the_level_counts_only_as_level(noise):
    loud, quiet = named(noise), named(noise / 4)
    different = {name for name in loud if not np.isclose(loud[name], quiet[name], rtol=1e-3, atol=1e-3)}
    assert different == {"absolute_level_0", "absolute_level_1"}
    assert loud["absolute_level_0"] - quiet["absolute_level_0"] == pytest.approx(20 * np.log10(4), abs=1e-3)
    assert loud["absolute_level_0"] == pytest.approx(20 * np.log10(np.abs(noise).max()), abs=1e-4)
    assert loud["absolute_level_1"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(3)), abs=0.1)


@pytest.mark.parametrize("frequency", [100.0, 220.0, 440.0, 1000.0])
def test_pitch_of_a_tone(frequency):
    descriptors = named(tone(frequency))
    assert descriptors["harmonicity_0"] > 0.95
    assert descriptors["harmonicity_2"] > 0.9
    assert descriptors["pitch_0"] == pytest.approx(np.log2(frequency), abs=0.03)
    assert descriptors["pitch_5"] == 1.0


def test_noise_has_no_pitch(noise):
    descriptors = named(noise)
    assert descriptors["harmonicity_0"] < 0.05
    assert descriptors["harmonicity_2"] < 0.5


def test_pitch_against_a_naive_autocorrelation():
    waveform = tone(313, 0.3) + 0.05 * np.random.default_rng(1).standard_normal(len(tone(313, 0.3)))
    analysis = analyse_clip(waveform.astype(np.float32), RATE)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    frame = analysis.samples[512:1536] * window
    lags = np.arange(11, 367)
    correlation = np.array([np.sum(frame * np.roll(frame, lag)) for lag in range(367)])
    by_window = np.array([np.sum(window * np.roll(window, lag)) for lag in range(367)])
    naive = (correlation / correlation[0] / (by_window / by_window[0]))[lags]
    expected = np.log2(RATE / lags[np.argmax(naive[30:]) + 30])
    assert describe_pitch(analysis)["pitch"][0] == pytest.approx(expected, abs=0.05)


def test_centroid_and_rolloff_of_a_tone():
    descriptors = named(tone(1000, harmonics=1))
    assert descriptors["centroid_0"] == pytest.approx(np.log2(1030), abs=0.02)
    assert descriptors["rolloff_85_3"] == pytest.approx(np.log2(1030), abs=0.05)


def test_flatness_tells_noise_from_tone(noise):
    assert named(noise)["flatness_0"] > -1 > named(tone(440))["flatness_0"]


def test_onsets_of_clicks():
    waveform = np.zeros(4 * RATE, dtype=np.float32)
    decay = np.exp(-np.arange(2000) / 300) * np.random.default_rng(0).standard_normal(2000)
    for start in range(RATE // 4, 4 * RATE - 2000, RATE // 2):
        waveform[start : start + 2000] += decay
    descriptors = named(waveform)
    assert descriptors["onsets_0"] == pytest.approx(np.log1p(8))
    assert descriptors["onsets_1"] == pytest.approx(2.0, rel=1e-2)
    assert descriptors["onsets_2"] == pytest.approx(np.log2(0.51), abs=0.02)
    assert descriptors["onsets_3"] < 0.05
    assert descriptors["pulse_0"] > 0.5


def test_modulation_peaks_at_the_rate_of_a_tremolo(noise):
    times = np.arange(len(noise)) / RATE
    tremolo = named(noise * (1 + np.sin(2 * np.pi * 6 * times)))
    by_rate = np.array([np.mean([tremolo[f"modulation_{8 * rate + band}"] for band in range(8)]) for rate in range(6)])
    assert by_rate.argmax() == 3


def test_attack_and_decay(noise):
    times = np.arange(len(noise)) / RATE
    struck, swelling = noise * np.exp(-5 * times), noise * np.exp(5 * (times - times[-1]))
    assert named(struck)["attack_0"] < named(swelling)["attack_0"]
    assert named(struck)["decay_1"] == pytest.approx(np.log2(20 / (5 * 20 * np.log10(np.e)) + 0.01), abs=0.3)
    assert named(struck)["energy_place_1"] < 0.2 < 0.8 < named(swelling)["energy_place_1"]


def test_course_follows_the_parts():
    waveform = np.concatenate([0.05 * tone(3000, 1.0), tone(3000, 1.0)])
    course = np.array([named(waveform)[f"course_{i}"] for i in range(40)]).reshape(5, 8)
    assert (course[0] < -5).any()
    assert (course[4] > 5).any()


def test_mel_bank_against_librosa():
    librosa = pytest.importorskip("librosa")
    expected = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=40, fmin=30.0, htk=True, norm=None).T
    bank = mel_bank(RATE, 1024)
    np.testing.assert_allclose(bank, expected / expected.sum(axis=0), atol=1e-5)
    assert np.allclose(mel_bank(1000, 64).sum(axis=0), 1)


def test_cosine_basis_is_orthonormal():
    basis = cosine_basis(40, 20)
    np.testing.assert_allclose(basis.T @ basis, np.eye(20), atol=1e-6)


def test_summarise_by_hand():
    table = summarise(np.array([[0.0], [2.0], [4.0], [0.0], [9.0]]))
    expected = {"mean": 3.0, "std": np.std([0, 2, 4, 0, 9]), "p10": 0.0, "p50": 2.0, "p90": 9.0, "delta": 17 / 4}
    assert {name: float(values[0]) for name, values in table.items()} == pytest.approx(expected)
    assert summarise(np.ones((1, 2)))["delta"].tolist() == [0, 0]


def test_block_rms_pads_with_zeros():
    np.testing.assert_allclose(block_rms(np.ones(5, dtype=np.float32), 4), [1, 0.5])
    assert block_rms(np.zeros(0, dtype=np.float32), 4).tolist() == [0]


def test_kinds_of_input_agree(table, folder):
    paths = table["audio"].tolist()
    featurizer = AudioStatisticsFeaturizer().fit(table)
    rows = featurizer.transform(table)
    assert rows.shape == (4, 512)
    assert rows.dtype == np.float32
    for same in (paths, table["audio"], np.array(paths, dtype=object), [folder / name for name in table["title"]]):
        np.testing.assert_array_equal(featurizer.transform(same), rows)
    decoded = [soundfile.read(path, dtype="float32") for path in paths]
    np.testing.assert_allclose(featurizer.transform(decoded)[:2], rows[:2], atol=1e-3)
    renamed = table.rename(columns={"audio": "file"})
    np.testing.assert_array_equal(AudioStatisticsFeaturizer(column="file").fit_transform(renamed), rows)


def test_padding_never_counts(folder):
    paths = [str(folder / "tone.flac"), str(folder / "noise.wav")]
    make = lambda duration: AudioStatisticsFeaturizer(duration=duration, standardize=False).fit_transform(paths)  # noqa: E731
    np.testing.assert_array_equal(make(30.0), make(None))
    np.testing.assert_array_equal(make(30.0), make(2.0))
    assert (make(1.0)[0] == make(2.0)[0]).all()
    assert (make(1.0)[1] != make(2.0)[1]).any()


def test_standardised_over_the_rows_of_fit(table):
    featurizer = AudioStatisticsFeaturizer().fit(table)
    rows = featurizer.transform(table)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-4)
    spread = rows.std(axis=0)
    assert np.all(np.isclose(spread, 1, atol=1e-3) | (spread == 0))
    raw = AudioStatisticsFeaturizer(standardize=False)
    np.testing.assert_array_equal(raw.fit(table.iloc[:1]).transform(table), raw.fit(table).transform(table))
    np.testing.assert_array_equal(AudioStatisticsFeaturizer().fit_transform(table), rows)


def test_outliers_are_limited(table, noise):
    featurizer = AudioStatisticsFeaturizer().fit(table.iloc[:2])
    assert np.abs(featurizer.transform([(1e4 * noise, RATE), (np.zeros(10), RATE)])).max() <= 5


def test_components(table):
    featurizer = AudioStatisticsFeaturizer(n_components=6).fit(table)
    rows = featurizer.transform(table)
    assert rows.shape == (4, 6)
    assert featurizer.get_feature_names_out().tolist() == [f"component_{i}" for i in range(6)]
    assert (rows[:, 4:] == 0).all()
    whole = AudioStatisticsFeaturizer().fit_transform(table)
    np.testing.assert_allclose(rows @ rows.T, whole @ whole.T, rtol=1e-3, atol=1e-2)


def test_same_bytes_whatever_the_threads_and_generators(table):
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one = AudioStatisticsFeaturizer(n_components=3).fit_transform(table)
    four = AudioStatisticsFeaturizer(n_components=3, n_jobs=4).fit_transform(table)
    np.testing.assert_array_equal(one, four)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_broken_sounds_become_silence(folder, table):
    paths = [*table["audio"], str(folder / "empty.wav"), str(folder / "text.wav"), str(folder / "missing.wav"), np.nan]
    sounds = pd.Series(paths, index=list("abcdefgh"))
    featurizer = AudioStatisticsFeaturizer(standardize=False)
    with pytest.warns(AudioDecodeWarning, match="4 of 8") as record:
        rows = featurizer.fit_transform(sounds)
    assert record[0].filename == __file__
    silence = describe_clip(np.zeros(0, dtype=np.float32), RATE)
    np.testing.assert_array_equal(rows[4:], [silence] * 4)
    assert featurizer.decode_report_.index.tolist() == ["e", "f", "g", "h"]
    with pytest.warns(AudioDecodeWarning) as record:
        featurizer.transform(sounds)
    assert record[0].filename == __file__
    with pytest.raises(AudioDecodeError, match="4 of 8"):
        AudioStatisticsFeaturizer(on_error="raise").fit(sounds)


def test_store_spares_decoding(tmp_path, table, monkeypatch, folder):
    featurizer = AudioStatisticsFeaturizer(store=tmp_path)
    rows = featurizer.fit_transform(table)
    np.testing.assert_array_equal(rows, AudioStatisticsFeaturizer().fit_transform(table))
    calls = []
    original = module.describe_source
    monkeypatch.setattr(module, "describe_source", lambda *args: calls.append(args[0]) or original(*args))
    np.testing.assert_array_equal(AudioStatisticsFeaturizer(store=tmp_path).fit_transform(table), rows)
    assert calls == []
    AudioStatisticsFeaturizer(store=tmp_path, duration=1.0).fit(table)
    assert len(calls) == 4
    with pytest.warns(AudioDecodeWarning):
        featurizer.transform([str(folder / "empty.wav")])
    with pytest.warns(AudioDecodeWarning):
        featurizer.transform([str(folder / "empty.wav")])
    assert len(calls) == 6


def test_pandas_output_and_pickle(table):
    featurizer = AudioStatisticsFeaturizer().set_output(transform="pandas").fit(table)
    frame = featurizer.transform(table)
    assert frame.columns[0] == "log_mel_mean_0"
    assert frame.index.equals(table.index)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(featurizer)).transform(table), frame)


@pytest.mark.data
def test_hostile_files(data_root):
    paths = sorted(str(path) for path in (data_root / "bst-real" / "broken").iterdir() if path.suffix != ".csv")
    with pytest.warns(AudioDecodeWarning):
        rows = AudioStatisticsFeaturizer(standardize=False).fit_transform(paths)
    assert np.isfinite(rows).all()


@pytest.mark.data
@pytest.mark.slow
def test_real_recordings_are_told_apart(data_root):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    from skbst.datasets import load_bsd
    from skbst.metrics import hierarchical_f1_score

    data, target = load_bsd(data_root / "bst-real", return_X_y=True)
    data, target = data[::2], target[::2]
    rows = AudioStatisticsFeaturizer().fit_transform(data)
    folds = StratifiedKFold(3, shuffle=True, random_state=1821)
    predicted = cross_val_predict(LogisticRegression(C=0.01, max_iter=300), rows, target, cv=folds)
    assert hierarchical_f1_score(target, predicted) > 0.5


def test_a_clip_for_which_memory_runs_out_is_that_clips_record(monkeypatch):
    from skbst.audio import collect_problems
    from skbst.features._descriptors import _source

    sounds = [(np.random.default_rng(i).normal(0, 0.1, n), 22050) for i, n in enumerate((4000, 9000, 5000))]
    featurizer = AudioStatisticsFeaturizer(standardize=False)
    expected, describe = featurizer.fit_transform(sounds), _source.describe_clip

    def short_of_memory(waveform, sample_rate):
        if len(waveform) == 9000:
            raise MemoryError
        return describe(waveform, sample_rate)

    monkeypatch.setattr(_source, "describe_clip", short_of_memory)
    with pytest.warns(AudioDecodeWarning, match="out of memory"), collect_problems() as reports:
        made = featurizer.transform(sounds)
    np.testing.assert_array_equal(made[[0, 2]], expected[[0, 2]])
    assert reports[0][["position", "reason"]].to_numpy().tolist() == [[1, "out of memory"]]


def test_hours_are_too_long_to_be_described_whole(tmp_path):
    with soundfile.SoundFile(tmp_path / "day.flac", "w", 8000, 1) as file:
        for _ in range(30):
            file.write(np.zeros(1 << 20, dtype=np.float32))
    featurizer = AudioStatisticsFeaturizer(standardize=False, duration=None)
    with pytest.warns(AudioDecodeWarning, match="too long"):
        featurizer.fit_transform([tmp_path / "day.flac", (np.ones(4000) / 9, 8000)])
