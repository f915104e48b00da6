import os
import warnings

import numpy as np
import pandas as pd
import pytest

from skbst.exceptions import DataFormatError
from skbst.features import ClipFeaturizer, ShippedEmbeddingFeaturizer, TextLSAFeaturizer

FOLDER = "features/clap_audio_embeddings"
VECTORS = np.arange(1, 9, dtype=np.float32).reshape(4, 2)


def write_vectors(root, ids, vectors=VECTORS):
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for sound_id, vector in zip(ids, vectors):
        np.save(folder / f"{sound_id}.npy", vector)
    return folder


@pytest.fixture
def root(tmp_path):
    write_vectors(tmp_path, ["10", "20", "30", "40"])
    return tmp_path


@pytest.fixture
def clips(root):
    """Four rows that lead to the folder by the path of their sound."""
    ids = ["30", "10", "40", "20"]
    return pd.DataFrame({"audio": [f"{root}/audio/{i}.wav" for i in ids], "title": "a"}, index=ids)


@pytest.fixture
def featurizer(clips):
    return ShippedEmbeddingFeaturizer().fit(clips)


def test_no_row_is_dropped(featurizer, clips, root):
    (root / FOLDER / "10.npy").unlink()
    clips.loc["40", "audio"] = ""
    with pytest.warns(
        UserWarning, match=r"2 of 4 clips have no shipped clap_audio embedding \(first: 10: no file"
    ) as told:
        found = featurizer.transform(clips)
    assert told[0].filename == __file__
    np.testing.assert_array_equal(found, [VECTORS[2], [0, 0], [0, 0], VECTORS[1]])
    assert found.dtype == np.float32
    same, report = featurizer.transform_with_problems(clips)
    np.testing.assert_array_equal(same, found)
    assert report.index.tolist() == ["10", "40"]
    assert report["reason"].tolist() == ["clap_audio embedding: no file", "clap_audio embedding: no path"]
    assert report["audio"].tolist() == [str(root / FOLDER / "10.npy"), ""]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        featurizer.transform(clips.iloc[[0]])
        assert featurizer.transform_with_problems(clips.iloc[[0]])[1].empty


@pytest.mark.parametrize("content", [b"", b"no array", None])
def test_a_damaged_file_is_neutral_too(featurizer, clips, root, content):
    path = root / FOLDER / "20.npy"
    np.save(path, np.array([1, np.nan], dtype=np.float32)) if content is None else path.write_bytes(content)
    with pytest.warns(UserWarning, match="1 of 4 clips .*20: damaged"):
        found = featurizer.transform(clips)
    np.testing.assert_array_equal(found, [VECTORS[2], VECTORS[0], VECTORS[3], [0, 0]])
    assert str(path) in featurizer.transform_with_problems(clips)[1].loc["20", "detail"]


def test_a_row_alone_and_a_batch_without_any(featurizer, clips):
    with pytest.warns(UserWarning, match="4 of 4 clips"):
        found = featurizer.transform(clips.assign(audio=""))
    np.testing.assert_array_equal(found, np.zeros((4, 2)))
    with pytest.warns(UserWarning, match="1 of 1 clips"):
        found = featurizer.transform(clips.iloc[:1].assign(audio="/nowhere/audio/1.wav"))
    np.testing.assert_array_equal(found, np.zeros((1, 2)))


def test_raise_says_what_to_do(clips, root):
    (root / FOLDER / "10.npy").unlink()
    message = r"1 of 4 clips .*first: 10: no file.*Compute them with ClapAudioFeaturizer, or pass on_missing=\"zero\""
    with pytest.raises(DataFormatError, match=message):
        ShippedEmbeddingFeaturizer(on_missing="raise").fit(clips)
    featurizer = ShippedEmbeddingFeaturizer(on_missing="raise").fit(clips.drop(index="10"))
    with pytest.raises(DataFormatError, match=message):
        featurizer.transform(clips)


def test_a_training_set_without_any_is_an_error(clips):
    with pytest.raises(DataFormatError, match=r"4 of 4 clips .*no path\)\. Pass root=, the folder above features/clap"):
        ShippedEmbeddingFeaturizer().fit(clips.assign(audio=""))
    with pytest.raises(DataFormatError, match="Pass root="):
        ShippedEmbeddingFeaturizer().fit(clips[["title"]])
    with pytest.raises(
        DataFormatError, match=r"no file, .*clap_text_embeddings.*Compute them with ClapTextFeaturizer\."
    ):
        ShippedEmbeddingFeaturizer("clap_text").fit(clips)


