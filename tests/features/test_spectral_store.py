"""Frames that are kept on disk."""

import json
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
import soundfile

from skbst.audio import ClipLoader
from skbst.exceptions import AudioDecodeWarning
from skbst.features import ClipFeaturizer, LogMelFeaturizer, LogSTFTFeaturizer, MFCCFeaturizer
from skbst.features._spectra import _stream as _spectral_stream
from skbst.features._store._frame_output import sound_keys
from skbst.features._store._frames import FrameStore


def write_noise(path, seed, n_samples=8000):
    soundfile.write(path, np.random.default_rng(seed).uniform(-0.5, 0.5, n_samples), 16000)


@pytest.fixture
def data(tmp_path):
    for i in range(6):
        write_noise(tmp_path / f"{i}.wav", i, 2000 * (i + 1))
    return pd.DataFrame({"audio": [str(tmp_path / f"{i}.wav") for i in range(6)]}, index=list("abcdef"))


@pytest.fixture
def loads(monkeypatch):
    """The sounds that were decoded."""
    loaded, load = [], ClipLoader.load

    def recording(self, source, *args, **kwargs):
        loaded.append(source)
        return load(self, source, *args, **kwargs)

    monkeypatch.setattr(ClipLoader, "load", recording)
    return loaded


def mapped(tmp_path, featurizer=LogMelFeaturizer, **options):
    return featurizer(duration=0.5, store=tmp_path / "store", **options)


@pytest.mark.parametrize("featurizer", [LogSTFTFeaturizer, LogMelFeaturizer, MFCCFeaturizer])
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_the_map_holds_what_memory_would(tmp_path, data, featurizer, n_jobs):
    expected, expected_lengths = featurizer(duration=0.5).fit(data).transform_frames(data)
    frames, lengths = mapped(tmp_path, featurizer, n_jobs=n_jobs).fit(data).transform_frames(data)
    assert isinstance(frames, np.memmap)
    assert not frames.flags.writeable
    np.testing.assert_array_equal(frames, expected)
    np.testing.assert_array_equal(lengths, expected_lengths)
    np.testing.assert_array_equal(mapped(tmp_path, featurizer).fit_transform(data), expected.reshape(6, -1))


def test_nothing_is_decoded_twice(tmp_path, data, loads):
    featurizer = mapped(tmp_path).fit(data)
    featurizer.transform_frames(data[:4])
    assert loads == data["audio"][:4].tolist()
    frames, lengths = featurizer.transform_frames(data.iloc[[5, 1, 1, 4]])
    assert loads == data["audio"].iloc[[0, 1, 2, 3, 5, 4]].tolist()
    expected, expected_lengths = LogMelFeaturizer(duration=0.5).fit(data).transform_frames(data)
    np.testing.assert_array_equal(frames, expected[[5, 1, 1, 4]])
    np.testing.assert_array_equal(lengths, expected_lengths[[5, 1, 1, 4]])


def test_nothing_stale_is_served(tmp_path, data):
    featurizer = mapped(tmp_path).fit(data)
    before = np.array(featurizer.transform_frames(data)[0])
    status = os.stat(data["audio"].iloc[2])
    write_noise(data["audio"].iloc[2], 99, 6000)
    # as tools do that copy with times
    os.utime(data["audio"].iloc[2], ns=(status.st_atime_ns, status.st_mtime_ns))
    after = featurizer.transform_frames(data)[0]
    assert not np.array_equal(after[2], before[2])
    np.testing.assert_array_equal(after, LogMelFeaturizer(duration=0.5).fit(data).transform_frames(data)[0])
    np.testing.assert_array_equal(after[[0, 1, 3, 4, 5]], before[[0, 1, 3, 4, 5]])


@pytest.mark.parametrize(
    "change",
    [
        {"n_mels": 64},
        {"duration": 0.4},
        {"pad": "repeat"},
        {"floor": 1e-5},
        {"sample_rate": 8000},
        {"offset": "center"},
    ],
)
def test_other_settings_are_other_frames(tmp_path, data, change):
    mapped(tmp_path).fit_transform(data)
    ours = mapped(tmp_path).set_params(**change).fit(data).transform_frames(data)[0]
    theirs = LogMelFeaturizer(duration=0.5).set_params(**change).fit(data).transform_frames(data)[0]
    np.testing.assert_array_equal(ours, theirs)


def test_settings_that_change_no_value_share_a_store(tmp_path, data, loads):
    mapped(tmp_path).fit_transform(data)
    mapped(tmp_path, n_jobs=2, on_error="raise", n_mels=np.int64(128)).fit_transform(data)
    assert len(loads) == len(data)
    assert len([path for path in (tmp_path / "store").iterdir() if path.is_dir()]) == 1


