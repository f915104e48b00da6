import shutil
import warnings
from copy import deepcopy

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbst.datasets import load_bsd, make_bst_clips
from skbst.features import (
    BlockSelector,
    ClipFeaturizer,
    MFCCFeaturizer,
    ShippedEmbeddingFeaturizer,
    TextLSAFeaturizer,
)
from skbst.persistence import save_model
from skbst.taxonomy import BST

# a broken pyarrow raises ImportError, too
pytest.importorskip("pyarrow", exc_type=ImportError)

ROWS = 4


@pytest.fixture(scope="module")
def library(example):
    return example("label_library")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    root = tmp_path_factory.mktemp("library") / "clips"
    make_bst_clips(root, n_clips=46, max_duration=0.2, sample_rate=16000, class_weights="balanced", random_state=0)
    return load_bsd(root)


@pytest.fixture(scope="module")
def model(clips):
    mfcc = ClipFeaturizer([("mfcc", MFCCFeaturizer(duration=0.2))])
    return make_pipeline(mfcc, BlockSelector(["mfcc"]), StandardScaler(), LogisticRegression(C=0.01)).fit(
        clips.data, clips.target
    )


@pytest.fixture
def folder(tmp_path, clips, model):
    """A folder with a model, a manifest of 22 clips (five full parts and a half one), and nothing labelled."""
    joblib.dump(model, tmp_path / "model.joblib")
    write_manifest(tmp_path, clips.data.iloc[:22])
    return tmp_path


def write_manifest(folder, data):
    data.to_csv(folder / "clips.csv", index_label="sound_id")


def arguments(base, **changes):
    given = {"manifest": base / "clips.csv", "model": base / "model.joblib", "out": base / "out", "rows": ROWS}
    given = {name: value for name, value in {**given, **changes}.items() if value is not None}
    return [str(word) for name, value in given.items() for word in (f"--{name}", value)]


def counts(capsys):
    """How many clips the last run labelled, and how many it found."""
    words = capsys.readouterr().out.split()
    return int(words[0]), int(words[3])


def parts(folder):
    return {path.name: path.stat().st_mtime_ns for path in sorted((folder / "out").glob("part-*"))}


def test_the_parts_together_are_the_one_go_prediction(library, folder, clips, model, capsys):
    library.main(arguments(folder))
    assert counts(capsys) == (22, 0)
    assert len(parts(folder)) == 6
    table = pd.read_parquet(folder / "out")
    data = clips.data.iloc[:22]
    proba = model.predict_proba(data)
    assert table["sound_id"].tolist() == data.index.tolist()
    assert_array_equal(table["predicted"], model.predict(data))
    assert table["top"].tolist() == [code.split("-")[0] for code in model.predict(data)]
    assert_allclose(table["proba"], proba.max(axis=1), atol=1e-6)
    assert_allclose(table[["proba_1", "proba_2", "proba_3"]], -np.sort(-proba, axis=1)[:, :3], atol=1e-6)
    assert_array_equal(table["class_2"], model.classes_[np.argsort(-proba, axis=1, kind="stable")[:, 1]])
    assert set(table["problem"]) == {""}


def test_a_killed_run_goes_on_where_it_stopped(library, run_killed, folder, capsys):
    run_killed("label_library", ".parquet", 4, *arguments(folder))
    before = parts(folder)
    assert sum(name.endswith(".parquet") for name in before) == 3
    assert list((folder / "out").glob(".part-*.tmp"))
    assert len(pd.read_parquet(folder / "out")) == 3 * ROWS
    library.main(arguments(folder))
    assert counts(capsys) == (22 - 3 * ROWS, 3 * ROWS)
    after = parts(folder)
    assert len(after) == 6
    assert not list((folder / "out").glob(".part-*.tmp"))
    assert {name: time for name, time in before.items() if name.endswith(".parquet")}.items() <= after.items()
    library.main(arguments(folder, out=folder / "again"))
    assert_frame_equal(pd.read_parquet(folder / "out"), pd.read_parquet(folder / "again"))


def test_changed_rows_recompute_only_their_part(library, folder, clips, capsys):
    library.main(arguments(folder))
    before = parts(folder)
    changed = clips.data.iloc[:22].copy()
    changed.loc[changed.index[9], "audio"] = clips.data["audio"].iloc[22]
    write_manifest(folder, changed)
    capsys.readouterr()
    library.main(arguments(folder))
    assert counts(capsys) == (ROWS, 22 - ROWS)
    after = parts(folder)
    assert len(after) == 6
    assert [a[:11] for a, b in zip(after, before) if a != b] == ["part-000002"]
    assert {name: before[name] for name in before if name in after}.items() <= after.items()