def test_a_training_set_without_some_warns_once(clips, root):
    (root / FOLDER / "10.npy").unlink()
    with pytest.warns(UserWarning, match="1 of 4 clips") as told:
        found = ClipFeaturizer([("clap_audio", ShippedEmbeddingFeaturizer())]).fit_transform(clips)["clap_audio"]
    assert len(told) == 1
    np.testing.assert_array_equal(found, [VECTORS[2], [0, 0], VECTORS[3], VECTORS[1]])


def test_root_needs_no_sound(clips, root):
    expected = ShippedEmbeddingFeaturizer().fit_transform(clips)
    for data in (clips[["title"]], clips.assign(audio="")):
        found = ShippedEmbeddingFeaturizer(root=root).fit_transform(data)
        np.testing.assert_array_equal(found, expected)


def test_several_folders_and_ids_with_an_extension(clips, root, tmp_path):
    other = tmp_path / "other"
    write_vectors(other, ["10", "99"], 100 * VECTORS)
    more = pd.DataFrame(
        {"audio": [f"{other}/audio/10.wav", f"{other}/audio/99.wav"], "title": ""}, index=["10.wav", "99"]
    )
    found = ShippedEmbeddingFeaturizer().fit_transform(pd.concat([more, clips]).iloc[[0, 3, 1]])
    np.testing.assert_array_equal(found, [100 * VECTORS[0], VECTORS[0], 100 * VECTORS[1]])


def test_vectors_of_another_model_are_refused(featurizer, clips, tmp_path):
    other = tmp_path / "other"
    write_vectors(other, ["30"], np.ones((1, 3), dtype=np.float32))
    strange = clips.iloc[:1].assign(audio=f"{other}/audio/30.wav")
    with pytest.raises(DataFormatError, match="have 3 values here and had 2 in fit"):
        featurizer.transform(strange)
    with pytest.raises(DataFormatError, match="All embeddings of a folder come from one model"):
        featurizer.transform(pd.concat([strange, clips]))


def test_what_is_no_table_or_empty(featurizer, clips):
    with pytest.raises(DataFormatError, match="found by a table's index"):
        ShippedEmbeddingFeaturizer().fit(VECTORS)
    with pytest.raises(DataFormatError, match="Found 0 rows"):
        featurizer.transform(clips.iloc[:0])


def test_beside_another_block(clips, root):
    both = ClipFeaturizer([("clap_audio", ShippedEmbeddingFeaturizer()), ("text", TextLSAFeaturizer())]).fit(clips)
    (root / FOLDER / "10.npy").unlink()
    with pytest.warns(UserWarning, match="1 of 4 clips"):
        bundle = both.transform(clips)
    assert len(bundle) == 4
    assert bundle.problems["sound_id"].tolist() == ["10"]


def test_a_few_of_many_vectors_are_found_without_listing_the_folder(root, monkeypatch):
    featurizer = ShippedEmbeddingFeaturizer(root=root).fit(pd.DataFrame({"audio": ""}, index=["10", "20"]))

    def no_listing(*args):
        raise AssertionError("the folder was listed")

    monkeypatch.setattr(os, "scandir", no_listing)
    monkeypatch.setattr(os, "listdir", no_listing)
    rows, problems = featurizer.transform_with_problems(pd.DataFrame({"audio": ""}, index=["30.wav", "10", "gone"]))
    np.testing.assert_array_equal(rows[:2], VECTORS[[2, 0]])
    assert problems["position"].tolist() == [2]


@pytest.mark.parametrize("sound_id", ["../10", "sub/10", "/etc/10", "10\0", ""])
def test_an_id_leads_out_of_no_folder(sound_id, root):
    featurizer = ShippedEmbeddingFeaturizer(root=root).fit(pd.DataFrame({"audio": ""}, index=["10", "20"]))
    (root / "features" / "10.npy").write_bytes(b"not for this reader")
    _, problems = featurizer.transform_with_problems(pd.DataFrame({"audio": ""}, index=["10", sound_id]))
    assert problems["reason"].tolist() == ["clap_audio embedding: no file"]
