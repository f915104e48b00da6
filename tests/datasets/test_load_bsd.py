import pickle
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile

from skbst.datasets import load_bsd
from skbst.exceptions import DataFormatError
from skbst.taxonomy import BST, Taxonomy

HEADER = "ClassKey,ClassName,TopLevel,Description,Examples\n"


def write_taxonomy(path, extra=""):
    lines = [
        f'{leaf},"{BST.leaf_names[leaf]}",{BST.top_names[top]},"{BST.leaf_descriptions[leaf]}",'
        for leaf, top in zip(BST.leaves, BST.top_of(BST.leaves), strict=True)
    ]
    path.write_text(HEADER + "\n".join(lines) + "\n" + extra, encoding="utf-8")


def test_keeps_rows_texts_and_order(write_bsd):
    root = write_bsd()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bunch = load_bsd(root)
    assert bunch.data.index.tolist() == ["11", "7", "100", "33"]
    assert bunch.data.index.name == "sound_id"
    assert bunch.data.columns.tolist() == ["audio", "title", "tags", "description"]
    assert bunch.target.tolist() == ["fx-a", "ss-n", "m-sp", "fx-a"]
    assert bunch.target.name == "class"
    assert bunch.target.index.equals(bunch.data.index)
    assert bunch.data.loc["100", "title"] == "NA"
    assert bunch.data.loc["11", "description"] == 'Says "woof",\r\nthen\nstops.'
    assert (bunch.data.loc["33", ["title", "tags", "description"]] == "").all()
    assert [soundfile.info(path).samplerate for path in bunch.data["audio"]] == [8000] * 4
    assert bunch.metadata["uploader"].tolist() == ["ann", "bob", "bob", "cid"]
    np.testing.assert_array_equal(bunch.metadata["confidence"], [5, 4, 2, np.nan])
    assert bunch.taxonomy is BST
    assert bunch.embeddings == {}
    assert len(bunch.left_out) == 0
    assert "4 sounds, 3 classes, 4 with a sound file, 3 with text" in bunch.DESCR
    assert pickle.loads(pickle.dumps(bunch)).data.equals(bunch.data)


def test_uploaders_are_handed_over(write_bsd, rows):
    bunch = load_bsd(write_bsd([dict(rows[0], uploader=" "), *rows[1:3], dict(rows[3], uploader="")]))
    assert bunch.groups.index.equals(bunch.data.index)
    assert bunch.groups.isna().tolist() == [True, False, False, True]
    assert bunch.groups.tolist()[1:3] == ["bob", "bob"]


def test_a_table_without_uploaders_has_no_groups(write_bsd, rows):
    assert load_bsd(write_bsd([{k: v for k, v in row.items() if k != "uploader"} for row in rows])).groups is None


def test_return_X_y(write_bsd):
    data, target = load_bsd(write_bsd(), return_X_y=True)
    assert len(data) == len(target) == 4


@pytest.mark.parametrize("name", ["BST_description.csv", "BTS_description.csv", "taxonomy_metadata.csv"])
def test_reads_either_taxonomy_table(write_bsd, name):
    root = write_bsd()
    write_taxonomy(root / "metadata" / name, "m-other,Other,Music,,\nfx-d,Design,Sound effects,,\n")
    bunch = load_bsd(root)
    assert bunch.taxonomy == BST
    assert bunch.taxonomy is not BST
    assert len(bunch.data) == 4


def test_two_taxonomy_tables_must_agree(write_bsd):
    root = write_bsd()
    write_taxonomy(root / "metadata/BST_description.csv")
    write_taxonomy(root / "metadata/BTS_description.csv")
    load_bsd(root)
    (root / "metadata/BTS_description.csv").write_text(HEADER + "fx-a,Animals,Sound effects,,\n")
    with pytest.raises(DataFormatError, match="different trees"):
        load_bsd(root)


def test_tree_of_ones_own(write_bsd, rows):
    for row in rows:
        row["class"] = "pet-dog"
        del row["class_top"], row["class_idx"]
    root = write_bsd(rows)
    with pytest.raises(DataFormatError, match=r"line 4, column 'class': 'pet-dog' .* \(4 of 4 rows.*taxonomy="):
        load_bsd(root)
    tree = Taxonomy({"pet-dog": "pet", "pet-cat": "pet"})
    assert load_bsd(root, taxonomy=tree).taxonomy is tree
    (root / "metadata/BST_description.csv").write_text(HEADER + "pet-dog,Dog,Pets,,\npet-cat,Cat,Pets,,\n")
    assert load_bsd(root).taxonomy == tree


