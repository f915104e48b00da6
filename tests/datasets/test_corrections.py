import pandas as pd
import pytest

from skbst.curation import apply_review
from skbst.datasets import load_bsd
from skbst.exceptions import DataFormatError


def table(*rows):
    return pd.DataFrame(rows, columns=["sound_id", "from", "to"])


def test_labels_are_corrected_and_the_file_stays(write_bsd, tmp_path):
    root = write_bsd()
    before = {path: path.read_bytes() for path in root.rglob("*.csv")}
    plain = load_bsd(root)
    decided = pd.DataFrame(
        {"sound_id": ["11", "7"], "label": ["fx-a", "ss-n"], "decision": ["change", "keep"], "new_label": ["sp-s", ""]}
    )
    log = apply_review(plain.target, decided.assign(who="ann", when="2026-01-01", why='a man, who says "woof"'))[1]
    log.to_csv(tmp_path / "corrections.csv", index=False)
    bunch = load_bsd(root, corrections=tmp_path / "corrections.csv")
    assert bunch.target.to_dict() == plain.target.to_dict() | {"11": "sp-s"}
    assert bunch.target.dtype == plain.target.dtype
    assert bunch.data.equals(plain.data)
    assert bunch.metadata.loc["11", ["class", "class_top", "class_idx"]].tolist() == ["sp-s", "sp", ""]
    assert bunch.metadata.drop(index="11").equals(plain.metadata.drop(index="11"))
    assert bunch.corrections.to_dict("records") == log.to_dict("records")
    assert "Labels corrected: 1." in bunch.DESCR
    assert plain.corrections is None
    assert {path: path.read_bytes() for path in root.rglob("*.csv")} == before


def test_by_hand_and_one_after_the_other(write_bsd):
    root = write_bsd()
    by_hand = pd.DataFrame({"id": [7, 7], "from": ["ss-n", "ss-u"], "to": [" ss-u", "ss-i"]})
    assert load_bsd(root, corrections=by_hand).target["7"] == "ss-i"
    assert load_bsd(root, corrections=by_hand).corrections["who"].tolist() == ["", ""]


def test_nothing_to_correct(write_bsd, tmp_path):
    root = write_bsd()
    table().to_csv(tmp_path / "none.csv", index=False)
    for nothing in (tmp_path / "none.csv", table()):
        assert load_bsd(root, corrections=nothing).target.equals(load_bsd(root).target)


def test_a_class_that_is_not_used_can_be_corrected(write_bsd, rows):
    root = write_bsd([dict(rows[0], **{"class": "fx-other", "class_idx": "499"}), *rows[1:]])
    assert "11" not in load_bsd(root).target
    bunch = load_bsd(root, corrections=table(("11", "fx-other", "fx-a"), ("7", "ss-n", "ss-other")))
    assert bunch.target["11"] == "fx-a"
    assert "7" not in bunch.target


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        ([("8", "fx-a", "fx-h")], "not in .*first: '8'"),
        ([("11", "fx-n", "fx-h")], "corrected from 'fx-n', but is 'fx-a'"),
        ([("11", "fx-a", "fx-h"), ("11", "fx-a", "fx-h")], "corrected from 'fx-a', but is 'fx-h'"),
        ([("11", "fx-a", "fx-zz")], "no class of the taxonomy .*'fx-zz'"),
        ([("11", "fx-a", "fx")], "no class of the taxonomy"),
        ([("11", "fx-a", None)], "empty cell in the column 'to'"),
    ],
)
def test_what_does_not_fit_is_refused(odd, message, write_bsd):
    with pytest.raises(DataFormatError, match=message):
        load_bsd(write_bsd(), corrections=table(*odd))


def test_other_refusals(write_bsd, tmp_path, rows):
    root = write_bsd()
    with pytest.raises(DataFormatError, match="needs the columns"):
        load_bsd(root, corrections=table(("11", "fx-a", "fx-h")).drop(columns="to"))
    with pytest.raises(FileNotFoundError):
        load_bsd(root, corrections=tmp_path / "none.csv")
    with pytest.raises(DataFormatError, match="has no labels"):
        load_bsd(root, corrections=table(("11", "fx-a", "fx-h")), labelled=False)
