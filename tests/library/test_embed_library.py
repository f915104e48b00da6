import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skbst.exceptions import DataFormatError
from skbst.features import AudioStatisticsFeaturizer, ClipFeaturizer, MFCCFeaturizer, TextLSAFeaturizer
from skbst.library import embed_library


def test_what_is_in_the_store_is_not_computed_again(clips, sounds, tmp_path, monkeypatch):
    expected = AudioStatisticsFeaturizer().fit_transform(clips)
    given = AudioStatisticsFeaturizer()
    summary = embed_library(given, sounds, tmp_path / "store", rows=7)
    assert given.store is None
    assert (summary.n_clips, summary.n_unreadable, summary.reasons) == (24, 1, {"not decodable": 1})
    listed = pd.read_csv(tmp_path / "store" / "skbst_problems.csv")
    assert listed.to_numpy().tolist() == [["zz.wav", "not decodable"]]
    assert "24 clips embedded" in str(summary)
    assert "skbst_problems.csv lists them" in str(summary)
    import soundfile

    def no_decoding(*args, **kwargs):
        raise AssertionError("a sound was decoded again")

    monkeypatch.setattr(soundfile, "SoundFile", no_decoding)
    stored = AudioStatisticsFeaturizer(store=tmp_path / "store").fit_transform(clips)
    assert_array_equal(stored, expected)


def test_parts_that_keep_nothing_are_passed_over(clips, tmp_path):
    both = ClipFeaturizer([("mfcc", MFCCFeaturizer(duration=0.2)), ("text", TextLSAFeaturizer(2))])
    assert embed_library(both, clips, tmp_path / "store").n_clips == 23
    with pytest.raises(DataFormatError, match="keeps nothing on disk"):
        embed_library(TextLSAFeaturizer(2), clips, tmp_path / "store")


def test_clips_without_text_are_listed(clips, tmp_path):
    given = clips.assign(title=["", " "] + ["tone"] * 21, audio=["/nowhere.wav"] + clips["audio"].tolist()[1:])
    summary = embed_library(AudioStatisticsFeaturizer(), given, tmp_path / "store")
    listed = pd.read_csv(tmp_path / "store" / "skbst_problems.csv")
    assert listed.to_numpy().tolist() == [["s00", "not found; no text"], ["s01", "no text"]]
    assert (summary.n_without_text, summary.reasons) == (2, {"not found": 1})
    quiet = embed_library(AudioStatisticsFeaturizer(), clips.assign(title=""), tmp_path / "other")
    assert str(quiet).endswith("skbst_problems.csv lists them.")