def test_tree_of_ones_own_without_hyphens(write_bsd, rows):
    rows = [row | {"class": name} for row, name in zip(rows, ("dog", "cat", "dog", "cat"), strict=True)]
    for row in rows:
        del row["class_top"], row["class_idx"]
    root = write_bsd(rows)
    (root / "metadata/BST_description.csv").write_text(HEADER + "dog,Dog,Animals,,\ncat,Cat,Animals,,\n")
    bunch = load_bsd(root)
    assert bunch.target.tolist() == ["dog", "cat", "dog", "cat"]
    assert bunch.taxonomy == Taxonomy({"dog": "Animals", "cat": "Animals"})


def test_version_1_0(write_bsd, rows):
    table = [
        {
            key: row[key]
            for key in ("sound_id", "class", "class_idx", "class_top", "uploader", "license", "tags", "title")
        }
        | {"set": "train", "class_idx": str(BST.leaf_index([row["class"]])[0])}
        for row in rows
    ]
    bunch = load_bsd(write_bsd(table, table="BSD10k_metadata.csv", audio=None), on_missing_audio="ignore")
    assert (bunch.data["description"] == "").all()
    assert (bunch.data["audio"] == "").all()
    assert bunch.data.loc["11", "title"] == "Dog"
    assert bunch.metadata["set"].tolist() == ["train"] * 4


def test_without_labels(write_bsd, rows):
    table = [
        {"anonymous_id": f"{i}.wav", "title": r["title"], "tags": "", "description": ""} for i, r in enumerate(rows)
    ]
    root = write_bsd(table, table="metadata/BSD2k_metadata.csv", embeddings=["clap_audio_embeddings"])
    for path in (root / "features/clap_audio_embeddings").iterdir():
        path.rename(path.with_name(path.name.replace(".wav", "")))
    (root / "audio/1.wav").write_bytes(b"")
    bunch = load_bsd(root)
    assert bunch.target is None
    assert bunch.data.index.tolist() == ["0.wav", "1.wav", "2.wav", "3.wav"]
    assert bunch.data.index.name == "sound_id"
    assert bunch.data["audio"].str.endswith(".wav").all()
    assert not bunch.data["audio"].str.endswith(".wav.wav").any()
    assert bunch.embeddings["clap_audio"].shape == (4, 6)
    with pytest.raises(DataFormatError, match="no labels; return_X_y=True"):
        load_bsd(root, return_X_y=True)
    with pytest.raises(DataFormatError, match="column 'class' is missing"):
        load_bsd(root, labelled=True)


def test_labels_can_be_left(write_bsd, rows):
    assert load_bsd(write_bsd(), labelled=False).target is None


