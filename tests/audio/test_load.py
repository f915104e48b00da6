import os
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile

from skbst.audio import DecodeProblem, announce_problems, load_clip, load_clips, problem_report, start_positions
from skbst.exceptions import AudioDecodeError, AudioDecodeWarning


def write_wav(path, waveform, rate=44100, subtype="FLOAT"):
    soundfile.write(path, waveform, rate, subtype=subtype)
    return path


def hostile(folder, kind):
    """Make one hostile file; returns its path."""
    path = folder / f"{kind}.wav"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 2 * 44100).astype(np.float32)
    if kind == "zero_byte":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("this is not a sound\n" * 20)
    elif kind == "zero_frames":
        write_wav(path, np.zeros(0))
    elif kind == "all_nan":
        write_wav(path, np.full(1000, np.nan, dtype=np.float32))
    elif kind == "some_nan":
        noise[100:110], noise[500] = np.nan, np.inf
        write_wav(path, noise)
    elif kind == "huge":
        noise[7] = 1e30
        write_wav(path, noise)
    elif kind == "truncated_wav":
        write_wav(path, noise, subtype="PCM_16")
        path.write_bytes(path.read_bytes()[:58815])
    elif kind == "truncated_flac":
        path = folder / "truncated.flac"
        soundfile.write(path, noise, 44100)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif kind == "garbage_flac":
        path = folder / "garbage.flac"
        soundfile.write(path, noise, 44100)
        head = path.read_bytes()[:100]
        path.write_bytes(head + np.random.default_rng(1).bytes(4000))
    elif kind == "raw":
        path = folder / "headerless.raw"
        path.write_bytes(bytes(1000))
    elif kind == "wild_rate":
        write_wav(path, noise, 2**31 - 1)
    elif kind == "folder":
        path.mkdir()
    elif kind == "missing":
        return folder / "nowhere" / "missing.wav"
    return path


SILENT = {
    "zero_byte": "zero bytes",
    "text": "not decodable",
    "zero_frames": "no samples",
    "all_nan": "no finite sample",
    "garbage_flac": "not decodable",
    "raw": "not decodable",
    "wild_rate": "not decodable",
    "folder": "not found",
    "missing": "not found",
}
KEPT = {
    "some_nan": "non-finite samples",
    "huge": "non-finite samples",
    "truncated_wav": "truncated",
    "truncated_flac": "truncated",
}


@pytest.mark.parametrize(("kind", "reason"), SILENT.items())
def test_what_cannot_be_decoded_becomes_silence(tmp_path, kind, reason):
    path = hostile(tmp_path, kind)
    with pytest.warns(AudioDecodeWarning, match=reason):
        waveforms, n_valid, report = load_clips([path])
    assert waveforms.shape == (1, 80000)
    assert not waveforms.any()
    assert n_valid[0] == 0
    assert report.iloc[0].to_dict().items() >= {"audio": str(path), "reason": reason, "silent": True}.items()
    with pytest.raises(AudioDecodeError, match=reason):
        load_clip(path, on_error="raise")


@pytest.mark.parametrize(("kind", "reason"), KEPT.items())
def test_what_is_sound_is_kept(tmp_path, kind, reason):
    path = hostile(tmp_path, kind)
    with pytest.warns(AudioDecodeWarning, match="what is sound was kept"):
        waveforms, n_valid, report = load_clips([path], on_error="raise")
    assert report["reason"].tolist() == [reason]
    assert not report["silent"].any()
    assert np.isfinite(waveforms).all()
    assert 0.1 < np.abs(waveforms).max() < 1
    assert n_valid[0] == 32000 if reason != "truncated" else 3000 < n_valid[0] < 31000


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA, ""])
def test_no_path(nothing):
    with pytest.warns(AudioDecodeWarning, match="no path"):
        waveform, n_valid = load_clip(nothing)
    assert n_valid == 0
    assert not waveform.any()