def test_a_changed_file_or_model_is_noticed(library, folder, clips, model, tmp_path, capsys):
    copy = tmp_path / "copy.wav"
    shutil.copy(clips.data["audio"].iloc[0], copy)
    data = clips.data.iloc[:22].copy()
    data.iloc[0, data.columns.get_loc("audio")] = copy.name
    write_manifest(folder, data)
    library.main(arguments(folder))
    capsys.readouterr()
    shutil.copy(clips.data["audio"].iloc[1], copy)
    library.main(arguments(folder))
    assert counts(capsys) == (ROWS, 22 - ROWS)
    other = deepcopy(model)
    other[-1].coef_ *= 2
    joblib.dump(other, folder / "model.joblib")
    library.main(arguments(folder))
    assert counts(capsys) == (22, 0)


def test_a_shorter_manifest_leaves_no_old_rows(library, folder, clips, capsys):
    library.main(arguments(folder))
    write_manifest(folder, clips.data.iloc[:9])
    capsys.readouterr()
    library.main(arguments(folder))
    assert counts(capsys) == (1, 8)
    assert pd.read_parquet(folder / "out")["sound_id"].tolist() == clips.data.index[:9].tolist()


def test_a_broken_file_is_labelled_and_named(library, folder, clips, tmp_path):
    (tmp_path / "empty.wav").write_bytes(b"")
    data = clips.data.iloc[:6].copy()
    data.iloc[4, data.columns.get_loc("audio")] = "empty.wav"
    write_manifest(folder, data)
    library.main(arguments(folder))
    table = pd.read_parquet(folder / "out")
    assert len(table) == 6
    assert (table["problem"] != "").tolist() == [False] * 4 + [True, False]


def test_a_saved_folder_and_a_folder_of_sounds(library, folder, clips, model, capsys):
    save_model(model, folder / "model")
    library.main(arguments(folder, manifest=None, folder=clips.root / "audio", model=folder / "model"))
    assert counts(capsys) == (46, 0)
    table = pd.read_parquet(folder / "out").set_index("sound_id")
    expected = dict(zip(clips.data.index, model.predict(clips.data)))
    found = {str(sound).removesuffix(".wav"): code for sound, code in table["predicted"].items()}
    assert found == expected


def test_missing_columns_are_named(library, folder):
    (folder / "clips.csv").write_text("id,audio\n1,a.wav\n")
    with pytest.raises(SystemExit, match="sound_id"):
        library.main(arguments(folder))


@pytest.mark.parametrize(("text", "message"), [("sound_id,audio,title\n", "a header but no rows"), ("", "is empty")])
def test_a_manifest_without_clips_removes_nothing(library, folder, text, message):
    library.main(arguments(folder))
    before = parts(folder)
    (folder / "clips.csv").write_text(text)
    with pytest.raises(SystemExit, match=message):
        library.main(arguments(folder))
    assert parts(folder) == before


def test_a_missing_embedding_is_named(library, tmp_path):
    root = make_bst_clips(
        tmp_path / "clips", n_clips=46, max_duration=0.1, sample_rate=8000, with_embeddings=True, n_empty_files=0
    )
    clips = load_bsd(root)
    shipped = ClipFeaturizer([("clap_audio", ShippedEmbeddingFeaturizer()), ("text", TextLSAFeaturizer(4))])
    model = make_pipeline(shipped, BlockSelector(), LogisticRegression()).fit(clips.data, clips.target)
    lost = clips.data.index[1]
    (root / "features" / "clap_audio_embeddings" / f"{lost}.npy").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = library.label(model, clips.data.iloc[:3], BST)
    assert table["problem"].tolist() == ["", "clap_audio embedding: no file", ""]


def test_a_model_that_decides_otherwise_is_asked(library, clips):
    two = clips.target.isin(["fx-a", "sp-s"])
    words = make_column_transformer((CountVectorizer(), "title"))
    cautious = FixedThresholdClassifier(LogisticRegression(), threshold=0.99)
    model = make_pipeline(words, cautious).fit(clips.data[two], clips.target[two])
    table = library.label(model, clips.data, BST)
    assert set(table["predicted"]) == {"fx-a"} != set(table["class_1"])
    assert_allclose(table["proba"], model.predict_proba(clips.data)[:, 0], atol=1e-6)


def test_dask_workers_label_the_same(library, folder, clips, capsys):
    pytest.importorskip("distributed")
    words = make_column_transformer((CountVectorizer(), "title"))
    joblib.dump(make_pipeline(words, LogisticRegression()).fit(clips.data, clips.target), folder / "model.joblib")
    library.main(arguments(folder))
    library.main(arguments(folder, out=folder / "dask", dask="local"))
    assert counts(capsys) == (22, 0)
    assert_frame_equal(pd.read_parquet(folder / "out"), pd.read_parquet(folder / "dask"))
