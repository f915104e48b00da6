"""LogSTFTFeaturizer, LogMelFeaturizer and MFCCFeaturizer."""

import pickle
import warnings
from collections import deque

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from sklearn.base import clone

from skbst.exceptions import AudioDecodeError, AudioDecodeWarning, DataFormatError
from skbst.features import LogMelFeaturizer, LogSTFTFeaturizer, MFCCFeaturizer
from skbst.features._spectra._kernels import mel_filters

FEATURIZERS = {"log_stft": LogSTFTFeaturizer, "log_mel": LogMelFeaturizer, "mfcc": MFCCFeaturizer}


@pytest.fixture(scope="module")
def waveforms():
    rng = np.random.default_rng(0)
    time = np.arange(16000) / 16000
    tones = [0.3 * np.sin(2 * np.pi * f * time) for f in (100, 440, 3000)]
    noise = [rng.normal(0, level, 16000) for level in (1e-4, 0.1)]
    return np.array([*tones, *noise, np.zeros(16000)], dtype=np.float32)


@pytest.fixture
def folder(tmp_path):
    """Five sounds of different rates and lengths, the last one broken; returns the table of them."""
    rng = np.random.default_rng(1)
    paths = []
    for i, (rate, seconds) in enumerate([(44100, 0.3), (16000, 1.5), (8000, 1.0), (48000, 0.05)]):
        paths.append(str(tmp_path / f"{i}.wav"))
        soundfile.write(paths[-1], rng.uniform(-0.5, 0.5, (int(rate * seconds), 1 + i % 2)), rate)
    paths.append(str(tmp_path / "broken.wav"))
    (tmp_path / "broken.wav").write_bytes(b"")
    return pd.DataFrame({"audio": paths, "title": "x"}, index=[f"id{i}" for i in range(5)])


def hertz_to_mel(hertz, scale):
    if scale == "htk":
        return 2595 * np.log10(1 + hertz / 700)
    return hertz / (200 / 3) if hertz < 1000 else 15 + np.log(hertz / 1000) / (np.log(6.4) / 27)


