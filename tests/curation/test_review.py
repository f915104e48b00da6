import json

import pandas as pd
import pytest

from skbst.curation import apply_review, read_review
from skbst.exceptions import DataFormatError


def decision(sound_id, label="fx-n", what="change", new="ss-n", who="ann"):
    return {"sound_id": sound_id, "label": label, "decision": what, "new_label": new, "who": who, "why": "birds"}


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


@pytest.fixture
def y():
    return pd.Series(["fx-n", "fx-a", "fx-n"], index=[7, 9, 11], name="class")


def test_there_and_back(write, y):
    file = write("a.json", {"version": 1, "decisions": [decision("7"), decision("9", "fx-a", "keep", "")]})
    corrected, log = apply_review(y, read_review(file))
    assert corrected.tolist() == ["ss-n", "fx-a", "fx-n"]
    assert corrected.index.equals(y.index)
    assert y.tolist() == ["fx-n", "fx-a", "fx-n"]  # what was given is not touched
    assert log.to_dict("records") == [
        {"sound_id": "7", "from": "fx-n", "to": "ss-n", "who": "ann", "when": "", "why": "birds"}
    ]


@pytest.mark.parametrize("dtype", [int, float, object, "category"])
def test_labels_that_are_numbers_come_back_as_such(write, dtype):
    y = pd.Series([0, 1, 2, 1], index=list("abcd")).astype(dtype)
    first, second = str(y["a"]), str(y["b"])
    corrected, _ = apply_review(y, read_review(write("a.json", [decision("a", first, new=second)])))
    assert corrected.tolist() == [1, 1, 2, 1]
    assert corrected.dtype == y.dtype
    if dtype is int:
        with pytest.raises(DataFormatError, match="'9' is the label of no other"):
            apply_review(y, read_review(write("b.json", [decision("a", "0", new="9")])))


def test_two_reviewers(write, y):
    ann = write("ann.json", [decision("7"), decision("11")])
    bob = write("bob.json", [decision("7", who="bob"), decision("11", what="keep", new="", who="bob")])
    review = read_review(ann, bob)
    assert review.decisions["sound_id"].tolist() == ["7"]
    assert review.conflicts["sound_id"].tolist() == ["11", "11"]
    assert apply_review(y, review)[0].tolist() == ["ss-n", "fx-a", "fx-n"]


def test_the_last_word_of_one_reviewer_counts(write, y):
    review = read_review(write("a.json", [decision("7", new="fx-o"), decision("7", new="ss-i")]))
    assert review.conflicts.empty
    assert apply_review(y, review)[0].loc[7] == "ss-i"


def test_of_one_reviewer_the_later_counts_whatever_the_order_of_files(write, y):
    early = write("a.json", [decision("7", new="fx-o") | {"when": "2026-01-01T10:00:00Z"}])
    late = write("b.json", [decision("7", new="ss-i") | {"when": "2026-01-02T10:00:00Z"}])
    for files in ((early, late), (late, early)):
        review = read_review(*files)
        assert review.conflicts.empty
        assert review.decisions["new_label"].tolist() == ["ss-i"]


def test_two_without_a_name_are_two_reviewers(write):
    first, second = write("a.json", [decision("7", who="")]), write("b.json", [decision("7", new="fx-o", who="")])
    assert read_review(first, second).conflicts["new_label"].tolist() == ["ss-n", "fx-o"]


def test_a_name_that_is_no_utf8_comes_back(write):
    review = read_review(write("a.json", [decision("rain\udcff.wav")]))
    y = pd.Series(["fx-n"], index=pd.Index(["rain\udcff.wav"], dtype=object))
    assert apply_review(y, review)[0].tolist() == ["ss-n"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON"),
        ("5", "must hold a list"),
        ([5], "must hold a list"),
        ([decision("")], "decision 0 has no sound_id"),
        ([decision("7", what="maybe")], "has the decision 'maybe'"),
        ([decision("7", new="")], "a change without new_label"),
        ([decision(7)], "no text"),
        ("[" * 100_000, "is no JSON"),
    ],
    ids=lambda content: str(content)[:30],
)
def test_odd_files_are_refused(content, message, write):
    with pytest.raises(DataFormatError, match=message):
        read_review(write("odd.json", content))


def test_what_does_not_fit_is_refused(write, y):
    with pytest.raises(DataFormatError, match=r"not among the labels \(first: '8'\)"):
        apply_review(y, read_review(write("a.json", [decision("8")])))
    with pytest.raises(DataFormatError, match="'7' was 'fx-o' and is 'fx-n'"):
        apply_review(y, read_review(write("b.json", [decision("7", "fx-o")])))
    twice = pd.Series(["fx-n", "fx-n"], index=["7", "7"])
    with pytest.raises(DataFormatError, match="stand there twice"):
        apply_review(twice, read_review(write("c.json", [decision("7")])))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decision": "Change"}, "none of .*'Change'"),
        ({"new_label": ""}, "has no new_label"),
        ({"new_label": None}, "has no new_label"),
        ({"new_label": "fx-zz"}, "no class of the taxonomy .*'fx-zz'"),
    ],
)
def test_a_table_by_hand_is_looked_at(changes, message, y):
    with pytest.raises(DataFormatError, match=message):
        apply_review(y, pd.DataFrame([decision("7") | changes]))
    with pytest.raises(DataFormatError, match="'7' is decided twice"):
        apply_review(y, pd.DataFrame([decision("7"), decision("7", new="ss-u")]))


def test_labels_of_any_type(y):
    table = pd.DataFrame([decision("7")])
    corrected = apply_review(y.astype("category"), table)[0]
    assert corrected.tolist() == ["ss-n", "fx-a", "fx-n"]
    assert isinstance(corrected.dtype, pd.CategoricalDtype)
    own = pd.Series(["dog", "cat"], index=["7", "9"])
    assert apply_review(own, pd.DataFrame([decision("7", "dog", new="bird")]))[0].tolist() == ["bird", "cat"]
    with_gap = pd.Series(["fx-n", None], index=["7", "9"])
    assert apply_review(with_gap, table)[0].isna().tolist() == [False, True]
