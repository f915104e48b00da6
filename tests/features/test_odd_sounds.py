"""Sounds that are no files, and rows of any name: a record for each, from every door."""

import os
import signal
import socket

import numpy as np
import pandas as pd
import pytest
import soundfile

from skbst.audio import LongSound
from skbst.features import AudioStatisticsFeaturizer, ClipFeaturizer, MFCCFeaturizer
from skbst.features._clap._audio_run import load_whole
from skbst.features._store._keys import source_key

pytestmark = [
    pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning"),
    pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here"),
]


@pytest.fixture(autouse=True)
def impatient():
    """A reader that waits is a failure, not a test run that never ends."""

    def give_up(*_):
        raise AssertionError("waits")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def sounds(tmp_path):
    paths = [str(tmp_path / f"{i}.wav") for i in range(4)]
    for i, path in enumerate(paths):
        soundfile.write(path, np.random.default_rng(i).normal(0, 0.1, 4000), 16000)
    return paths


@pytest.fixture
def odd(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    (tmp_path / "dead.wav").symlink_to("nowhere")
    (tmp_path / "empty.wav").touch()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.wav")
        yield [
            *("pipe.wav", "folder.wav", "loop.wav", "dead.wav", "empty.wav", "socket.wav", "/dev/zero", "/dev/null"),
            *("/proc/self/maps", "nul\0.wav", "long" * 2000, "~/nowhere.wav", "", None, np.nan, pd.NA),
            "caf\udce9.wav",
        ]


@pytest.mark.parametrize("kept", [False, True])
def test_what_is_no_file_has_a_record_from_every_featurizer(tmp_path, sounds, odd, kept):
    rows = pd.DataFrame({"audio": pd.Series([*sounds, *odd], dtype=object)})
    store = tmp_path / "store" if kept else None
    alone = AudioStatisticsFeaturizer(standardize=False, store=store).fit(rows)
    assert alone.decode_report_["position"].tolist() == list(range(4, len(rows)))
    both = ClipFeaturizer([("mfcc", MFCCFeaturizer(duration=0.1, store=store)), ("own", alone)]).fit(rows)
    for _ in range(2):
        problems = both.transform(rows).problems
        for _, found in problems.groupby("block"):
            assert found["position"].tolist() == list(range(4, len(rows)))


INDEXES = {
    "two levels": pd.MultiIndex.from_tuples([("a", i) for i in range(5)]),
    "a level without names": pd.MultiIndex.from_tuples([("a", i, np.nan) for i in range(5)]),
    "equal": pd.Index(["x"] * 5),
    "bytes": pd.Index([b"a", b"b", b"c", b"d", b"e"]),
    "times": pd.date_range("2020", periods=5, tz="UTC"),
    "mixed": pd.Index([None, "a", None, 1, 2.5], dtype=object),
    "tuples": pd.Index([(1, 2), (3,), (), (4,), (5,)], tupleize_cols=False),
    "categories": pd.CategoricalIndex(list("abcde")),
    "intervals": pd.interval_range(0, 5),
    "backwards": pd.RangeIndex(10, 0, -2),
    "floats": pd.Index([0.1, 0.2, np.nan, np.inf, 3.0]),
    "no UTF-8": pd.Index(["b", "c", "d", "e", "\udcff"], dtype=object),
    "missing number": pd.Index([1, 2, 3, 4, pd.NA], dtype="Int64"),
}


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("kind", INDEXES)
def test_rows_of_any_name_keep_their_problems(tmp_path, sounds, kind, kept):
    (tmp_path / "bad.wav").write_bytes(b"RIFFxxxx")
    rows = pd.DataFrame({"audio": [*sounds, str(tmp_path / "bad.wav")]}, index=INDEXES[kind])
    featurizer = ClipFeaturizer([("mfcc", MFCCFeaturizer(duration=0.1, store=tmp_path / "s" if kept else None))])
    bundle = featurizer.fit_transform(rows)
    for problems, position in ((bundle.problems, 4), (bundle[3:].problems, 1), (bundle[[4, 0]].problems, 0)):
        assert problems["position"].tolist() == [position]
        assert problems["reason"].tolist() == ["not decodable"]


@pytest.mark.parametrize("kept", [False, True])
def test_a_cell_that_is_no_path_is_the_record_of_its_row(tmp_path, sounds, kept):
    cells = [sounds[0], 5, 2.5, True, ["b.wav"], {"a": 1}, pd.Timestamp("2020"), b"gone.wav"]
    rows = pd.DataFrame({"audio": pd.Series(cells, dtype=object)})
    store = tmp_path / "store" if kept else None
    both = [("own", AudioStatisticsFeaturizer(store=store)), ("mfcc", MFCCFeaturizer(duration=0.1, store=store))]
    featurizer = ClipFeaturizer(both).fit(rows)
    for last in (featurizer.transform(rows), featurizer.transform(rows[1:2])):
        assert last.problems["reason"].isin(["no path", "not found"]).all()
    for _, found in featurizer.transform(rows).problems.groupby("block"):
        assert found["position"].tolist() == list(range(1, len(rows)))
        assert found["audio"].iloc[-1] == "gone.wav"


def test_an_array_alone_beside_a_path_has_the_rate_of_the_encoder(sounds):
    waveform = np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)
    loaded, problem = load_whole(waveform, 48000)
    np.testing.assert_array_equal(loaded, waveform)
    assert problem is None
    assert LongSound(waveform, 48000).n_samples == 4000


def test_equal_numbers_of_two_types_are_two_sounds_of_a_store():
    numbers = np.arange(100, dtype=np.int16)
    assert source_key(numbers) != source_key(numbers.astype(np.int32))
    assert source_key(numbers.astype(np.float32)) == source_key(numbers.astype(np.float64))