def test_a_truncated_file_keeps_the_sound_of_its_head(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 10 * 16000).astype(np.float32)
    path = tmp_path / "noise.flac"
    soundfile.write(path, noise, 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.warns(AudioDecodeWarning, match="truncated"):
        waveform, n_valid = load_clip(path, duration=None)
    assert 4.5 * 16000 < n_valid <= 5 * 16000
    np.testing.assert_allclose(waveform, noise[:n_valid], atol=1e-4)
    # the middle is that of what is there, not of what the header promises
    with pytest.warns(AudioDecodeWarning, match="truncated"):
        middle, n_middle = load_clip(path, duration=1.0, offset="center")
    assert n_middle == 16000
    np.testing.assert_allclose(middle, waveform[(n_valid - 15999) // 2 :][:16000], atol=1e-6)


def test_nan_samples_are_zero_and_the_rest_is_untouched(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 16000).astype(np.float32)
    noise[[5, 9]] = np.nan, -np.inf
    with pytest.warns(AudioDecodeWarning, match="2 samples set to 0"):
        waveform, _ = load_clip(write_wav(tmp_path / "nan.wav", noise, 16000), duration=1.0)
    np.testing.assert_array_equal(waveform, np.nan_to_num(noise, posinf=0, neginf=0))


def test_a_bad_channel_does_not_silence_the_good_one(tmp_path):
    frames = np.stack([np.full(1000, 0.5), np.full(1000, np.nan)], axis=1).astype(np.float32)
    with pytest.warns(AudioDecodeWarning, match="1000 samples set to 0"):
        waveform, n_valid = load_clip(write_wav(tmp_path / "half.wav", frames, 16000))
    assert n_valid == 1000
    np.testing.assert_array_equal(waveform[:1000], 0.25)


@pytest.mark.parametrize("n_samples", [1, 2, 3, 5])
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 192000])
def test_a_few_samples_are_a_sound(tmp_path, n_samples, rate):
    waveform, n_valid = load_clip(write_wav(tmp_path / "short.wav", np.full(n_samples, 0.5), rate))
    assert n_valid == max(1, round(n_samples * 16000 / rate))
    assert waveform[0] != 0


def test_one_warning_for_a_call(tmp_path):
    paths = [hostile(tmp_path, kind) for kind in (*SILENT, *KEPT)] + [write_wav(tmp_path / "good.wav", np.ones(9))]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, _, report = load_clips(paths, n_jobs=2)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert f"{len(SILENT)} of 14 sounds could not be decoded" in str(caught[0].message)
    assert f"{len(KEPT)} of 14 sounds are damaged" in str(caught[0].message)
    assert "and 6 more" in str(caught[0].message)
    assert report["silent"].sum() == len(SILENT)


def test_ids_of_the_report_are_those_of_the_series(tmp_path):
    sources = pd.Series({"17": str(write_wav(tmp_path / "a.wav", np.ones(9))), "23": str(hostile(tmp_path, "text"))})
    with pytest.warns(AudioDecodeWarning, match="1 of 2"):
        _, _, report = load_clips(sources)
    assert report.index.tolist() == ["23"]
    assert report.index.name == "sound_id"


def test_threads_change_nothing(tmp_path):
    rng = np.random.default_rng(0)
    paths = [write_wav(tmp_path / f"{i}.wav", rng.uniform(-1, 1, 20000 + 1000 * i)) for i in range(40)]
    for offset in ("start", "random"):
        options = {"offset": offset, "duration": 0.2, "random_state": 3}
        one, many = (load_clips(paths, n_jobs=n_jobs, **options) for n_jobs in (1, 3))
        np.testing.assert_array_equal(one[0], many[0])
        np.testing.assert_array_equal(one[1], many[1])


def test_sounds_of_their_own_length():
    waveforms, n_valid, _ = load_clips([np.ones(5), (np.ones((8, 2)), 8000)], duration=None)
    assert [len(waveform) for waveform in waveforms] == n_valid.tolist() == [5, 16]


def test_no_sound_at_all():
    waveforms, n_valid, report = load_clips([], duration=1.0)
    assert waveforms.shape == (0, 16000)
    assert len(n_valid) == len(report) == 0


@pytest.mark.parametrize("seed", [7, np.random.SeedSequence(7)])
def test_random_places_repeat_and_leave_the_global_generator(seed):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (start_positions("random", 5, seed) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert len(set(first)) == 5
    start_positions("random", 5, None)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_a_generator_moves_on():
    generator = np.random.default_rng(0)
    assert not np.array_equal(start_positions("random", 3, generator), start_positions("random", 3, generator))
    state = np.random.RandomState(0)
    assert len(start_positions("random", 3, state)) == 3


def test_random_crops_reach_both_ends():
    ramp = np.arange(8.0)
    starts = {
        int(load_clip(ramp / 8, duration=5 / 16000, offset="random", random_state=i)[0][0] * 8) for i in range(60)
    }
    assert starts == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_rate": 0}, "sample_rate"),
        ({"duration": -1}, "duration"),
        ({"offset": "end"}, "offset"),
        ({"pad": "edge"}, "pad"),
        ({"on_error": "ignore"}, "on_error"),
    ],
)
def test_parameters_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        load_clip(np.ones(3), **options)


