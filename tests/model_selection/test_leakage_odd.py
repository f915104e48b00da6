"""Leakage that ids, letters and sounds of odd kinds would hide."""

import unicodedata

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression

from skbst.exceptions import DataFormatError
from skbst.model_selection import leakage_report
from skbst.neighbors import KNNPriorBlender

SPLIT = [([0, 1], [2, 3])]
NFC = "Café d'été"
NFD = unicodedata.normalize("NFD", NFC)
LEVELS = [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
IDS = {
    "int": [1, 2, 3, 4],
    "text": ["1", "2", "3", "4"],
    "float": [1.0, 2.0, 3.0, 4.0],
    "float32": np.array([1, 2, 3, 4], dtype=np.float32),
    "gap": [np.nan, 2, 3, 4],
    "Int64": pd.array([1, 2, 3, None], dtype="Int64"),
    "bytes": [b"1", b"2", b"3", b"4"],
    "times": pd.date_range("2020-01-01", periods=4),
    "levels": LEVELS,
    "mixed": [1, "2", 3.0, "d"],
    "composed": ["a", "b", NFC, "d"],
}


def table(ids=None, **columns):
    index = list("abcd") if ids is None else pd.MultiIndex.from_tuples(ids) if ids is LEVELS else pd.Index(ids)
    return pd.DataFrame(columns or {"title": list("wxyz")}, index=index)


def found(data, check, **options):
    report = leakage_report(data, options.pop("folds", SPLIT), warn=False, **options)
    return report.findings.loc[report.findings["check"] == check, "sound_id"].tolist()


@pytest.mark.parametrize("kind", IDS)
def test_ids_of_any_type_are_compared_as_one(kind):
    data, third = table(IDS[kind]), IDS[kind][2]
    sources = [[third], pd.Index([third], tupleize_cols=False), table(IDS[kind]).iloc[2:3], [[third]]]
    if kind != "levels":
        sources += [np.array([third]), pd.Series([third]), {third}, iter([third])]
    for source in sources:
        seen = found(data, "seen by it", seen={"it": source})
        assert len(seen) == 1
        assert seen == found(data, "seen by it", seen={"it": data.iloc[2:3]})
    assert found(data, "sound_id") == []


def test_a_number_is_the_same_id_whatever_holds_it():
    for own, other in (("text", 3.0), ("float", "3"), ("int", "3"), ("gap", 3), ("Int64", "3"), ("mixed", np.int8(3))):
        assert found(table(IDS[own]), "seen by it", seen={"it": [other, None]}) == ["3"]


def test_missing_ids_are_equal_to_none():
    data = table([None, "b", None, np.nan])
    assert found(data, "sound_id") == []
    assert found(data, "seen by it", seen={"it": [None, "nan", "None", ""]}) == []


def test_ids_of_a_bank_with_levels_and_of_floats():
    X, y = np.eye(4), ["fx-a", "m-sp", "fx-a", "m-sp"]
    for kind in ("levels", "float", "text"):
        data = table(IDS[kind])
        blender = KNNPriorBlender(LogisticRegression(), k=1).fit(X, y, metadata=data)
        assert found(data, "seen by bank", seen={"bank": blender}) == found(
            data, "seen by bank", seen={"bank": data.iloc[2:]}
        )


def test_letters_written_as_one_character_or_two():
    assert found(table(title=[NFC, "x", NFD, "y"]), "text") == ["c"]
    assert found(table(title=["Dog bark", "x", "\uff24\uff4f\uff47 bark", "y"]), "text") == ["c"]
    assert found(table([NFC, "b", NFD, "d"]), "sound_id") == [NFC]
    assert found(table(["a", "b", NFC, "d"]), "seen by it", seen={"it": [NFD]}) == [NFC]
    assert found(table(), "group", groups=[NFC, "", NFD, None]) == ["c"]


def test_cells_that_are_no_text():
    assert found(table(title=[5, None, 5, pd.NA]), "text") == ["c"]
    assert found(table(tags=[["a", "b"], None, ["b", "a"], "x"]), "text") == ["c"]


def test_sounds_of_any_kind_in_one_column(tmp_path):
    noise = np.random.default_rng(0).integers(-9000, 9000, 4000).astype(np.int16)
    for name in ("a.wav", "b.flac"):
        soundfile.write(tmp_path / name, noise, 16000)
    wav, flac = tmp_path / "a.wav", str(tmp_path / "b.flac")
    pair, floats = (noise, 16000), (noise / np.float32(32768), 16000)
    assert found(table(audio=[wav, pair, flac, floats]), "audio", audio="samples") == ["c", "d"]
    assert found(table(audio=[wav, pair, str(wav), (noise, 8000)]), "audio") == ["c"]
    assert found(table(audio=[noise, -noise, noise, 2 * noise]), "audio", audio="samples") == ["c"]
    empty = [np.zeros(0), (np.zeros(0), 5), np.zeros(0), pd.NA]
    nowhere = [tmp_path, "gone.wav", tmp_path, "gone.wav"]
    odd = [5, ["a"], 5, ["a"]]
    for cells in (empty, nowhere, odd, [None, np.nan, "", pd.NA], ["a\0b"] * 4, [b"\xff"] * 4):
        column = pd.Series(cells, index=list("abcd"), dtype=object)
        for how in ("bytes", "samples"):
            assert found(table(audio=column), "audio", audio=how) == []


def test_folds_as_masks_of_all_rows():
    train = np.array([True, True, False, False])
    data = table(title=["same", "x", "same", "y"])
    assert found(data, "text", folds=[(train, ~train)]) == ["c"]
    assert found(data, "row", folds=[(train, ~train)]) == []
    for part in (train[:3], [0.0, 1.0], [[0, 1]], ["a"]):
        with pytest.raises(DataFormatError, match="positions of rows, or a mask"):
            leakage_report(data, [(part, [2, 3])])


def test_embeddings_that_are_no_table_or_no_numbers():
    with pytest.raises(DataFormatError, match="shape"):
        leakage_report(table(), SPLIT, embeddings=np.ones(4))
    for value in (np.nan, np.inf, -np.inf):
        assert found(table(), "near_duplicate", embeddings=np.full((4, 3), value)) == []
