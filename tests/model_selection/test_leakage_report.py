import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile

from skbst.exceptions import DataFormatError, LeakageWarning
from skbst.model_selection import OfficialKFold, leakage_report, official_folds
from skbst.model_selection._leakage_keys import label_mentions, near_duplicate_pairs
from skbst.taxonomy import Taxonomy


@pytest.fixture
def clips(tmp_path):
    """Six clips; rows 0-3 are trained on, rows 4 and 5 tested."""
    rng = np.random.default_rng(0)
    audio = []
    for i in range(6):
        path = tmp_path / f"{i}.wav"
        soundfile.write(path, rng.uniform(-0.5, 0.5, 400), 8000)
        audio.append(str(path))
    return pd.DataFrame(
        {
            "audio": audio,
            "title": ["dog", "rain", "door", "car", "cat", "wind"],
            "tags": ["bark,loud", "", "wood", "", "", "storm"],
            "description": "",
        },
        index=pd.Index(["10", "11", "12", "13", "14", "15"], name="sound_id"),
    )


SPLIT = [(np.array([0, 1]), np.array([2, 3]), np.array([4, 5]))]


def found(report, check):
    return report.findings.loc[report.findings["check"] == check, ["fold", "sound_id", "evidence"]].values.tolist()


def test_clean_split_is_quiet(clips):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = leakage_report(
            clips, SPLIT, ["fx-a"] * 6, groups=list("abcdef"), embeddings=np.eye(6), seen={"bank": ["10", "13"]}
        )
    assert report.clean
    assert report.not_checked == {}
    assert set(report.checks) == {
        *("row", "sound_id", "group", "text", "audio", "near_duplicate", "label_in_text"),
        "seen by bank",
    }
    assert (report.summary()["n_rows"] == 0).all()


def test_shared_uploader_is_named(clips):
    with pytest.warns(LeakageWarning, match=r"^group: 1 of 2 test rows \(50 %\).*sound 15, group a, as 10") as record:
        report = leakage_report(clips, SPLIT, groups=["a", "b", "c", "d", "e", "a"])
    assert record[0].filename == __file__
    assert len(record) == 1
    assert found(report, "group") == [[0, "15", "group a, as 10"]]


def test_validation_rows_count_as_training(clips):
    report = leakage_report(clips, SPLIT, groups=["a", "b", "c", "d", "d", "e"], warn=False)
    assert found(report, "group") == [[0, "14", "group d, as 13"]]


def test_same_words_in_any_order(clips):
    clips.loc["14", ["title", "tags"]] = ["Loud: bark", "DOG"]
    clips.loc["11", "title"] = clips.loc["15", "title"] = ""
    clips.loc["15", "tags"] = ""
    with pytest.warns(LeakageWarning, match="^text: 1 of 2"):
        report = leakage_report(clips, SPLIT)
    assert found(report, "text") == [[0, "14", "as 10"]]


def test_copied_file(clips):
    with open(clips.loc["12", "audio"], "rb") as source, open(clips.loc["15", "audio"], "wb") as copy:
        copy.write(source.read())
    with pytest.warns(LeakageWarning, match="^audio: 1 of 2"):
        report = leakage_report(clips, SPLIT)
    assert found(report, "audio") == [[0, "15", "as 12"]]
    assert leakage_report(clips, SPLIT, audio=None).clean


def test_copy_in_another_format(clips, tmp_path):
    samples, sample_rate = soundfile.read(clips.loc["12", "audio"], dtype="int16")
    soundfile.write(tmp_path / "copy.flac", samples, sample_rate)
    soundfile.write(tmp_path / "slower.flac", samples, sample_rate // 2)
    clips.loc["15", "audio"] = str(tmp_path / "copy.flac")
    clips.loc["14", "audio"] = str(tmp_path / "slower.flac")
    assert leakage_report(clips, SPLIT).clean
    report = leakage_report(clips, SPLIT, audio="samples", warn=False)
    assert found(report, "audio") == [[0, "15", "as 12"]]


@pytest.mark.parametrize("audio", ["bytes", "samples"])
def test_empty_broken_and_missing_files_are_no_copies(clips, tmp_path, audio):
    for i, content in enumerate([b"", b"", b"not a sound 1", b"", b"not a sound 2", b""]):
        (tmp_path / f"{i}.wav").write_bytes(content)
    clips.loc[["13", "15"], "audio"] = ""
    assert leakage_report(clips, SPLIT, audio=audio).clean


def test_near_duplicates(clips):
    embeddings = np.eye(6)
    embeddings[4] = [0.999, 0, 0, 0, 0.04, 0]
    embeddings[5] = 0
    with pytest.warns(LeakageWarning, match="^near_duplicate: 1 of 2"):
        report = leakage_report(clips, SPLIT, embeddings=embeddings)
    assert found(report, "near_duplicate") == [[0, "14", "as 10, cosine 0.9992"]]
    assert leakage_report(clips, SPLIT, embeddings=embeddings, similarity=0.9995).clean


def test_near_duplicate_pairs_agree_with_a_full_matrix():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1500, 3))
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    pairs, cosine = near_duplicate_pairs(values, 0.9995)
    expected = np.argwhere(np.triu(unit @ unit.T, 1) >= 0.9995)
    assert len(pairs) > 100
    assert {tuple(pair) for pair in pairs.tolist()} == {tuple(pair) for pair in expected.tolist()}
    np.testing.assert_allclose(cosine, (unit[pairs[:, 0]] * unit[pairs[:, 1]]).sum(axis=1), atol=1e-5)