def test_rows_without_second_level_are_counted(write_bsd, rows):
    rows[0] |= {"class": "fx-other", "class_idx": "499"}
    rows[1] |= {"class": "ss", "class_idx": "500"}
    root = write_bsd(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bunch = load_bsd(root)
    assert bunch.data.index.tolist() == ["100", "33"]
    assert bunch.left_out.index.tolist() == ["11", "7"]
    assert bunch.left_out["reason"].str.contains("-other").tolist() == [True, False]
    assert bunch.left_out["line"].tolist() == [4, 5]
    assert "Left out: 1 (class is a top level without a second level)." in bunch.DESCR
    with_other = load_bsd(root, include_other=True)
    assert with_other.target.tolist() == ["fx-other", "m-sp", "fx-a"]
    assert with_other.taxonomy.n_leaves == 28
    assert with_other.taxonomy.top_of(["fx-other"]).tolist() == ["fx"]


def test_empty_class_is_reported(write_bsd, rows):
    rows[2]["class"] = " "
    with pytest.warns(UserWarning, match="1 of 4 rows have an empty class"):
        bunch = load_bsd(write_bsd(rows))
    assert bunch.left_out["reason"].tolist() == ["no class"]


def test_all_classes_empty(write_bsd, rows):
    root = write_bsd([row | {"class": ""} for row in rows])
    with pytest.raises(DataFormatError, match="empty in every row"):
        load_bsd(root)


def test_confidence_filter(write_bsd, rows):
    root = write_bsd()
    bunch = load_bsd(root, min_confidence=4)
    assert bunch.data.index.tolist() == ["11", "7"]
    assert bunch.left_out["reason"].tolist() == ["confidence below 4", "no confidence"]
    shutil.rmtree(root)
    write_bsd([row | {"confidence": ""} for row in rows])
    with pytest.raises(DataFormatError, match="empty in every row"):
        load_bsd(root, min_confidence=4)
    shutil.rmtree(root)
    write_bsd([row | {"confidence": "high"} for row in rows])
    with pytest.raises(DataFormatError, match="line 4, column 'confidence': 'high' is not a number"):
        load_bsd(root)


@pytest.mark.parametrize("confidence", ["9", "0", "-1", "inf", "5.5", "1e400"])
def test_confidence_is_a_score_from_1_to_5(write_bsd, rows, confidence):
    rows[1]["confidence"] = confidence
    with pytest.raises(
        DataFormatError, match=f"line 5, column 'confidence': '{confidence}' is not a number from 1 to 5"
    ):
        load_bsd(write_bsd(rows))


def test_confidence_may_be_any_score_or_none(write_bsd, rows):
    for row, cell in zip(rows, ("1", " 5 ", "3.5", " NaN"), strict=True):
        row["confidence"] = cell
    np.testing.assert_array_equal(load_bsd(write_bsd(rows)).metadata["confidence"], [1, 5, 3.5, np.nan])


def test_license_filter(write_bsd):
    with pytest.warns(UserWarning, match=r"1 rows have a licence that is not a known.*unspecified"):
        bunch = load_bsd(write_bsd(), commercial_use=True)
    assert bunch.data.index.tolist() == ["11", "7"]
    assert bunch.left_out["reason"].tolist() == [
        "licence BY-NC does not allow commercial use",
        "licence not known ('unspecified')",
    ]


def test_filters_that_leave_nothing(write_bsd, rows):
    root = write_bsd(rows[2:3])
    with pytest.raises(DataFormatError, match=r"no row is left of 1; reasons: .*BY-NC does not allow"):
        load_bsd(root, commercial_use=True)


@pytest.mark.parametrize("extension", [".flac", ".ogg", ".aiff", ".WAV"])
def test_any_audio_extension(write_bsd, extension):
    assert load_bsd(write_bsd(audio=extension)).data["audio"].str.endswith(extension).all()


def test_sounds_beside_the_table(write_bsd):
    root = write_bsd(table="my_metadata.csv")
    for path in list((root / "audio").iterdir()):
        path.rename(root / path.name)
    (root / "audio").rmdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bunch = load_bsd(root)
    assert bunch.data["audio"].tolist() == [str(root / f"{name}.wav") for name in (11, 7, 100, 33)]
    (root / "metadata").mkdir()
    (root / "my_metadata.csv").rename(root / "metadata/my_metadata.csv")
    assert load_bsd(root).data["audio"].tolist() == bunch.data["audio"].tolist()


def test_names_of_folders_in_any_case(write_bsd):
    root = write_bsd(embeddings=["clap_audio_embeddings"])
    (root / "features/clap_audio_embeddings").rename(root / "features/CLAP_audio_embeddings")
    for name in ("audio", "metadata", "features"):
        (root / name).rename(root / name.title())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bunch = load_bsd(root)
    assert bunch.data["audio"].str.startswith(str(root / "Audio")).all()
    assert bunch.embeddings["clap_audio"].shape == (4, 6)
    (root / "Audio").rename(root / "recordings")
    with pytest.warns(UserWarning, match=r"no folder audio/ \(its folders: \['Features', 'Metadata', 'recordings'\]\)"):
        load_bsd(root)
    with pytest.raises(DataFormatError, match=f"Pass {root}"):
        load_bsd(root.parent)


def test_an_id_with_an_extension_finds_another_format(write_bsd, rows):
    for row in rows[:3]:
        row["sound_id"] += ".wav"
    rows[3]["sound_id"] += ".x"
    root = write_bsd(rows, audio=None)
    (root / "audio").mkdir()
    for name in ("11.flac", "7.WAV", "100.wav", "100.ogg", "33.flac"):
        (root / "audio" / name).write_bytes(b"")
    audio = load_bsd(root, on_missing_audio="ignore").data["audio"]
    assert [path.split("/")[-1] for path in audio] == ["11.flac", "7.WAV", "100.wav", ""]
    (root / "audio/11.ogg").write_bytes(b"")
    with pytest.raises(DataFormatError, match=r"2 files belong to sound '11.wav': \['11.flac', '11.ogg'\]"):
        load_bsd(root)


def test_missing_audio(write_bsd):
    root = write_bsd()
    (root / "audio/7.wav").unlink()
    with pytest.warns(UserWarning, match=r"1 of 4 sounds have no file \(first: 7\)"):
        bunch = load_bsd(root)
    assert bunch.data.loc["7", "audio"] == ""
    dropped = load_bsd(root, on_missing_audio="drop")
    assert dropped.data.index.tolist() == ["11", "100", "33"]
    assert dropped.left_out["reason"].to_dict() == {"7": "no sound file"}
    with pytest.raises(DataFormatError, match="1 of 4 sounds have no file"):
        load_bsd(root, on_missing_audio="raise")


def test_no_audio_folder_is_said(write_bsd):
    root = write_bsd(audio=None)
    with pytest.warns(UserWarning, match="no folder audio/.*only text") as record:
        load_bsd(root)
    assert len(record) == 1
    assert record[0].filename == __file__


def test_two_files_of_one_sound(write_bsd):
    root = write_bsd()
    soundfile.write(root / "audio/7.flac", np.zeros(10), 8000)
    with pytest.raises(DataFormatError, match=r"2 files belong to sound '7': \['7.flac', '7.wav'\]"):
        load_bsd(root)


def test_embeddings(write_bsd):
    root = write_bsd(embeddings=["clap_audio_embeddings", "clap_text_embeddings"])
    bunch = load_bsd(root, min_confidence=3)
    assert bunch.embeddings.keys() == {"clap_audio", "clap_text"}
    np.testing.assert_array_equal(bunch.embeddings["clap_text"], np.eye(6, dtype=np.float32)[:2])
    assert bunch.embeddings["clap_text"].dtype == np.float32
    assert load_bsd(root, load_embeddings=False).embeddings == {}


def test_missing_embeddings(write_bsd):
    root = write_bsd(embeddings=["clap_audio_embeddings", "clap_text_embeddings"])
    (root / "features/clap_text_embeddings/7.npy").unlink()
    with pytest.raises(DataFormatError, match=r"clap_text_embeddings: 1 of 4 sounds .*\(first: 7\)"):
        load_bsd(root)
    with pytest.warns(UserWarning, match="they are NaN"):
        bunch = load_bsd(root, on_missing_embedding="nan")
    np.testing.assert_array_equal(np.isnan(bunch.embeddings["clap_text"]).all(axis=1), [False, True, False, False])
    bunch = load_bsd(root, on_missing_embedding="drop")
    assert bunch.data.index.tolist() == ["11", "100", "33"]
    np.testing.assert_array_equal(bunch.embeddings["clap_audio"], np.eye(6)[[0, 2, 3]])
    assert bunch.left_out["reason"].to_dict() == {"7": "no clap_text embedding"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.array([1, np.nan, 0, 0, 0, 0], dtype=np.float32), "7.npy: NaN or infinity"),
        (np.ones(5, dtype=np.float32), "7.npy: 5 values, but the files before it have 6"),
        (np.ones((2, 3), dtype=np.float32), r"7.npy: expected one vector of numbers, got an array of shape \(2, 3\)"),
        (np.array(["a"] * 6), "7.npy: expected one vector"),
        (np.array([None] * 6, dtype=object), "7.npy: not a readable .npy file"),
        (b"", "7.npy: not a readable .npy file"),
        (b"\x93NUMPY\x01\x00", "7.npy: not a readable .npy file"),
    ],
)
def test_bad_embedding_names_the_file(write_bsd, content, message):
    root = write_bsd(embeddings=["clap_audio_embeddings"])
    path = root / "features/clap_audio_embeddings/7.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    with pytest.raises(DataFormatError, match=message):
        load_bsd(root)


