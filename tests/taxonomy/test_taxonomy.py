import copy
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skbst.exceptions import DataFormatError
from skbst.taxonomy import BST, Taxonomy, aggregate_to_top, condition_on_top, credit_matrix, resolve_taxonomy

OFFICIAL_ORDER = [
    "m-sp",
    "m-si",
    "m-m",
    "is-p",
    "is-s",
    "is-w",
    "is-k",
    "is-e",
    "sp-s",
    "sp-c",
    "sp-p",
    "fx-o",
    "fx-v",
    "fx-m",
    "fx-h",
    "fx-a",
    "fx-n",
    "fx-ex",
    "fx-el",
    "ss-n",
    "ss-i",
    "ss-u",
    "ss-s",
]


def test_bst_is_the_official_tree():
    assert BST.leaves.tolist() == OFFICIAL_ORDER
    assert BST.tops.tolist() == ["m", "is", "sp", "fx", "ss"]
    assert np.bincount(BST.parent_of_leaf).tolist() == [3, 5, 3, 8, 4]
    assert BST.leaf_names["fx-v"] == "Vehicles"
    assert BST.top_names["ss"] == "Soundscapes"
    assert all(BST.leaf_descriptions[code] for code in BST.leaves)


@pytest.mark.data
def test_bst_agrees_with_the_published_table(data_root):
    table = Taxonomy.from_csv(data_root / "bsd10k-v1.0" / "taxonomy_metadata.csv")
    assert set(table.leaves) - set(BST.leaves) == {"fx-d"}
    kept = table.restrict(BST.leaves)
    assert kept == BST
    assert kept.leaf_names == {**kept.leaf_names, **{c: BST.leaf_names[c] for c in BST.leaves}}
    assert table.top_names == BST.top_names


def test_any_two_level_tree():
    by_leaf = Taxonomy({"dog": "animal", "cat": "animal", "car": "vehicle"})
    by_top = Taxonomy.from_mapping({"animal": ["dog", "cat"], "vehicle": ["car"]})
    assert by_leaf == by_top
    assert hash(by_leaf) == hash(by_top)
    assert by_leaf != Taxonomy({"dog": "animal", "cat": "animal", "car": "animal"})
    assert_array_equal(by_leaf.top_of(["car", "dog"]), ["vehicle", "animal"])
    assert by_leaf.restrict(["car", "dog"]).leaves.tolist() == ["dog", "car"]
    assert by_leaf.reorder(["car", "dog"]).leaves.tolist() == ["car", "dog"]
    assert by_leaf.reorder(["car", "dog"]).tops.tolist() == ["vehicle", "animal"]
    assert pickle.loads(pickle.dumps(by_leaf)) == by_leaf
    assert "cat" in by_leaf
    assert len(by_leaf) == 3


def test_errors_say_what_came():
    with pytest.raises(DataFormatError, match=r"2 of 3 labels.*'fx-zz'.*'m-sp'"):
        BST.leaf_index(["fx-zz", "fx-a", "nonsense"])
    with pytest.raises(DataFormatError, match="'q' is not a top level"):
        BST.children("q")
    with pytest.raises(DataFormatError, match="under both"):
        Taxonomy.from_mapping({"a": ["x"], "b": ["x"]})
    with pytest.raises(DataFormatError, match="have no '-'"):
        Taxonomy.from_codes(["fx-a", "plain"])
    with pytest.raises(DataFormatError, match="at least one leaf"):
        Taxonomy({})
    with pytest.raises(DataFormatError, match="non-empty text"):
        Taxonomy({"a": 3})


