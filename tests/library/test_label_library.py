import errno
import json
import os
import subprocess
import sys
from copy import deepcopy

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline

from skbst.conformal import HierarchicalConformalClassifier
from skbst.ensemble import FoldEnsembleClassifier, HierarchicalVotingClassifier
from skbst.exceptions import DataFormatError
from skbst.features import AudioStatisticsFeaturizer, BlockSelector, ClipFeaturizer
from skbst.library import embed_library, label_clips, label_library
from skbst.model_selection import KNNBlendSearchCV
from skbst.neighbors import KNNPriorBlender

pytest.importorskip("pyarrow", exc_type=ImportError)


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def write_manifest(path, clips):
    clips.to_csv(path, index_label="sound_id")
    return path


def check_table(table, model, clips):
    """Against scikit-learn's own answers."""
    proba = model.predict_proba(clips)
    assert table["sound_id"].tolist() == clips.index.tolist()
    assert_array_equal(table["predicted"], model.predict(clips))
    assert_allclose(table["proba"], proba.max(axis=1), atol=1e-6)
    assert_array_equal(table["class_3"], model.classes_[np.argsort(-proba, axis=1, kind="stable")[:, 2]])
    assert table["top"].tolist() == [code.split("-")[0] for code in table["predicted"]]


@pytest.mark.parametrize("kind", ["table", "csv", "parquet", "tables", "mappings"])
def test_every_kind_of_clips_gives_the_rows_in_order(kind, model, clips, tmp_path):
    if kind == "parquet":
        clips.to_parquet(tmp_path / "clips.parquet")
    given = {
        "table": lambda: clips,
        "csv": lambda: write_manifest(tmp_path / "clips.csv", clips),
        "parquet": lambda: tmp_path / "clips.parquet",
        "tables": lambda: (clips.iloc[start : start + 7] for start in range(0, 23, 7)),
        "mappings": lambda: iter(clips.reset_index().to_dict("records")),
    }[kind]()
    summary = label_library(model, given, tmp_path / "out", rows=5)
    assert (summary.n_clips, summary.n_computed, summary.n_found) == (23, 23, 0)
    assert len(list((tmp_path / "out").glob("part-*.parquet"))) == 5
    check_table(pd.read_parquet(tmp_path / "out"), model, clips)


def test_a_folder_and_what_is_wrong_in_it(model, sounds, tmp_path):
    summary = label_library(model, sounds, tmp_path / "out", rows=10)
    table = pd.read_parquet(tmp_path / "out").set_index("sound_id")
    assert table.index.tolist() == sorted(path.name for path in sounds.iterdir())
    assert table["problem"].to_dict() == {name: "not decodable" if name == "zz.wav" else "" for name in table.index}
    assert (summary.n_unreadable, summary.n_silent, summary.reasons) == (1, 0, {"not decodable": 1})
    assert "1 sound could not be read" in str(summary)
    again = label_library(model, sounds, tmp_path / "out", rows=10)
    assert (again.n_computed, again.n_found, again.n_unreadable) == (0, 24, 1)


def searches(base):
    audio = ClipFeaturizer([("audio", AudioStatisticsFeaturizer())])
    blender = KNNPriorBlender(make_pipeline(BlockSelector("audio"), GaussianNB()), k=3)
    blended = Pipeline([("features", audio), ("classifier", blender)])
    return {
        "search": GridSearchCV(base, {"logisticregression__C": [0.01, 0.1]}, cv=2),
        "blend search": KNNBlendSearchCV(blended, {"classifier__alpha": [0.0, 0.3]}, cv=2),
        "calibrated": CalibratedClassifierCV(base, cv=2),
        "vote": HierarchicalVotingClassifier([("a", base), ("b", base)]),
        "folds": FoldEnsembleClassifier(base, cv=2),
        "nested": Pipeline([("system", base)]),
        "vote of searches": HierarchicalVotingClassifier(
            [("a", GridSearchCV(base, {"logisticregression__C": [0.1]}, cv=2)), ("b", base)]
        ),
        "calibrated vote": CalibratedClassifierCV(HierarchicalVotingClassifier([("a", base)]), cv=2),
    }


