import pytest

from skbst.datasets import load_bsd
from skbst.exceptions import DataFormatError
from skbst.taxonomy import BST, Taxonomy

# the columns of v1.2 and BSD35k-CS, with x00 rows for top levels and x99 rows for "-other"
NEW_HEADER = "class_idx,class_key,class_key_long,top_level,second_level,description,examples\n"


def read_taxonomy(path, **options):
    return Taxonomy.from_csv(path, top_names=BST.top_names, **options)


def new_style(top_level):
    lines = []
    for t, top in enumerate(BST.tops.tolist(), start=1):
        cell = BST.top_names[top] if top_level == "name" else top
        lines.append(f"{t}00,{top},{BST.top_names[top]},{cell},,About it,")
        for i, leaf in enumerate(BST.children(top).tolist(), start=1):
            name = BST.leaf_names[leaf]
            lines.append(f'{t}{i:02d},{leaf},"{BST.top_names[top]} / {name}",{cell},"{name}","What it is.","a, b"')
        lines.append(f"{t}99,{top}-other,Other,{cell},Other,,")
    return NEW_HEADER + "\n".join(lines) + "\n"


@pytest.mark.parametrize("top_level", ["name", "code"])
def test_columns_since_v1_2(tmp_path, top_level):
    path = tmp_path / "BST_description.csv"
    path.write_text(new_style(top_level), encoding="utf-8")
    tree = read_taxonomy(path)
    assert tree == BST
    assert tree.leaf_names == BST.leaf_names
    assert tree.top_names == BST.top_names
    assert tree.leaf_descriptions["fx-a"] == "What it is. a, b"
    with_other = read_taxonomy(path, include_other=True)
    assert with_other.n_leaves == 28
    assert with_other.top_of(["ss-other"]).tolist() == ["ss"]


def test_load_bsd_takes_either_style(write_bsd, rows):
    rows[1] |= {"class": "ss-other", "class_idx": "599"}
    root = write_bsd(rows)
    (root / "metadata/BST_description.csv").write_text(new_style("name"), encoding="utf-8")
    bunch = load_bsd(root)
    assert bunch.taxonomy == BST
    assert bunch.left_out.index.tolist() == ["7"]
    assert load_bsd(root, include_other=True).taxonomy.n_leaves == 28


def test_codes_without_a_hyphen_are_their_own_top(tmp_path):
    path = tmp_path / "BST_description.csv"
    path.write_text("ClassKey\ndog\npet\npet-cat\n")
    tree = read_taxonomy(path)
    assert tree.leaves.tolist() == ["dog", "pet-cat"]
    assert tree.top_of(["dog", "pet-cat"]).tolist() == ["dog", "pet"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Key,Name\nfx-a,Animals\n", r"column 'class_key' \(or 'ClassKey'\) is missing; found \['Key', 'Name'\]"),
        ("ClassKey\nfx-a\nfx-a\n", "line 3: key 'fx-a' stands twice"),
        ("ClassKey,ClassName\nfx-a,Animals\n,Empty\n", "line 3: the key is empty"),
    ],
)
def test_bad_tables(tmp_path, text, message):
    path = tmp_path / "BST_description.csv"
    path.write_text(text)
    with pytest.raises(DataFormatError, match=message):
        read_taxonomy(path)


@pytest.mark.data
def test_table_of_v1_0(data_root):
    tree = read_taxonomy(data_root / "bsd10k-v1.0/taxonomy_metadata.csv")
    assert set(tree.leaves) - set(BST.leaves) == {"fx-d"}
    assert tree.restrict(BST.leaves) == BST
    assert tree.top_names == BST.top_names