def test_other_float_types_and_norms(write_bsd):
    root = write_bsd(embeddings=["clap_audio_embeddings"])
    np.save(root / "features/clap_audio_embeddings/7.npy", np.full((1, 6), 2.0))
    with pytest.warns(UserWarning, match=r"L2 norms of the embeddings run from 1 to 4.9"):
        bunch = load_bsd(root)
    np.testing.assert_array_equal(bunch.embeddings["clap_audio"][1], [2] * 6)
    np.save(root / "features/clap_audio_embeddings/7.npy", np.zeros(6, dtype=np.float32))
    with pytest.warns(UserWarning, match="1 of 4 embeddings are all zeros"):
        load_bsd(root)


def test_empty_features_folder(write_bsd):
    root = write_bsd()
    (root / "features/clap_audio_embeddings").mkdir(parents=True)
    with pytest.raises(DataFormatError, match=r"none of the 4 sounds has a file such as 11\.npy"):
        load_bsd(root)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sound_id,", "ID,", r"column 'sound_id' \(or 'anonymous_id'.*found \['ID', 'class'"),
        (",class,", ",label,", "column 'class' is missing; found .*labelled=False"),
        (",title,", ",name,", "column 'title' is missing"),
        (",tags,", ",Tags,", "column 'Tags' must be spelled 'tags'"),
        (",tags,", ",title,", r"column\(s\) \['title'\] stand twice"),
        ("\n7,", "\n11,", r"1 id\(s\) stand more than once \(first: '11' in lines \[4, 5\]\)"),
        ("\n7,", "\n,", "line 5, column 'sound_id': 1 row.s. have no id"),
        ("7,ss-n", "7,ss-zz", r"line 5, column 'class': 'ss-zz' is not a class .*\(1 of 4 rows"),
        ("Forest,birds", "Forest,birds,trees", "line 5: 11 cells, but the header has 10"),
        ("Forest,birds,", "Forest", "line 5: 8 cells"),
        ("Forest", '"Forest', "not valid CSV|cells, but"),
    ],
)
def test_bad_table_names_file_line_and_column(write_bsd, old, new, message):
    root = write_bsd()
    path = root / "metadata/BSD10k_metadata.csv"
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())
    with pytest.raises(DataFormatError, match=message) as error:
        load_bsd(root)
    assert "BSD10k_metadata.csv" in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"sound_id,class,title,tags\n", "a header but no rows"),
        (b"sound_id,class,title,tags\n1,fx-a,caf\xe9,\n", "line 2: byte 0xe9 is not UTF-8"),
    ],
)
def test_unusable_file(write_bsd, content, message):
    root = write_bsd()
    (root / "metadata/BSD10k_metadata.csv").write_bytes(content)
    with pytest.raises(DataFormatError, match=message):
        load_bsd(root)