def test_too_many_pairs():
    with pytest.raises(ValueError, match="ask for a higher one"):
        near_duplicate_pairs(np.ones((4000, 2)), 0.5)


def test_label_in_text(clips):
    clips.loc["14", "tags"] = "cat,FX-A"
    clips.loc["15", "description"] = "Natural elements and explosions: wind"
    clips.loc["10", "title"] = "fx-a"
    y = ["fx-a", "fx-n", "fx-o", "fx-v", "fx-a", "fx-n"]
    with pytest.warns(LeakageWarning, match="^label_in_text: 2 of 2.*sound 14, text 'FX-A'"):
        report = leakage_report(clips, SPLIT, y)
    assert found(report, "label_in_text") == [
        [0, "14", "text 'FX-A'"],
        [0, "15", "text 'Natural elements and explosions'"],
    ]


def test_natural_words_are_no_label_leak():
    data = pd.DataFrame({"title": ["Animals", "dog", "sfx-a1", "fx-h", "fx-a"]})
    assert label_mentions(data, ["fx-a", "fx-a", "fx-a", "fx-a", "fx-a"]) == ["", "", "", "", "fx-a"]
    tree = Taxonomy({"dog": "animal", "cat": "animal"})
    assert label_mentions(data.iloc[:2], ["dog", "dog"], tree) == ["", ""]


def test_rows_and_ids_on_both_sides(clips):
    clips.index = ["10", "11", "12", "13", "14", "10"]
    with pytest.warns(LeakageWarning, match="^(row|sound_id|text|audio): "):
        report = leakage_report(clips, [([0, 1, 4], [4, 5])])
    assert found(report, "row") == [[0, "14", "in both parts"]]
    assert found(report, "sound_id") == [[0, "10", "rows 0 and 5"]]


def test_what_else_has_seen_the_test_fold(clips):
    splits = [([0, 1, 2, 3], [4, 5]), ([2, 3, 4, 5], [0, 1])]
    with pytest.warns(LeakageWarning, match=r"^seen by teacher: 2 of 4 .* were seen by 'teacher', in folds \[0, 1\]"):
        report = leakage_report(clips, splits, seen={"teacher": ["10", "15"], "bank": [["10"], ["15"]]})
    assert found(report, "seen by teacher") == [[0, "15", "seen by teacher"], [1, "10", "seen by teacher"]]
    assert found(report, "seen by bank") == []
    with pytest.raises(DataFormatError, match=r"seen\['bank'\] has 1 lists of ids for 2 folds"):
        leakage_report(clips, splits, seen={"bank": [["10"]]})


def test_takes_what_splitters_give():
    y = np.repeat(["fx-a", "fx-h"], 30)
    data = pd.DataFrame({"title": [f"t{i}" for i in range(60)]})
    groups = np.arange(60) // 2
    assert not leakage_report(data, official_folds(y), groups=groups, warn=False).clean
    report = leakage_report(data, OfficialKFold().split(data, y, groups), y, groups=groups)
    assert report.clean
    assert report.n_test == 60
    assert report.not_checked == {"audio": "no column 'audio'", "near_duplicate": "no embeddings"}


def test_summary_and_repr(clips):
    report = leakage_report(clips, SPLIT * 2, groups=list("abcdaa"), warn=False)
    summary = report.summary()
    assert summary.loc["group", "n_rows"] == 4
    assert summary.loc["group", "share"] == 1
    assert summary.loc["group", "folds"] == [0, 1]
    assert "group                  4  100.0 %" in repr(report)
    assert "label_in_text    not checked: no labels y" in repr(report)


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([], "no folds"),
        ([([0], [1], [2], [3])], "Fold 0 has 4 parts"),
        ([([0], [6])], "Fold 0 has positions outside 0 to 5"),
    ],
)
def test_bad_folds(clips, folds, message):
    with pytest.raises(DataFormatError, match=message):
        leakage_report(clips, folds)


@pytest.mark.data
def test_real_recordings(data_root):
    from skbst.datasets import load_bsd

    bunch = load_bsd(data_root / "bst-real")
    uploader = bunch.metadata["uploader"]
    with pytest.warns(LeakageWarning, match="test rows") as record:
        leakage_report(bunch.data, official_folds(bunch.target), bunch.target, groups=uploader)
    assert {str(warning.message).split(":")[0] for warning in record} == {"group", "text"}
    grouped = official_folds(bunch.target, groups=uploader)
    assert leakage_report(bunch.data, grouped, bunch.target, groups=uploader).clean