def reference_filters(n_fft, rate, n_mels, f_min, f_max, scale, norm):
    """Triangles, one number at a time; the inverse of the scale by bisection."""

    def mel_to_hertz(mel):
        low, high = 0.0, rate
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if hertz_to_mel(middle, scale) < mel else (low, middle)
        return low

    mels = np.linspace(hertz_to_mel(f_min, scale), hertz_to_mel(f_max, scale), n_mels + 2)
    edges = [mel_to_hertz(mel) for mel in mels]
    bank = np.zeros((n_fft // 2 + 1, n_mels))
    for k in range(n_fft // 2 + 1):
        f = k * rate / n_fft
        for m in range(n_mels):
            left, centre, right = edges[m : m + 3]
            height = 2 / (right - left) if norm == "slaney" else 1
            bank[k, m] = height * max(0, min((f - left) / (centre - left), (right - f) / (right - centre)))
    return bank


def reference_power(waveform, n_fft=512, win_length=400, hop_length=160):
    """Frame by frame in float64."""
    padded = np.pad(waveform.astype(np.float64), n_fft // 2, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(win_length) / win_length)
    left = (n_fft - win_length) // 2
    frames = []
    for start in range(0, len(padded) - n_fft + 1, hop_length):
        frame = np.zeros(n_fft)
        frame[left : left + win_length] = padded[start + left : start + left + win_length] * window
        frames.append(np.abs(np.fft.rfft(frame)) ** 2)
    return np.array(frames)


def reference_dct(rows, n_out):
    n = rows.shape[1]
    basis = np.array([[np.cos(np.pi * k * (2 * i + 1) / (2 * n)) for k in range(n_out)] for i in range(n)])
    scale = np.full(n_out, np.sqrt(2 / n))
    scale[0] = np.sqrt(1 / n)
    return rows @ basis * scale


def frames_of(featurizer, waveforms):
    return featurizer.fit(waveforms).transform_frames(waveforms)[0]


@pytest.mark.parametrize("options", [{}, {"n_fft": 400}, {"n_fft": 300, "win_length": 251, "hop_length": 77}])
def test_log_stft_against_a_slow_reference(waveforms, options):
    frames = frames_of(LogSTFTFeaturizer(duration=1.0, **options), waveforms)
    for row, waveform in zip(frames, waveforms):
        expected = reference_power(waveform, **{"n_fft": 512, **options})
        # float32 leaves an error of 1e-7 of the loudest bin
        tolerance = 1e-6 * expected.max() + 1e-9
        np.testing.assert_allclose(np.exp(row.astype(float)) - 1e-6, expected, rtol=1e-4, atol=tolerance)


def test_log_stft_of_silence_is_the_floor():
    frames = frames_of(LogSTFTFeaturizer(duration=0.1), np.zeros((1, 1600)))
    np.testing.assert_allclose(frames, np.log(1e-6), rtol=1e-6)
    frames = frames_of(LogSTFTFeaturizer(duration=0.1, scale="db", floor=1e-10), np.zeros((1, 1600)))
    np.testing.assert_allclose(frames, -100, rtol=1e-6)


@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize("norm", [None, "slaney"])
@pytest.mark.parametrize(("n_mels", "f_min", "f_max"), [(128, 0.0, None), (40, 50.0, 7000.0), (7, 0.0, None)])
def test_log_mel_against_a_slow_reference(waveforms, scale, norm, n_mels, f_min, f_max):
    options = {"n_mels": n_mels, "f_min": f_min, "f_max": f_max, "mel_scale": scale, "mel_norm": norm}
    frames = frames_of(LogMelFeaturizer(duration=1.0, **options), waveforms)
    bank = reference_filters(512, 16000, n_mels, f_min, f_max or 8000, scale, norm)
    for row, waveform in zip(frames, waveforms):
        expected = np.log(reference_power(waveform) @ bank + 1e-6)
        loud = expected > expected.max() - 12
        np.testing.assert_allclose(row[loud], expected[loud], atol=2e-3)
        np.testing.assert_allclose(row, expected, atol=0.1)


def test_mfcc_against_a_slow_reference(waveforms):
    frames = frames_of(MFCCFeaturizer(duration=1.0), waveforms[4:])
    bank = reference_filters(512, 16000, 40, 0, 8000, "htk", None)
    for row, waveform in zip(frames, waveforms[4:]):
        expected = reference_dct(np.log(reference_power(waveform) @ bank + 1e-6), 13)
        np.testing.assert_allclose(row, expected, atol=1e-3)


def test_torchaudio_gives_the_same(waveforms):
    from torchaudio import transforms

    tensor, frame = torch.from_numpy(waveforms), {"n_fft": 512, "win_length": 400, "hop_length": 160}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = {
            "log_stft": torch.log(transforms.Spectrogram(**frame)(tensor) + 1e-6),
            "log_mel": torch.log(transforms.MelSpectrogram(16000, n_mels=128, **frame)(tensor) + 1e-6),
            "mfcc": transforms.MFCC(16000, 13, log_mels=True, melkwargs={**frame, "n_mels": 40})(tensor),
        }
    for name, featurizer in FEATURIZERS.items():
        ours = frames_of(featurizer(duration=1.0), waveforms)
        np.testing.assert_allclose(ours, theirs[name].mT.numpy(), atol=1e-4, err_msg=name)


@pytest.mark.parametrize("mel_scale", ["htk", "slaney"])
@pytest.mark.parametrize("mel_norm", [None, "slaney"])
@pytest.mark.parametrize("n_mels", [40, 128])
def test_torchaudio_makes_the_same_filters(mel_scale, mel_norm, n_mels):
    from torchaudio.functional import melscale_fbanks

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = melscale_fbanks(257, 20.0, 7600.0, n_mels, 16000, mel_norm, mel_scale)
    options = {"f_min": 20, "f_max": 7600.0, "mel_scale": mel_scale, "mel_norm": mel_norm}
    ours = mel_filters(n_fft=512, sample_rate=16000, n_mels=n_mels, **options)
    np.testing.assert_allclose(ours, theirs.numpy(), atol=2e-5)


def test_torchaudio_gives_the_same_decibels(waveforms):
    from torchaudio import transforms

    spectrogram = transforms.Spectrogram(n_fft=512, win_length=400, hop_length=160)(torch.from_numpy(waveforms))
    theirs = transforms.AmplitudeToDB("power")(spectrogram).mT.numpy()
    ours = frames_of(LogSTFTFeaturizer(duration=1.0, scale="db", floor=1e-10), waveforms)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_librosa_gives_the_same(waveforms):
    librosa = pytest.importorskip("librosa")
    frame = {"n_fft": 512, "win_length": 400, "hop_length": 160, "pad_mode": "reflect"}
    noise = waveforms[3:5]
    for i, waveform in enumerate(noise):
        stft = np.abs(librosa.stft(waveform, **frame)) ** 2
        ours = frames_of(LogSTFTFeaturizer(duration=1.0), noise)[i]
        np.testing.assert_allclose(ours, np.log(stft.T + 1e-6), atol=1e-3)
        mel = librosa.feature.melspectrogram(y=waveform, sr=16000, n_mels=128, **frame)
        ours = frames_of(LogMelFeaturizer(duration=1.0, mel_scale="slaney", mel_norm="slaney"), noise)[i]
        np.testing.assert_allclose(ours, np.log(mel.T + 1e-6), atol=1e-4)
        mel = librosa.feature.melspectrogram(y=waveform, sr=16000, n_mels=40, htk=True, norm=None, **frame)
        mfcc = librosa.feature.mfcc(S=np.log(mel + 1e-6), n_mfcc=13)
        ours = frames_of(MFCCFeaturizer(duration=1.0), noise)[i]
        np.testing.assert_allclose(ours, mfcc.T, atol=1e-4)


@pytest.mark.parametrize(("name", "n_bins"), [("log_stft", 257), ("log_mel", 128), ("mfcc", 13)])
def test_default_shapes(name, n_bins):
    featurizer = FEATURIZERS[name]().fit(np.zeros((2, 9)))
    assert (featurizer.n_frames_, featurizer.n_bins_) == (501, n_bins)
    frames, lengths = featurizer.transform_frames(np.ones((2, 9)))
    assert frames.shape == (2, 501, n_bins)
    assert (frames.dtype, lengths.dtype) == (np.float32, np.int64)
    assert featurizer.transform(np.ones((2, 9))).shape == (2, 501 * n_bins)


@pytest.mark.parametrize(("n_valid", "n_frames"), [(1, 1), (159, 1), (160, 2), (8000, 51), (16000, 101), (20000, 101)])
def test_lengths_are_the_frames_of_the_sound_alone(n_valid, n_frames):
    featurizer = LogSTFTFeaturizer(duration=1.0)
    noise = np.random.default_rng(0).uniform(-1, 1, n_valid)
    frames, lengths = featurizer.fit([(noise, 16000)]).transform_frames([(noise, 16000)])
    assert lengths.tolist() == [n_frames]
    # what follows the last window that reaches sound is the floor
    np.testing.assert_allclose(frames[0, n_frames + 2 :], np.log(1e-6), rtol=1e-6)


def test_repeated_sound_counts_as_sound():
    for pad, expected in (("constant", 11), ("repeat", 101), ("reflect", 101)):
        sounds = [(np.ones(1600), 16000)]
        _, lengths = LogSTFTFeaturizer(duration=1.0, pad=pad).fit(sounds).transform_frames(sounds)
        assert lengths.tolist() == [expected], pad


def test_empty_filters_are_named_and_no_warning_is_heard():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        featurizer = LogMelFeaturizer(duration=0.1).fit(np.zeros((1, 1600)))
        frames, _ = featurizer.transform_frames(np.random.default_rng(0).uniform(-1, 1, (1, 1600)))
    assert featurizer.empty_filters_.tolist() == [0]
    np.testing.assert_allclose(frames[..., 0], np.log(1e-6), rtol=1e-6)
    assert frames[..., 1:].min() > np.log(1e-6) + 1
    assert MFCCFeaturizer().fit(np.zeros((1, 2))).empty_filters_.tolist() == []
    assert LogMelFeaturizer(n_fft=1024).fit(np.zeros((1, 2))).empty_filters_.tolist() == []


@pytest.mark.parametrize("n_values", [1, 2, 5, 20, 300])
@pytest.mark.parametrize("featurizer", FEATURIZERS.values())
def test_very_short_rows(featurizer, n_values):
    rows = np.random.default_rng(0).uniform(-1, 1, (3, n_values))
    frames, lengths = featurizer(duration=0.05).fit(rows).transform_frames(rows)
    assert np.isfinite(frames).all()
    assert lengths.tolist() == [1 + n_values // 160] * 3


@pytest.mark.parametrize("name", FEATURIZERS)
def test_paths_tables_and_arrays_agree(folder, name):
    featurizer = FEATURIZERS[name](duration=0.5)
    with pytest.warns(AudioDecodeWarning, match=r"1 of 5 sounds could not be decoded .*broken.wav: zero bytes"):
        expected = featurizer.fit_transform(folder)
    problems = featurizer.transform_with_problems(folder)[1]
    assert problems.index.tolist() == ["id4"]
    assert problems["position"].tolist() == [4]
    assert problems["reason"].tolist() == ["zero bytes"]
    inputs = [
        folder["audio"],
        folder["audio"].tolist(),
        folder["audio"].to_numpy(),
        folder[["audio"]].to_numpy(),
        folder[["audio"]].to_numpy().tolist(),
        pd.Index(folder["audio"]),
        pd.array(folder["audio"].tolist(), dtype="string"),
        dict(enumerate(folder["audio"])).values(),
        dict.fromkeys(folder["audio"]).keys(),
        deque(folder["audio"]),
        folder.rename(columns={"audio": "f"}),
    ]
    for X in inputs:
        column = "f" if isinstance(X, pd.DataFrame) else "audio"
        with pytest.warns(AudioDecodeWarning):
            np.testing.assert_array_equal(FEATURIZERS[name](duration=0.5, column=column).fit_transform(X), expected)
    sounds = [soundfile.read(path) for path in folder["audio"][:4]]
    np.testing.assert_allclose(featurizer.transform(sounds), expected[:4], atol=1e-2)
    assert len(featurizer.transform_with_problems(sounds)[1]) == 0


@pytest.mark.parametrize("name", FEATURIZERS)
@pytest.mark.parametrize("integer", [np.int16, np.int32, np.uint8])
def test_integers_have_one_scale(name, integer, waveforms):
    info = np.iinfo(integer)
    middle = (info.max + info.min + 1) // 2
    integers = (np.round(waveforms[:4] * 0.9 * (info.max - middle)) + middle).astype(integer)
    featurizer = FEATURIZERS[name](duration=0.2)
    of_tuples = featurizer.fit_transform([(row, 16000) for row in integers])
    nullable = pd.DataFrame(integers).astype({np.int16: "Int16", np.int32: "Int32", np.uint8: "UInt8"}[integer])
    for table in (integers, pd.DataFrame(integers), nullable):
        np.testing.assert_array_equal(clone(featurizer).fit_transform(table), of_tuples)
    floats = ((integers.astype(float) - middle) / (info.max - middle + 1)).astype(np.float32)
    np.testing.assert_allclose(featurizer.fit_transform(floats), of_tuples, rtol=1e-4, atol=1e-4)
    with pytest.warns(UserWarning, match="of int64 are taken for full scale at 2"):
        featurizer.fit_transform(integers.astype(np.int64))


@pytest.mark.parametrize("name", FEATURIZERS)
def test_threads_and_company_change_no_byte(name, waveforms):
    rows = np.tile(waveforms, (7, 1)) * np.linspace(0.1, 1, 42, dtype=np.float32)[:, None]
    one = FEATURIZERS[name](duration=0.3, n_jobs=1).fit_transform(rows)
    np.testing.assert_array_equal(FEATURIZERS[name](duration=0.3, n_jobs=3).fit_transform(rows), one)
    np.testing.assert_array_equal(FEATURIZERS[name](duration=0.3).fit_transform(rows[17:18]), one[17:18])


def test_torch_gets_its_threads_back(waveforms):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        LogMelFeaturizer(duration=0.1, n_jobs=2).fit_transform(waveforms)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_random_crops_follow_the_seed():
    ramp = np.random.default_rng(0).uniform(-1, 1, (3, 16000))
    options = {"duration": 0.1, "offset": "random"}
    first, again = (LogMelFeaturizer(random_state=1, **options).fit_transform(ramp) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, LogMelFeaturizer(random_state=2, **options).fit_transform(ramp))


def test_errors_are_raised_when_asked_for(folder):
    featurizer = LogMelFeaturizer(duration=0.5, on_error="raise").fit(folder)
    with pytest.raises(AudioDecodeError, match=r"1 of 5 sounds could not be decoded .*zero bytes.*on_error"):
        featurizer.transform(folder)
    assert featurizer.transform(folder[:4]).shape[0] == 4


def test_a_missing_path_is_silence(folder):
    data = pd.DataFrame({"audio": [np.nan, None, "", folder["audio"].iloc[0]]})
    with pytest.warns(AudioDecodeWarning, match="3 of 4"):
        frames, lengths = LogSTFTFeaturizer(duration=0.5).fit(data).transform_frames(data)
    np.testing.assert_allclose(frames[:3], np.log(1e-6), rtol=1e-6)
    assert lengths.tolist() == [1, 1, 1, 31]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("clip.wav", "single path"),
        (pd.DataFrame({"sound": ["a.wav"]}), r"no column 'audio'.*\['sound'\]"),
        (pd.DataFrame({"audio": []}), "0 sounds"),
        (pd.DataFrame({"audio": [1, 2]}), "2 of 2 sounds are no paths"),
        (iter(["a.wav"]), r"list_iterator, which can be read only once. Pass list\(X\)"),
        ((path for path in ["a.wav"]), r"generator, which can be read only once. Pass list\(X\)"),
        ({"a.wav", "b.wav"}, r"set, without an order. Pass sorted\(X\)"),
        ({"17": "a.wav"}, r"dict. Pass pandas.Series\(X\)"),
        (np.array("a.wav"), "single path"),
        ((np.zeros(5), 16000), r"single \(waveform, sample_rate\). Pass it in a list"),
        (["a.wav", ("b.wav",)], r"Sound 2 of 2 is a tuple, but not \(waveform, sample_rate\)"),
        (["a.wav", (np.zeros(5), 16000, 1)], "Sound 2 of 2 is a tuple"),
        (["a.wav", np.array(["b.wav"])], "Sound 2 of 2: A waveform must be real numbers"),
        (pd.DataFrame([["a.wav", "b.wav"]], columns=["audio", "audio"]), "2 columns 'audio'. Leave one of them"),
        ([(np.zeros(5), 10**30)], "Sound 1 of 1: The sample rate"),
        (np.array([["a.wav", "dog"], ["b.wav", "cat"]]), r"one path a row; got rows such as \['?.*'a.wav'"),
        ([["a.wav"], ["b.wav", "c.wav"]], "one path a row"),
        ([np.zeros(5), np.zeros(7)], r"one length; these have 5 to 7 values. Pass a list of tuples"),
        ([(np.zeros(5), 16000), (np.zeros(5), 0)], "Sound 2 of 2: The sample rate of a waveform is a whole number"),
        ([(np.zeros(5), "16000")], "Sound 1 of 1: The sample rate"),
        ([(np.zeros(5), 16000.5)], "Sound 1 of 1: The sample rate"),
        ([(np.zeros((2, 16000)), 16000)], r"would be 16000 channels. Pass waveform.T"),
        ([(np.zeros((2, 2, 2)), 16000)], "Sound 1 of 1: A waveform must be real numbers of shape"),
        ([], None),
        (np.zeros(5), "2D array"),
        (np.array([[np.nan, 1.0]]), "NaN"),
    ],
)
def test_bad_input(X, message):
    error = DataFormatError if message and "2D" not in message and "NaN" not in message else ValueError
    with pytest.raises(error, match=message):
        LogMelFeaturizer().fit(X)


@pytest.mark.parametrize(
    ("featurizer", "message"),
    [
        (LogSTFTFeaturizer(win_length=600), "win_length=600 must not exceed n_fft=512"),
        (LogSTFTFeaturizer(duration=0.01), "160 samples at 16000 Hz.*at least 257"),
        (LogSTFTFeaturizer(scale="ln"), "scale"),
        (LogSTFTFeaturizer(floor=0.0), "floor"),
        (LogSTFTFeaturizer(hop_length=0), "hop_length"),
        (LogSTFTFeaturizer(offset="random", store="x"), "A store keeps frames"),
        (LogMelFeaturizer(f_min=9000.0), "between 0 and half the sample rate"),
        (LogMelFeaturizer(f_max=9000.0), "between 0 and half the sample rate"),
        (LogMelFeaturizer(n_mels=0), "n_mels"),
        (MFCCFeaturizer(n_mfcc=41), "n_mfcc=41 must not exceed n_mels=40"),
    ],
)
def test_bad_parameters(featurizer, message):
    with pytest.raises(ValueError, match=message):
        featurizer.fit(np.zeros((2, 3)))


def test_names_and_pandas_output(folder):
    featurizer = MFCCFeaturizer(duration=0.5).set_output(transform="pandas")
    table = featurizer.fit_transform(folder[:4])
    assert table.index.tolist() == folder.index[:4].tolist()
    assert table.shape == (4, 51 * 13)
    assert table.columns[14] == "mfcc_t1_b1"
    assert (table.dtypes == np.float32).all()


@pytest.mark.parametrize("featurizer", FEATURIZERS.values())
def test_clone_and_pickle(folder, featurizer):
    fitted = featurizer(duration=0.2).fit(folder[:4])
    expected = fitted.transform(folder[:4])
    for copy in (clone(fitted).fit(folder[:4]), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(copy.transform(folder[:4]), expected)


@pytest.mark.data
@pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning")
def test_the_hostile_files(data_root):
    paths = sorted(p for p in (data_root / "bst-real" / "broken").iterdir() if p.suffix != ".csv")
    featurizer = LogSTFTFeaturizer().fit(paths)
    frames, lengths = featurizer.transform_frames(paths)
    assert np.isfinite(frames).all()
    assert (lengths >= 1).all()
    assert featurizer.transform_with_problems(paths)[1]["silent"].sum() == 5
    by_name = dict(zip([path.name for path in paths], lengths.tolist()))
    assert by_name["zero_byte.wav"] == 1
    assert by_name["truncated.wav"] == 1 + 10661 // 160
    assert by_name["ten_minutes_8k.flac"] == 501