def test_a_stopped_run_goes_on(tmp_path, data, loads, monkeypatch):
    expected = LogMelFeaturizer(duration=0.5).fit(data).transform_frames(data)[0]
    loads.clear()
    monkeypatch.setattr(_spectral_stream, "_BATCH_SIZE", 2)
    write = FrameStore.write

    def stopping(self, rows, values, lines):
        if rows[0] >= 2:
            # the rows have come, half of the line of the index as well
            write(self, rows, values, [])
            with open(self.path / "index.jsonl", "a") as file:
                file.write(json.dumps(lines[0])[:20])
            raise KeyboardInterrupt
        write(self, rows, values, lines)

    with monkeypatch.context() as patch:
        patch.setattr(FrameStore, "write", stopping)
        with pytest.raises(KeyboardInterrupt):
            mapped(tmp_path).fit(data).transform_frames(data)
    loads.clear()
    frames, _ = mapped(tmp_path).fit(data).transform_frames(data)
    assert loads == data["audio"][2:].tolist()
    assert isinstance(frames, np.memmap)
    np.testing.assert_array_equal(frames, expected)


def test_rows_that_were_cut_off_are_made_again(tmp_path, data):
    expected = np.array(mapped(tmp_path).fit(data).transform_frames(data)[0])
    (store,) = (tmp_path / "store").iterdir()
    os.truncate(store / "rows.f32", (store / "rows.f32").stat().st_size - 5)
    np.testing.assert_array_equal(mapped(tmp_path).fit(data).transform_frames(data)[0], expected)


def test_a_broken_sound_is_reported_each_time(tmp_path, data):
    data.loc["g", "audio"] = str(tmp_path / "late.wav")
    featurizer = mapped(tmp_path).fit(data)
    for _ in range(2):
        with pytest.warns(AudioDecodeWarning, match=r"1 of 7 .*late.wav: not found"):
            _, lengths = featurizer.transform_frames(data)
        assert lengths[-1] == 1
        assert featurizer.transform_with_problems(data)[1].index.tolist() == ["g"]
    write_noise(tmp_path / "late.wav", 7)
    _, lengths = featurizer.transform_frames(data)
    assert lengths[-1] == 51
    assert len(featurizer.transform_with_problems(data)[1]) == 0


def test_arrays_are_known_by_their_content(tmp_path, loads):
    rows = np.random.default_rng(0).uniform(-1, 1, (3, 8000))
    mapped(tmp_path).fit_transform(rows)
    changed = rows.copy()
    changed[1, 0] += 0.5
    frames = mapped(tmp_path).fit_transform(changed)
    assert len(loads) == 4
    np.testing.assert_array_equal(frames, LogMelFeaturizer(duration=0.5).fit_transform(changed))


def test_keys_tell_sounds_apart(tmp_path):
    path = tmp_path / "a.wav"
    write_noise(path, 0)
    sound = np.ones(5, dtype=np.float32)
    sources = [str(path), None, "nowhere.wav", sound, (sound, 8000), (sound.reshape(5, 1), 16000), sound.astype(float)]
    keys = [key for key, _ in sound_keys(sources, np.zeros(len(sources)), 16000)]
    assert keys[1:3] == [None, None]
    assert len(set(keys)) == len(sources) - 1
    same = sound_keys([path, (sound, 16000)], np.zeros(2), 16000)
    assert [key for key, _ in same] == [keys[0], keys[3]]
    assert sound_keys([path], [0.5], 16000)[0][0] != keys[0]


def test_fresh_processes_load_a_pickle_and_share_a_store(tmp_path, data):
    (tmp_path / "both.pkl").write_bytes(pickle.dumps((mapped(tmp_path).fit(data), data)))
    code = (
        "import pickle, pathlib, sys; featurizer, data = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes());"
        "print(featurizer.transform(data).astype(float).sum())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "both.pkl")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    sums = [process.communicate(timeout=240)[0] for process in processes]
    expected = LogMelFeaturizer(duration=0.5).fit_transform(data).astype(float).sum()
    assert [float(text) for text in sums] == [expected] * 2
    (store,) = (tmp_path / "store").iterdir()
    assert len((store / "index.jsonl").read_text().splitlines()) == len(data)


def test_threads_wait_for_each_other(tmp_path, data, loads):
    results = []

    def run():
        results.append(np.array(mapped(tmp_path).fit(data).transform_frames(data)[0]))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == len(data)
    np.testing.assert_array_equal(results[0], results[1])


def test_a_bundle_of_some_rows_is_lazy(tmp_path, data):
    clips = ClipFeaturizer([("log_mel", LogMelFeaturizer(duration=0.5))], store=tmp_path / "store").fit(data)
    whole = clips.transform(data)
    assert isinstance(whole["log_mel"], np.memmap)
    some = clips.transform(data.iloc[[4, 0, 5]])
    assert isinstance(some._blocks["log_mel"], np.memmap)
    np.testing.assert_array_equal(some["log_mel"], whole["log_mel"][[4, 0, 5]])
    np.testing.assert_array_equal(some[[2, 1]].take("log_mel"), whole["log_mel"][[5, 0]])
    assert some.lengths("log_mel").tolist() == whole.lengths("log_mel")[[4, 0, 5]].tolist()