def test_from_csv(tmp_path):
    path = tmp_path / "BST_description.csv"
    path.write_text(
        "ClassKey,ClassName,TopLevel,Description\nm-a,A,Music,one\nm-other,Other,Music,\nfx-b,B,Effects,two\n"
    )
    tree = Taxonomy.from_csv(path)
    assert tree.leaves.tolist() == ["m-a", "fx-b"]
    assert tree.leaf_descriptions["fx-b"] == "two"
    assert Taxonomy.from_csv(path, include_other=True).leaves.tolist() == ["m-a", "m-other", "fx-b"]
    path.write_text("ClassKey,ClassName,TopLevel\nm-a,A,Music\nm-a,A,Music\n")
    with pytest.raises(DataFormatError, match="line 3: key 'm-a' stands twice"):
        Taxonomy.from_csv(path)
    path.write_text("Key,Name\n1,2\n")
    with pytest.raises(DataFormatError, match="column 'class_key'"):
        Taxonomy.from_csv(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ClassKey,ClassName\nfx-a,Café\n".encode("latin-1"), "line 2: byte 0xe9 is not UTF-8"),
        (b"ClassKey,ClassName\nfx-a\n", "line 2: 1 cells, but the header has 2"),
        (b"ClassKey,ClassName\nfx-a,Animals,dogs\n", "line 2: 3 cells, but the header has 2"),
        (b"ClassKey,ClassName\n", "a header but no rows"),
        (b"", "the file is empty"),
        (
            b"ClassKey,TopLevel\nfx-a,Sound effects\nfx-b,Sounds\n",
            "line 3: key 'fx-b' stands under 'Sounds', but 'fx-a'.*under 'Sound effects'",
        ),
    ],
)
def test_from_csv_names_file_and_line(tmp_path, content, message):
    path = tmp_path / "classes.csv"
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=message) as error:
        Taxonomy.from_csv(str(path))
    assert "classes.csv" in str(error.value)


@pytest.mark.parametrize(
    ("table", "parents", "top_names"),
    [
        (
            "ClassKey,ClassName,TopLevel\ndog,Dog,Animals\ncat,Cat,Animals\ncar,Car,Vehicles\n",
            {"dog": "Animals", "cat": "Animals", "car": "Vehicles"},
            {"Animals": "Animals", "Vehicles": "Vehicles"},
        ),
        (
            "class_key,top_level,second_level\nanimals,animals,\ndog,animals,Dog\ncat,animals,Cat\n",
            {"dog": "animals", "cat": "animals"},
            {"animals": "animals"},
        ),
        (
            "class_key,top_level,second_level\nan,Animals,\ndog,Animals,Dog\ncat,Animals,Cat\n",
            {"dog": "an", "cat": "an"},
            {"an": "Animals"},
        ),
        (
            "ClassKey,TopLevel\nguitar-electric,Strings\nviolin,Strings\nfx-a,Sound effects\nfx-b,Sound effects\n",
            {"guitar-electric": "Strings", "violin": "Strings", "fx-a": "fx", "fx-b": "fx"},
            {"Strings": "Strings", "fx": "Sound effects"},
        ),
    ],
)
def test_from_csv_takes_tops_from_the_table(tmp_path, table, parents, top_names):
    path = tmp_path / "classes.csv"
    path.write_text(table)
    tree = Taxonomy.from_csv(path)
    assert tree == Taxonomy(parents)
    assert tree.top_names == top_names


def test_codes_that_are_no_sequence_or_double_are_refused():
    with pytest.raises(DataFormatError, match=r"leaves under 'animal' are the text 'dog'; pass a list, \['dog'\]"):
        Taxonomy.from_mapping({"animal": "dog"})
    with pytest.raises(DataFormatError, match="'dog' stands twice under 'animal'"):
        Taxonomy.from_mapping({"animal": ["dog", "dog"]})
    with pytest.raises(DataFormatError, match="the single text 'fx-a'"):
        Taxonomy.from_codes("fx-a")
    with pytest.raises(DataFormatError, match=r"1 of 2 codes stand more than once \(first: 'fx-a'\)"):
        BST.reorder(["fx-a", "m-sp", "fx-a"])


@pytest.mark.parametrize("tree", [BST, pickle.loads(pickle.dumps(BST)), copy.deepcopy(BST)])
def test_nobody_can_change_a_shared_tree(tree):
    for codes in (tree.leaves, tree.tops):
        with pytest.raises(ValueError, match="read-only"):
            codes[0] = "x"
    tree.parent_of_leaf[0] = 4
    tree.children("m")[0] = "x"
    assert tree == Taxonomy({code: code.split("-")[0] for code in OFFICIAL_ORDER})