@pytest.mark.parametrize(
    "kind",
    ["search", "blend search", "calibrated", "vote", "folds", "nested", "vote of searches", "calibrated vote"],
)
def test_problems_of_every_kind_of_model(kind, unfitted, clips, target, sounds):
    model = searches(clone(unfitted))[kind].fit(clips, target)
    more = pd.concat([clips.iloc[:2], clips.iloc[:2].assign(audio=[str(sounds / "zz.wav"), "/nowhere.wav"])])
    more.index = ["good", "s01", "bad", "gone"]
    table = label_clips(model, more)
    assert table["problem"].tolist() == ["", "", "not decodable", "not found"]
    assert_array_equal(table["predicted"], model.predict(more))
    assert_allclose(table["proba_1"], np.max(model.predict_proba(more), axis=1), atol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sound_id,audio,title\n1,{a},dog,\n2,{a},cat,\n", "line 2: 4 cells, but the header has 3"),
        ("sound_id,audio,title\n1,{a},dog, big\n2,{a},cat\n", "line 2: 4 cells"),
        ("sound_id,audio,title\n1,{a},dog\n2,{a}\n", "line 3: 2 cells"),
        ("sound_id,audio,Title\n1,{a},Dog\n", "column 'Title' must be spelled 'title'"),
        ("Sound ID,audio\n1,{a}\n", "must be spelled 'sound_id'"),
        ("sound_id,path\n1,{a}\n", r"column\(s\) \['audio'\] are missing"),
        ("sound_id,audio,audio\n1,{a},{a}\n", "stand twice in the header"),
        ("sound_id,audio\n1,{a}\n1,{a}\n", "'1' stands more than once"),
        ("sound_id,audio\n,{a}\n", "line 2, column 'sound_id': the row has no id"),
        ("sound_id,audio\n1,/old/a.wav\n2,/old/b.wav\n", "sounds of all 2 clips were not found.*/old/a.wav"),
        ("sound_id,audio\n", "a header but no rows"),
        ("", "the file is empty"),
        ('sound_id,audio,title\n1,{a},"dog\n', "not valid CSV"),
    ],
)
def test_a_manifest_is_read_strictly(text, message, model, clips, tmp_path):
    (tmp_path / "clips.csv").write_text(text.format(a=clips["audio"].iloc[0]))
    with pytest.raises(DataFormatError, match=message):
        label_library(model, tmp_path / "clips.csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_other_encodings_are_named(encoding, model, clips, tmp_path):
    text = f"sound_id,audio,title\n1,{clips['audio'].iloc[0]},café\n"
    (tmp_path / "clips.csv").write_bytes(text.encode(encoding))
    with pytest.raises(DataFormatError, match="not UTF-8"):
        label_library(model, tmp_path / "clips.csv", tmp_path / "out")


def test_long_cells_and_text_that_looks_like_nothing(model, clips, tmp_path):
    few = clips.iloc[:2].assign(title=["NA", "rain " * 40_000])
    few.index = ["007", "nan"]
    label_library(model, write_manifest(tmp_path / "clips.csv", few), tmp_path / "out")
    assert pd.read_parquet(tmp_path / "out")["sound_id"].tolist() == ["007", "nan"]


def test_foreign_files_stay_and_are_named(model, clips, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    foreign = {
        "part-00000-6f2a1c30-c000.snappy.parquet": b"a year of another program's work",
        "part-000000-0123456789abcdef.parquet": b"an older version's",
        ".part-000000.writing": b"half",
        "notes.txt": b"mine",
        "_SUCCESS": b"",
    }
    for name, content in foreign.items():
        (out / name).write_bytes(content)
    for rows in (5, 6):
        summary = label_library(model, clips, out, rows=rows)
        assert {name: (out / name).read_bytes() for name in foreign} == foreign
        assert "3 file(s)" in str(summary)
        assert "were left" in str(summary)


def test_another_library_is_refused_or_replaced_and_said(model, clips, tmp_path):
    out = tmp_path / "out"
    first = write_manifest(tmp_path / "first.csv", clips.iloc[:4])
    second = write_manifest(tmp_path / "second.csv", clips.iloc[4:9])
    label_library(model, first, out)
    before = files(out)
    with pytest.raises(DataFormatError, match=r"another library .*first.csv, 4 clips"):
        label_library(model, second, out)
    assert files(out) == before
    summary = label_library(model, second, out, replace=True)
    assert "4 older rows in 1 part(s) were removed" in str(summary)
    assert pd.read_parquet(out)["sound_id"].tolist() == clips.index[4:9].tolist()


def test_a_changed_manifest_or_model_replaces_what_it_must(model, clips, tmp_path):
    manifest, out = write_manifest(tmp_path / "clips.csv", clips), tmp_path / "out"
    label_library(model, manifest, out, rows=5)
    write_manifest(manifest, clips.drop(index="s07"))
    changed = label_library(model, manifest, out, rows=5)
    assert (changed.n_computed, changed.n_found) == (17, 5)
    assert "18 older rows in 4 part(s) were removed" in str(changed)
    other = deepcopy(model)
    other[-1].coef_ *= 2
    assert label_library(other, manifest, out, rows=5).n_computed == 22
    check_table(pd.read_parquet(out), other, clips.drop(index="s07"))


def test_a_part_that_was_edited_is_kept_aside(model, clips, tmp_path):
    out = tmp_path / "out"
    label_library(model, clips, out, rows=5)
    clean = pd.read_parquet(out)
    part = sorted(out.glob("part-*"))[1]
    part.write_bytes(b"edited")
    summary = label_library(model, clips, out, rows=5)
    assert (summary.n_computed, summary.n_found) == (5, 18)
    assert "was changed since it was written" in str(summary)
    assert [path.read_bytes() for path in out.glob("_kept-*")] == [b"edited"]
    assert_frame_equal(pd.read_parquet(out), clean)


def test_a_csv_for_small_libraries(model, clips, sounds, tmp_path):
    out = tmp_path / "labels.csv"
    label_library(model, clips, out, rows=5)
    table = pd.read_csv(out, keep_default_na=False)
    label_library(model, clips, tmp_path / "out", rows=5)
    assert_frame_equal(table, pd.read_parquet(tmp_path / "out"), check_dtype=False, rtol=1e-5)
    assert label_library(model, clips, out, rows=5).n_found == 23
    out.write_text("mine")
    with pytest.raises(FileExistsError, match="Move it away"):
        label_library(model, clips, out, rows=5)
    assert out.read_text() == "mine"


RUN = """
import sys, joblib, pandas as pd
from skbst.library import label_library
model, manifest, out = sys.argv[1:]
print(label_library(model, manifest, out, rows=2).n_clips)
"""


def test_three_runs_at_once_make_every_row_once(model, clips, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    manifest = write_manifest(tmp_path / "clips.csv", clips)
    label_library(tmp_path / "model.joblib", manifest, tmp_path / "alone", rows=2)
    command = [sys.executable, "-c", RUN, tmp_path / "model.joblib", manifest, tmp_path / "out"]
    runs = [subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    for run in runs:
        out, err = run.communicate()
        assert run.returncode == 0, err.decode()
        assert out.split() == [b"23"]
    assert files(tmp_path / "out") == files(tmp_path / "alone")


def test_a_run_with_another_model_waits_its_turn(model, clips, tmp_path):
    def clips_while_another_runs():
        yield clips.iloc[:5]
        with pytest.raises(DataFormatError, match="another run"):
            label_library(model, clips, tmp_path / "out", rows=3)
        yield clips.iloc[5:]

    label_library(model, clips_while_another_runs(), tmp_path / "out", rows=5)
    check_table(pd.read_parquet(tmp_path / "out"), model, clips)


@pytest.mark.parametrize("suffix", [".record", ".parquet", ".json"])
def test_killed_anywhere_and_run_again_gives_the_same_bytes(suffix, model, clips, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    manifest = write_manifest(tmp_path / "clips.csv", clips)
    label_library(tmp_path / "model.joblib", manifest, tmp_path / "alone", rows=2)
    killer = (
        "import os, signal\n"
        "replace, seen = os.replace, []\n"
        "def replace_or_die(source, target):\n"
        f"    seen.append(1) if str(target).endswith({suffix!r}) else None\n"
        f"    os.kill(os.getpid(), signal.SIGKILL) if len(seen) == {1 if suffix == '.json' else 3} else replace(source, target)\n"
        "os.replace = replace_or_die\n"
    )
    command = [sys.executable, "-c", killer + RUN, tmp_path / "model.joblib", manifest, tmp_path / "out"]
    done = subprocess.run(list(map(str, command)), capture_output=True)
    assert done.returncode == -9, done.stderr.decode()
    again = label_library(tmp_path / "model.joblib", manifest, tmp_path / "out", rows=2)
    assert again.n_found == {".record": 4, ".parquet": 4, ".json": 23}[suffix]
    assert files(tmp_path / "out") == files(tmp_path / "alone")


def test_a_full_disk_is_an_error_and_nothing_is_half(model, clips, tmp_path, monkeypatch):
    out, to_parquet, written = tmp_path / "out", pd.DataFrame.to_parquet, []

    def full_at_the_third(self, file, **options):
        written.append(file)
        if len(written) == 3:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        to_parquet(self, file, **options)

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full_at_the_third)
    with pytest.raises(OSError, match=r"No space left on device.*give the same command again"):
        label_library(model, clips, out, rows=5)
    assert pd.read_parquet(out)["sound_id"].tolist() == clips.index[:10].tolist()
    assert not list(out.rglob("*.tmp"))
    assert label_library(model, clips, out, rows=5).n_found == 10


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_an_error(model, clips, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    out.chmod(0o500)
    with pytest.raises(PermissionError):
        label_library(model, clips, out)


def test_a_damaged_record_loses_nothing(model, clips, tmp_path):
    out = tmp_path / "out"
    label_library(model, clips, out, rows=5)
    clean = pd.read_parquet(out)
    record = out / "_skbst_library.json"
    assert json.loads(record.read_text())["format"] == 1
    record.write_text("{")
    summary = label_library(model, clips, out, rows=5)
    assert summary.n_computed == 23
    assert len(list(out.glob("_kept-*"))) == 5
    assert_frame_equal(pd.read_parquet(out), clean)


def test_names_that_are_no_utf8(model, clips, tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.wav"
    with open(clips["audio"].iloc[0], "rb") as source, open(path, "wb") as file:
        file.write(source.read())
    records = [{"sound_id": os.fsdecode(b"caf\xe9.wav"), "audio": os.fsdecode(path), "title": "tone"}]
    label_library(model, records, tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out")
    assert table[["sound_id", "problem"]].to_numpy().tolist() == [["caf\\xe9.wav", ""]]
    assert_array_equal(table["predicted"], model.predict(clips.iloc[:1]))


def test_two_ids_that_are_written_alike_are_refused(model, tmp_path):
    ids = [os.fsdecode(b"caf\xe9"), *map(str, range(20)), "caf\\xe9"]
    table = pd.DataFrame({"title": "tone"}, index=pd.Index(ids, dtype=object))
    with pytest.raises(DataFormatError, match=r"stands more than once \(lines \[0, 21\]\)"):
        label_library(model, table, tmp_path / "out", rows=5)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("inside", [True, False])
def test_sets_nodes_and_reasons_of_a_conformal_model(inside, unfitted, clips, target, tmp_path):
    whole = clone(unfitted)
    if inside:
        model = Pipeline([*whole.steps[:-1], ("conformal", HierarchicalConformalClassifier(whole[-1], cv=2))])
    else:
        model = HierarchicalConformalClassifier(whole, cv=2)
    model.fit(clips, target)
    label_library(model, clips, tmp_path / "out", rows=10)
    table = pd.read_parquet(tmp_path / "out")
    assert_array_equal(table["predicted"], model.predict(clips))
    rows, last = (model[:-1].transform(clips), model[-1]) if inside else (clips, model)
    expected = [" ".join(last.classes_[row]) for row in last.predict_set(rows)]
    assert table["set"].tolist() == expected
    assert_array_equal(table["node"], last.predict_node(rows))
    assert_array_equal(table["reason"], last.predict_reason(rows))


def test_a_model_of_fewer_columns(clips, target, tmp_path):
    words = make_column_transformer((CountVectorizer(), "title"))
    few = clips[["title"]].assign(title=[f"tone {code}" for code in target])
    model = make_pipeline(words, LogisticRegression()).fit(few, target)
    label_library(model, clips.assign(title=few["title"]), tmp_path / "out")
    assert_array_equal(pd.read_parquet(tmp_path / "out")["predicted"], model.predict(few))


@pytest.mark.parametrize("name", ["out", "out.csv"])
def test_the_summary_says_how_to_list_what_it_counts(name, model, clips, tmp_path):
    """The commands that it prints give just these clips."""
    texts = [" "] * 3 + [None] + ["tone"] * 19
    given = clips.assign(title=texts, audio=["/nowhere.wav"] * 2 + clips["audio"].tolist()[2:])
    summary = label_library(model, given, tmp_path / name)
    assert (summary.n_without_text, summary.n_unreadable) == (4, 2)
    assert "4 clips have no text" in str(summary)
    commands = [line.strip() for line in str(summary).splitlines() if line.startswith("    ")]
    listed = [eval(command, {"pandas": pd})["sound_id"].tolist() for command in commands]
    assert listed == [clips.index[:2].tolist(), clips.index[:4].tolist()]
    one = label_library(model, given.iloc[[3]], tmp_path / f"one-{name}")
    assert "1 clip labelled, 0 were labelled already." in str(one)
    assert "0 sounds could not be read, 0 are silent, 1 clip has no text." in str(one)


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "array"])
@pytest.mark.parametrize("stored", [False, True])
def test_digital_silence_is_named_and_counted(extension, stored, model, unfitted, clips, target, tmp_path):
    """Whatever the format, whether features are computed or found in a store; a sound that starts late is none."""
    # of Ogg, whose damaged headers decode to zeros, a crop of zeros is named already
    n_before = 2000 if extension == "ogg" else 11_900
    sounds = {"zeros": np.zeros(12_000), "late": np.r_[np.zeros(n_before), np.full(100, 0.5)]}
    if extension == "array":
        rows = {name: (waveform, 16000) for name, waveform in sounds.items()}
    else:
        rows = {name: str(tmp_path / f"{name}.{extension}") for name in sounds}
        for name, waveform in sounds.items():
            soundfile.write(rows[name], waveform, 16000)
    if stored:
        model = clone(unfitted).set_params(clipfeaturizer__store=tmp_path / "store").fit(clips, target)
    given = [{"sound_id": name, "audio": sound, "title": "hush"} for name, sound in rows.items()]
    if stored:
        embed_library(clone(model[0]), given, tmp_path / "store")
    summary = label_library(model, given, tmp_path / "out")
    assert pd.read_parquet(tmp_path / "out")["problem"].tolist() == ["only zeros", ""]
    assert (summary.n_silent, summary.n_unreadable, summary.reasons) == (1, 0, {"only zeros": 1})
    assert "0 sounds could not be read, 1 is silent, 0 clips have no text" in str(summary)


def test_a_model_that_hears_nothing_asks_no_sound(clips, target, tmp_path):
    words = make_column_transformer((CountVectorizer(), "title"))
    model = make_pipeline(words, LogisticRegression()).fit(clips, target)
    (tmp_path / "not a sound.wav").write_bytes(b"no sound")
    assert label_clips(model, clips.assign(audio=str(tmp_path / "not a sound.wav")))["problem"].tolist() == [""] * 23


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"sound_id;audio\n1;a.wav\n", "cells are separated by ';'"),
        (b"sound_id\taudio\n1\ta.wav\n", r"cells are separated by '\\t'"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "no table of text: it begins with b'RIFF"),
        (b"\xff\xfb\x90\0" + bytes(99), "no table of text"),
        (b"PK\x03\x04\x14\0\x06\0", "no table of text"),
    ],
)
def test_what_is_no_table_is_named(content, message, model, tmp_path):
    (tmp_path / "clips.csv").write_bytes(content)
    with pytest.raises(DataFormatError, match=message):
        label_library(model, tmp_path / "clips.csv", tmp_path / "out")


class TestParquetManifest:
    """What pandas and others write, and what only looks like a manifest."""

    def ids(self, model, table, tmp_path):
        table.to_parquet(tmp_path / "clips.parquet")
        label_library(model, tmp_path / "clips.parquet", tmp_path / "out", rows=2)
        return pd.read_parquet(tmp_path / "out")["sound_id"].tolist()

    def test_an_index_that_counts_is_no_column_of_the_file(self, model, clips, tmp_path):
        few = clips.iloc[:3].set_axis(pd.RangeIndex(5, 11, 2, name="sound_id"))
        assert self.ids(model, few, tmp_path) == ["5", "7", "9"]

    def test_ids_of_any_number(self, model, clips, tmp_path):
        few = clips.iloc[:3].reset_index(drop=True)
        assert self.ids(model, few.assign(sound_id=[3.0, 1.0, 2.5]), tmp_path) == ["3", "1", "2.5"]

    def test_lists_of_tags_and_categories(self, clips, target, tmp_path):
        words = make_column_transformer((CountVectorizer(), "tags"))
        few = clips.assign(tags=[f"{code[:2]}, x" for code in target])
        model = make_pipeline(words, LogisticRegression()).fit(few, target)
        lists = few.assign(tags=[cell.split(", ") for cell in few["tags"]], title=few["title"].astype("category"))
        lists.reset_index().to_parquet(tmp_path / "clips.parquet")
        for given in (tmp_path / "clips.parquet", pd.read_parquet(tmp_path / "clips.parquet")):
            label_library(model, given, tmp_path / "out", replace=True)
            check_table(pd.read_parquet(tmp_path / "out"), model, few)

    @pytest.mark.parametrize("cell", [b"RIFF", {"bytes": b"RIFF", "path": "a.wav"}, [0.1, 0.2]])
    def test_sounds_inside_the_table_are_refused(self, cell, model, tmp_path):
        pd.DataFrame({"sound_id": ["1"], "audio": [cell]}).to_parquet(tmp_path / "clips.parquet")
        with pytest.raises(DataFormatError, match=r"column 'audio': expected text.*by their paths"):
            label_library(model, tmp_path / "clips.parquet", tmp_path / "out")

    @pytest.mark.parametrize("damage", ["cut", "middle", "no parquet", "twice"])
    def test_a_damaged_one_is_named(self, damage, model, clips, tmp_path):
        import pyarrow

        path = tmp_path / "clips.parquet"
        clips.reset_index().to_parquet(path, compression=None)
        content = path.read_bytes()
        if damage == "twice":
            column = pyarrow.array(["1"])
            table = pyarrow.table([column, column, column], names=["sound_id", "audio", "audio"])
            pyarrow.parquet.write_table(table, path)
        else:
            half = {"cut": content[:-20], "middle": content[:60] + b"\xff" * 300 + content[360:], "no parquet": b"x"}
            path.write_bytes(half[damage])
        with pytest.raises(DataFormatError, match=r"clips\.parquet"):
            label_library(model, path, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_a_column_that_stands_twice_in_a_table(model, clips, tmp_path):
    with pytest.raises(DataFormatError, match=r"'title'.* stand twice"):
        label_library(model, pd.concat([clips, clips[["title"]]], axis=1), tmp_path / "out")