def test_one_path_and_a_table_are_refused():
    with pytest.raises(TypeError, match="must be an array-like"):
        load_clips("clip.wav")
    with pytest.raises(TypeError, match=r"such as data\['audio'\]"):
        load_clips(pd.DataFrame({"audio": ["clip.wav"]}))
    for unordered in ({"a.wav", "b.wav"}, {"17": "a.wav"}):
        with pytest.raises(TypeError, match="no rows in an order"):
            load_clips(unordered)


def test_report_and_announcement():
    problems = {2: DecodeProblem("zero bytes", True), 0: DecodeProblem("truncated", False, "3 of 9 bytes")}
    report = problem_report(problems, ids=list("abc"), sources=["a.wav", "b.wav", np.ones(3)])
    assert report.index.tolist() == ["a", "c"]
    assert report["audio"].tolist() == ["a.wav", "<array>"]
    with pytest.raises(AudioDecodeError, match=r"1 of 3 sounds could not be decoded \(<array>: zero bytes\)"):
        announce_problems(report, 3, on_error="raise")


# file -> what is wrong (None: nothing), whether it is silent, samples of sound at 16 kHz
HOSTILE_FILES = {
    "zero_byte.wav": ("zero bytes", True, 0),
    "text_file.wav": ("not decodable", True, 0),
    "garbage.mp3": ("not decodable", True, 0),
    "nan_float.wav": ("no finite sample", True, 0),
    "zero_frames.wav": ("no samples", True, 0),
    "truncated.wav": ("truncated", False, 10661),
    "some_nan_inf.wav": ("non-finite samples", False, 32000),
    "one_sample.wav": (None, False, 1),
    "silence.wav": (None, False, 32000),
    "eight_channels.wav": (None, False, 16000),
    "rate_192k.wav": (None, False, 16000),
    "clipped_dc.wav": (None, False, 32000),
    "ten_minutes_8k.flac": (None, False, 80000),
}


@pytest.mark.data
@pytest.mark.parametrize("name", HOSTILE_FILES)
@pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning")
def test_the_hostile_files(data_root, name):
    reason, silent, n_expected = HOSTILE_FILES[name]
    waveforms, n_valid, report = load_clips([data_root / "bst-real" / "broken" / name])
    assert n_valid[0] == n_expected
    assert report["reason"].tolist() == ([reason] if reason else [])
    assert report["silent"].tolist() == ([silent] if reason else [])
    assert np.isfinite(waveforms).all()
    assert waveforms.any() == (not silent and name != "silence.wav")


@pytest.mark.data
def test_every_real_recording_is_read_without_a_warning(data_root):
    paths = sorted((data_root / "bst-real" / "audio").iterdir())
    waveforms, n_valid, report = load_clips(paths, n_jobs=os.cpu_count(), duration=1.0)
    assert len(report) == 0
    assert n_valid.min() >= 1
    assert np.isfinite(waveforms).all()


@pytest.mark.parametrize("cell", [0, 3, True, 1.5, {}, [1, 2], {1}, bytearray(b"a.wav"), "caf\udce9.wav", b"\xff.wav"])
def test_a_cell_that_is_no_path_is_a_record(cell):
    with pytest.warns(AudioDecodeWarning):
        _, n_valid, report = load_clips([cell, (np.ones(800), 16000)], duration=0.05)
    assert n_valid.tolist() == [0, 800]
    assert report["position"].tolist() == [0]
    assert report["reason"].isin(["no path", "not found"]).all()
