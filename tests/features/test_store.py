"""One store for frames and embeddings: damage, no writing, other machines; problems that travel."""

import os
import pickle
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest

from skbst.audio import collect_problems
from skbst.exceptions import AudioDecodeError, AudioDecodeWarning, StoreWarning
from skbst.features import (
    AudioStatisticsFeaturizer,
    ClipFeaturizer,
    EmbeddingStore,
    FeatureBundle,
    MFCCFeaturizer,
    stores_read_only,
)

KINDS = {
    "frames": lambda **options: MFCCFeaturizer(duration=0.25, **options),
    "vectors": lambda **options: AudioStatisticsFeaturizer(standardize=False, duration=0.25, **options),
}


@pytest.fixture
def sounds():
    rng = np.random.default_rng(0)
    return [(rng.uniform(-1, 1, 4000), 16000) for _ in range(5)]


def files_of(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", KINDS)
def test_any_altered_byte_is_noticed(tmp_path, sounds, kind):
    expected = KINDS[kind]().fit(sounds).transform(sounds)
    featurizer = KINDS[kind](store=tmp_path / "store").fit(sounds)
    featurizer.transform(sounds)
    for part in (1 / 3, 1 / 2, 0.99):
        copy = tmp_path / f"copy {part}"
        shutil.copytree(tmp_path / "store", copy)
        (data,) = [*copy.rglob("rows.f32"), *copy.rglob("shard-*.npy")]
        content = bytearray(data.read_bytes())
        content[int(part * len(content))] ^= 4
        data.write_bytes(content)
        with pytest.warns(StoreWarning, match="1 entries are damaged"):
            found = KINDS[kind](store=copy).fit(sounds).transform(sounds)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_that_is_not_there_is_not_made(tmp_path, sounds, kind):
    featurizer = KINDS[kind](store=tmp_path / "trainer" / "store").fit(sounds)
    content = pickle.dumps(featurizer)
    (tmp_path / "trainer").rename(tmp_path / "away")
    with pytest.warns(StoreWarning, match="not there"):
        found = pickle.loads(content).transform(sounds)
    np.testing.assert_array_equal(found, KINDS[kind]().fit(sounds).transform(sounds))
    assert not (tmp_path / "trainer").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_cannot_be_written(tmp_path, sounds, kind):
    (tmp_path / "store").write_bytes(b"a file")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StoreWarning)
        found = KINDS[kind](store=tmp_path / "store").fit(sounds).transform(sounds)
    np.testing.assert_array_equal(found, KINDS[kind]().fit(sounds).transform(sounds))
    assert (tmp_path / "store").read_bytes() == b"a file"


@pytest.mark.parametrize("kind", KINDS)
def test_reading_writes_nothing(tmp_path, sounds, kind):
    featurizer = KINDS[kind](store=tmp_path / "store").fit(sounds[:2])
    expected = featurizer.transform(sounds[:2])
    before = {path: path.read_bytes() for path in files_of(tmp_path)}
    with stores_read_only():
        found = featurizer.transform(sounds)
    np.testing.assert_array_equal(found[:2], expected)
    assert {path: path.read_bytes() for path in files_of(tmp_path)} == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_relative_store_stays_where_it_was(tmp_path, sounds, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    featurizer = pickle.loads(pickle.dumps(KINDS[kind](store="kept").fit(sounds)))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    featurizer.transform(sounds)
    assert os.listdir(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning")
def test_equal_broken_sounds_are_five_records(tmp_path, kind):
    for name in "abcde":
        (tmp_path / name).write_bytes(b"no sound")
    paths = [str(tmp_path / name) for name in "abcde"]
    good = (np.random.default_rng(0).uniform(-1, 1, 4000), 16000)
    for store in (None, tmp_path / "store"):
        featurizer = KINDS[kind](store=store).fit([good])
        for _ in range(2):
            rows, problems = featurizer.transform_with_problems([good, *paths])
            assert problems["position"].tolist() == [1, 2, 3, 4, 5]
            np.testing.assert_array_equal(rows[2:], rows[[1] * 4])


@pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning")
def test_problems_are_rebased_and_the_featurizer_does_not_change(sounds):
    part = pd.DataFrame({"audio": [sounds[0], "gone", sounds[1], None]}, index=["1", "2", "2", "3"])
    both = pd.concat({"a": part, "b": part})
    clips = ClipFeaturizer([("mfcc", MFCCFeaturizer(duration=0.1))])
    clips.fit_transform(both)
    content = pickle.dumps(clips)
    bundle = clips.transform(both)
    assert pickle.dumps(clips) == content
    assert bundle.problems["position"].tolist() == [1, 3, 5, 7]
    assert bundle.problems["sound_id"].tolist() == [("a", "2"), ("a", "3"), ("b", "2"), ("b", "3")]
    some = pickle.loads(pickle.dumps(bundle[[7, 0, 1, 7]])).select("mfcc").with_block("one", np.ones((4, 1)))
    assert some.problems["position"].tolist() == [0, 2, 3]
    assert some.problems["reason"].tolist() == ["no path", "not found", "no path"]
    assert some[2:].problems["position"].tolist() == [0, 1]
    assert len(some[[1]].problems) == 0
    assert list(FeatureBundle({"x": np.ones((2, 1))}).problems.columns) == list(some.problems.columns)
    with collect_problems() as reports:
        clips.transform(both)
    assert reports[0]["position"].tolist() == [1, 3, 5, 7]


def test_nothing_readable_is_refused_in_fit_alone(sounds):
    table = pd.DataFrame({"audio": ["gone", "gone too"]})
    clips = ClipFeaturizer([("mfcc", MFCCFeaturizer(duration=0.1))])
    for learn in (clips.fit_transform, MFCCFeaturizer().fit_transform, AudioStatisticsFeaturizer().fit):
        with pytest.warns(AudioDecodeWarning), pytest.raises(AudioDecodeError, match="None of the 2 sounds"):
            learn(table)
    with pytest.warns(AudioDecodeWarning):
        assert len(clips.transform(table)) == 2


def test_many_ids_are_checked_in_linear_steps(tmp_path):
    ids = [str(i) for i in range(40_000)]
    with pytest.raises(ValueError, match="'39999' occurs more than once"):
        EmbeddingStore(tmp_path).write([*ids, "39999"], np.ones((40_001, 1)))