def test_resolve():
    assert resolve_taxonomy(None, ["fx-a"]) is BST
    assert resolve_taxonomy(None, ["cat", "dog"]).n_tops == 2
    assert resolve_taxonomy(BST, ["fx-a"]) is BST
    with pytest.raises(DataFormatError):
        resolve_taxonomy(BST, ["dog"])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["fx-a", "dog", "fx-a", "cat", "eel", "ant"], r"4 of 5 different labels.*'ant', 'cat', 'dog'\).*taxonomy="),
        (["fx-a", "FX-H"], "1 of 2 different labels.*'FX-H'"),
        (["FX-A", "SS-N "], "2 of 2 different labels.*'FX-A', 'SS-N '"),
        (["fx-a", "fx-other"], "'fx-other'"),
        (np.array(["fx-a", np.nan]), "'nan'"),
    ],
)
def test_a_wrong_code_never_flattens_the_tree(labels, message):
    with pytest.raises(DataFormatError, match=message):
        resolve_taxonomy(None, labels)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
@pytest.mark.parametrize("container", [list, tuple, pd.Series, lambda labels: np.array(labels, dtype=object)])
@pytest.mark.parametrize("taxonomy", [None, BST])
def test_missing_labels_are_refused(missing, container, taxonomy):
    with pytest.raises(DataFormatError, match=r"1 of 2 labels are missing .*in position 1"):
        resolve_taxonomy(taxonomy, container(["fx-a", missing]))


def test_missing_numbers_are_refused():
    with pytest.raises(DataFormatError, match="1 of 3 labels are missing"):
        resolve_taxonomy(None, [0.0, 1.0, np.nan])


def test_aggregation_is_a_sum_over_children():
    proba = np.random.default_rng(0).dirichlet(np.ones(23), size=7)
    slow = np.stack([[row[BST.parent_of_leaf == t].sum() for t in range(5)] for row in proba])
    assert_allclose(BST.aggregate(proba), slow)
    assert aggregate_to_top(proba, BST.parent_of_leaf, 6).shape == (7, 6)


def test_top_down_correction():
    rng = np.random.default_rng(0)
    leaf, top = rng.dirichlet(np.ones(23), size=50), rng.dirichlet(np.ones(5), size=50)
    corrected = condition_on_top(leaf, top, BST.parent_of_leaf)
    by_hand = np.array([[leaf[i, c] * top[i, BST.parent_of_leaf[c]] for c in range(23)] for i in range(50)])
    assert_allclose(corrected, by_hand / by_hand.sum(axis=1, keepdims=True))
    assert_allclose(condition_on_top(leaf, top, BST.parent_of_leaf, beta=0), leaf)
    certain = np.eye(5)[rng.integers(0, 5, 50)]
    chosen = condition_on_top(leaf, certain, BST.parent_of_leaf, beta=2.0).argmax(axis=1)
    assert_array_equal(BST.parent_of_leaf[chosen], certain.argmax(axis=1))
    assert_allclose(condition_on_top([[1.0, 0.0]], [[0.0, 1.0]], [0, 1]), [[1.0, 0.0]])


def test_credit_matrix():
    credit = credit_matrix(BST.parent_of_leaf)
    assert_allclose(credit, credit.T)
    assert credit[BST.leaf_index(["fx-a"])[0], BST.leaf_index(["fx-h"])[0]] == 0.375
    assert set(np.unique(credit)) == {0.0, 0.375, 1.0}
    assert_allclose(credit_matrix(BST.parent_of_leaf, top_weight=0), np.eye(23))


def test_imports_stay_light():
    code = (
        "import sys, skbst, skbst.metrics, skbst.taxonomy;"
        "heavy = {'torch', 'torchaudio', 'pandas', 'skorch', 'matplotlib', 'soundfile'} & set(sys.modules);"
        "import skbst.metrics; print(sorted(heavy - {'pandas'}))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
