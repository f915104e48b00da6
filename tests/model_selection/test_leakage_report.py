import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import Bunch

from skbst.ensemble import HierarchicalDecoder
from skbst.exceptions import DataFormatError, LeakageWarning
from skbst.model_selection import KNNBlendSearchCV, OfficialKFold, leakage_report, official_folds
from skbst.model_selection._leakage._keys import label_mentions, near_duplicate_pairs
from skbst.neighbors import KNNPriorBlender
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


@pytest.mark.parametrize(
    ("n_test", "n_shared", "share"), [(300, 300, "100 %"), (300, 299, "99.7 %"), (3000, 1, "0.0333 %")]
)
def test_shares_are_plain_numbers(n_test, n_shared, share):
    groups = np.r_[0, np.where(np.arange(n_test) < n_shared, 0, 1)]
    data = pd.DataFrame(index=np.arange(n_test + 1))
    report = leakage_report(data, [([0], np.arange(1, n_test + 1))], groups=groups, warn=False)
    assert report.messages()["group"].startswith(f"group: {n_shared} of {n_test} test rows ({share})")


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


def test_own_top_level_in_text():
    titles = [
        "Sound effects",
        "SOUND EFFECTS: dog",
        "instrument samples, C4",
        "my sound effects2",
        "Instrument samples",
    ]
    data = pd.DataFrame({"title": titles})
    expected = ["Sound effects", "SOUND EFFECTS", "instrument samples", "", ""]
    assert label_mentions(data, ["fx-a", "fx-a", "is-k", "fx-a", "fx-a"]) == expected
    tree = Taxonomy({"dog": "pet"}, top_names={"pet": "Tame animals"})
    assert label_mentions(pd.DataFrame({"tags": ["tame animals,dog"]}), ["dog"], tree) == ["tame animals"]


def test_top_levels_of_one_word_are_no_label_leak():
    """Speech and music are what many clips of these classes are about."""
    data = pd.DataFrame({"title": ["Speech", "music loop", "Soundscapes of Ghent"]})
    assert label_mentions(data, ["sp-s", "m-m", "ss-u"]) == ["", "", ""]


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
    with pytest.raises(DataFormatError, match=r"seen\['bank'\]: expected one entry per fold \(2\); got 1"):
        leakage_report(clips, splits, seen={"bank": [["10"]]})


def blender_of(table, **fit_params):
    """A blender whose bank holds these clips."""
    X = np.eye(len(table))
    return KNNPriorBlender(LogisticRegression(), k=1).fit(X, np.arange(len(X)) % 2, metadata=table, **fit_params)


def test_a_bank_that_has_seen_the_test_fold(clips):
    leaky = blender_of(clips.iloc[[1, 2, 5]])
    with pytest.warns(LeakageWarning, match=r"^seen by bank: 1 of 2 test rows \(50 %\) were seen by 'bank'") as record:
        report = leakage_report(clips, SPLIT, seen={"bank": leaky})
    assert len(record) == 1
    assert found(report, "seen by bank") == [[0, "15", "in the bank of KNNPriorBlender"]]
    clean = blender_of(clips.iloc[[0, 1, 3]])
    assert leakage_report(clips, SPLIT, seen={"bank": clean}).clean


def test_rows_of_weight_zero_are_in_no_bank(clips):
    blender = blender_of(clips.iloc[[0, 1, 5]], sample_weight=[1, 1, 0])
    assert leakage_report(clips, SPLIT, seen={"bank": blender}).clean


def test_banks_in_pipelines_and_searches(clips):
    table = clips.assign(length=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    y = np.arange(6) % 2
    pipeline = make_pipeline(FunctionTransformer(lambda X: X[["length"]]), KNNPriorBlender(LogisticRegression(), k=1))
    for model in (
        pipeline,
        GridSearchCV(pipeline, {"knnpriorblender__alpha": [0.1, 0.2]}, cv=2),
        KNNBlendSearchCV(pipeline, {"knnpriorblender__alpha": [0.1, 0.2]}, cv=2),
        HierarchicalDecoder(pipeline),
    ):
        model.fit(table[:5], y[:5])
        for bank in (model, FrozenEstimator(model)):
            report = leakage_report(table, SPLIT, seen={"bank": bank}, warn=False)
            assert [sound for _, sound, _ in found(report, "seen by bank")] == ["14"]


def test_one_bank_per_fold(clips):
    table = clips.assign(length=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])[["length"]]
    splits = list(StratifiedKFold(3).split(table, np.arange(6) % 2))
    blender = KNNPriorBlender(LogisticRegression(), k=1)
    banks = cross_validate(blender, table, np.arange(6) % 2, cv=splits, return_estimator=True)["estimator"]
    assert leakage_report(table, splits, seen={"bank": banks}, warn=False).clean
    report = leakage_report(table, splits, seen={"bank": banks[::-1]}, warn=False)
    assert report.summary().loc["seen by bank", "n_rows"] == 4
    with pytest.raises(DataFormatError, match=r"expected one entry per fold \(1\); got 3"):
        leakage_report(table, splits[:1], seen={"bank": banks})


def test_a_selection_whose_teachers_have_seen_the_test_fold(clips):
    """`seen_ids` of a Bunch, by fold or for all folds."""
    splits = [([2, 3, 4, 5], [0, 1]), ([0, 1, 2, 3], [4, 5])]
    ids = clips.index.to_numpy()
    by_fold = [Bunch(data=clips, seen_ids=ids[train]) for train, _ in splits]
    assert leakage_report(clips, splits, seen={"teachers": by_fold}).clean
    with pytest.warns(LeakageWarning, match="^seen by teachers: 4 of 4 .* were seen by 'teachers'"):
        leakage_report(clips, splits, seen={"teachers": Bunch(data=clips, seen_ids=ids)})
    with pytest.warns(LeakageWarning, match=r"^seen by teachers: 2 of 4 .*, in folds \[1\]"):
        leakage_report(clips, splits, seen={"teachers": [by_fold[0]] * 2})


def test_a_table_counts_by_its_index(clips):
    assert leakage_report(clips, SPLIT, seen={"cleaner": clips[:4]}).clean
    with pytest.warns(LeakageWarning, match="^seen by cleaner: 2 of 2"):
        leakage_report(clips, SPLIT, seen={"cleaner": clips})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (KNNPriorBlender(LogisticRegression()), "KNNPriorBlender instance is not fitted"),
        (KNNPriorBlender(LogisticRegression()).fit([[0], [1]], [0, 1]), "keeps no ids.*pass metadata="),
        (LogisticRegression(), "LogisticRegression keeps no rows.*pass the ids of the rows"),
        (Bunch(data=pd.DataFrame()), "Bunch has no seen_ids.*pass the ids of the rows"),
    ],
)
def test_objects_without_ids_are_refused(clips, source, message):
    with pytest.raises((DataFormatError, NotFittedError), match=message):
        leakage_report(clips, SPLIT, seen={"it": source})


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
