"""Tags that vote."""

import numpy as np
import pandas as pd
import pytest

from skbst.exceptions import DataFormatError
from skbst.features import TagRules
from skbst.features._priors._own_rules import OWN_RULES
from skbst.taxonomy import BST, Taxonomy


def test_votes_are_counted_by_hand():
    clips = pd.DataFrame({"tags": [["Dog", "wind", "x"], "DOG;dog, field recording", None], "title": ["", "", None]})
    rules = TagRules({"dog": "fx-a", "wind": {"fx-n": 2, "ss-n": 1}, "field-recording": {"ss": 1}}).fit(clips)
    made = pd.DataFrame(rules.transform(clips), columns=rules.classes_)
    assert made.loc[0, ["fx-a", "fx-n", "ss-n"]].tolist() == pytest.approx([0.25, 0.5, 0.25])
    assert made.loc[1, "fx-a"] > 0
    assert made.loc[1, "ss-u"] == pytest.approx(made.loc[1, "ss-n"])
    assert not made.loc[2].any()


def test_words_and_pairs_of_the_title_vote():
    clips = pd.DataFrame({"title": ["Kick_Drum_02.wav", "My washing machine", "dogma"]})
    rules = TagRules({"kick drum": "is-p", "washing_machine": "fx-m", "dog": "fx-a"}).fit(clips)
    made = rules.transform(clips)
    assert rules.classes_[made[:2].argmax(axis=1)].tolist() == ["is-p", "fx-m"]
    assert not made[2].any()
    without = TagRules({"kick drum": "is-p"}, columns=["tags"])
    with pytest.raises(DataFormatError, match="one of the columns"):
        without.fit(clips)


def test_a_table_of_ones_own(tmp_path):
    (tmp_path / "rules.csv").write_text("tag,label,weight\ndog,fx-a,3\ndog,ss-n,1\nnull,fx-v,1\n")
    rules = TagRules(tmp_path / "rules.csv").fit(["dog"])
    made = pd.DataFrame(rules.transform(["dog", "null", "none"]), columns=rules.classes_)
    assert made.loc[0, ["fx-a", "ss-n"]].tolist() == [0.75, 0.25]
    assert made.loc[1, "fx-v"] == 1
    assert not made.loc[2].any()
    frame = TagRules(pd.DataFrame({"tag": ["dog"], "label": ["fx-a"]})).fit(["dog"])
    assert frame.transform(["dog"]).max() == 1


def test_tags_in_any_collection():
    clips = pd.DataFrame({"tags": [["dog"], ("dog",), {"dog"}, frozenset(["dog"]), np.array(["dog"]), "dog"]})
    assert TagRules({"dog": "fx-a"}).fit(clips).transform(clips).max(axis=1).tolist() == [1] * 6


@pytest.mark.parametrize(
    "rules",
    [
        {"dog": "fx-zz"},
        "no/such.csv",
        pd.DataFrame({"a": [1]}),
        {"dog": {"fx-a": -1}},
        {"dog": {"fx": 1, "fx-a": -0.05}},
        pd.DataFrame({"tag": ["dog"], "label": ["fx-a"], "weight": [pd.NA]}),
    ],
)
def test_rules_that_are_none(rules):
    with pytest.raises(DataFormatError):
        TagRules(rules).fit(["dog"]).transform(["dog"])


def test_another_tree():
    tree = Taxonomy({"dog": "animal", "cat": "animal", "car": "vehicle"})
    rules = TagRules({"pet": "animal", "car": "car"}, taxonomy=tree).fit(["pet"])
    np.testing.assert_allclose(rules.transform(["pet", "car"]), [[0, 0.5, 0.5], [1, 0, 0]])
    with pytest.raises(DataFormatError, match="no classes of the t"):
        TagRules(taxonomy=tree).fit(["pet"])


def test_our_own_table_names_every_class_once_a_tag():
    labels = {label for answer in OWN_RULES.values() for label in answer}
    assert set(BST.leaves.tolist()) <= labels <= set(BST.leaves.tolist()) | set(BST.tops.tolist())
    assert all(tag == tag.casefold() and " " not in tag for tag in OWN_RULES)