def test_byte_order_mark(write_bsd):
    assert len(load_bsd(write_bsd(encoding="utf-8-sig")).data) == 4


def test_contradicting_columns_warn_and_class_wins(write_bsd, rows):
    rows[3] |= {"class_idx": "406", "class_top": "m"}
    with pytest.warns(UserWarning, match="class is used") as record:
        bunch = load_bsd(write_bsd(rows))
    messages = [str(warning.message) for warning in record]
    assert any("line 7: class_top is 'm' but class is 'fx-a'" in message for message in messages)
    assert any("class 'fx-a' stands with idx ['405', '406']" in message for message in messages)
    assert bunch.target["33"] == "fx-a"


@pytest.mark.parametrize("blank", ["", " "])
def test_blank_cells_contradict_nothing(write_bsd, rows, blank):
    rows[0] |= {"class_idx": blank, "class_top": blank}
    rows[1]["class_idx"] = blank
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_bsd(write_bsd(rows))


def test_folders_that_are_no_data_set(write_bsd, tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_bsd(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataFormatError, match="the folder is empty"):
        load_bsd(empty)
    (empty / "a.wav").write_bytes(b"")
    with pytest.raises(DataFormatError, match=r"found \['a.wav'\].*clips_from_folder"):
        load_bsd(empty)
    root = write_bsd()
    with pytest.raises(DataFormatError, match=f"Pass {root}"):
        load_bsd(root.parent)
    with pytest.raises(FileNotFoundError, match="is a file"):
        load_bsd(root / "metadata/BSD10k_metadata.csv")


def test_two_metadata_tables(write_bsd):
    root = write_bsd()
    shutil.copy(root / "metadata/BSD10k_metadata.csv", root / "metadata/old_metadata.csv")
    with pytest.raises(DataFormatError, match=r"2 metadata tables: .*metadata_file='metadata/BSD10k_metadata.csv'"):
        load_bsd(root)
    assert len(load_bsd(root, metadata_file="metadata/old_metadata.csv").data) == 4
    with pytest.raises(FileNotFoundError, match=r"metadata_file='no\.csv'"):
        load_bsd(root, metadata_file="no.csv")


def test_ids_never_leave_the_folder(write_bsd, rows):
    root = write_bsd(rows)
    soundfile.write(root / "secret.wav", np.zeros(8), 8000)
    path = root / "metadata/BSD10k_metadata.csv"
    path.write_bytes(path.read_bytes().replace(b"\n7,", b"\n../secret,"))
    with pytest.warns(UserWarning, match="first: ../secret"):
        assert load_bsd(root).data.loc["../secret", "audio"] == ""


@pytest.mark.data
def test_real_recordings(data_root):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bunch = load_bsd(data_root / "bst-real")
    assert bunch.data.shape == (652, 4)
    assert bunch.taxonomy == BST
    assert bunch.target.value_counts()["fx-o"] == 54
    assert (bunch.data["audio"] != "").all()
    table = pd.read_csv(data_root / "bst-real/metadata/BSD10k_metadata.csv", dtype=str, keep_default_na=False)
    assert bunch.data.index.tolist() == table["sound_id"].tolist()
    assert bunch.data["description"].tolist() == table["description"].tolist()


@pytest.mark.data
def test_real_metadata_alone(data_root):
    with pytest.warns(UserWarning, match="only text"):
        bunch = load_bsd(data_root / "bsd10k-v1.0")
    assert len(bunch.data) == 10309
    assert bunch.taxonomy == BST
    assert (bunch.data["audio"] == "").all()
    kinds = load_bsd(data_root / "bsd10k-v1.0", commercial_use=True, on_missing_audio="ignore").left_out["reason"]
    assert set(kinds) == {
        "licence BY-NC does not allow commercial use",
        "licence SAMPLING+ does not allow commercial use",
    }


def test_sounds_are_found_whatever_the_spelling_or_extension(write_bsd, monkeypatch):
    nfc, nfd = "caf\u00e9", "cafe\u0301"
    rows = [{"sound_id": name, "class": "fx-a", "title": "a", "tags": ""} for name in (nfc, "17", "23")]
    root = write_bsd(rows)
    audio = root / "audio"
    for path in audio.iterdir():
        path.unlink()
    (audio / f"{nfd}.wav").write_bytes(b"")
    (audio / "17").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    (audio / "23.m4a").write_bytes(b"x")
    monkeypatch.chdir(root.parent)
    with pytest.warns(UserWarning, match="1 of 3 sounds have no file.*1 file.*formats that libsndfile does not read"):
        data = load_bsd(root.name).data
    assert data["audio"].tolist() == [str(audio / f"{nfd}.wav"), str(audio / "17"), ""]


def test_cells_of_any_length(write_bsd):
    long = "Rain on a roof. " * 9000
    root = write_bsd([{"sound_id": "1", "class": "fx-a", "title": "a", "tags": "", "description": long}])
    assert load_bsd(root, on_missing_audio="ignore").data["description"].tolist() == [long]


class TestDataPack:
    """A table of Freesound, whose bst_category holds users' labels and predicted ones."""

    def rows(self, **more):
        labels = ["fx-a", "ss-n", "m-sp"]
        rows = [{"sound_id": str(i), "bst_category": code, "title": "a", "tags": ""} for i, code in enumerate(labels)]
        return [{**row, **{name: cells[i] for name, cells in more.items()}} for i, row in enumerate(rows)]

    def test_warns_by_name(self, write_bsd):
        root = write_bsd(self.rows())
        with pytest.warns(UserWarning, match="bst_category.*predicted.*predicted_column="):
            bunch = load_bsd(root, on_missing_audio="ignore")
        assert bunch.target.tolist() == ["fx-a", "ss-n", "m-sp"]

    def test_leaves_out_what_a_column_calls_predicted(self, write_bsd):
        root = write_bsd(self.rows(source=["user", "Predicted", ""]))
        bunch = load_bsd(root, on_missing_audio="ignore", predicted_column="source")
        assert bunch.target.tolist() == ["fx-a", "m-sp"]
        assert bunch.left_out["reason"].tolist() == ["class is predicted, not given by a person"]

    @pytest.mark.parametrize(("column", "message"), [("nothing", "is missing; found"), ("odd", "line 3.*'perhaps'")])
    def test_refuses_what_it_cannot_read(self, column, message, write_bsd):
        root = write_bsd(self.rows(odd=["user", "perhaps", ""]))
        with pytest.raises(DataFormatError, match=message):
            load_bsd(root, on_missing_audio="ignore", predicted_column=column)
