"""``~`` and relative names mean the same folder in every room."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from skbst.curation import read_review
from skbst.datasets import clips_from_folder, load_bsd, make_bst_clips
from skbst.features import EmbeddingStore, TagRules
from skbst.persistence import load_model, save_model
from skbst.taxonomy import BST, Taxonomy


@pytest.fixture(params=["~", "."])
def here(request, tmp_path, monkeypatch):
    """A spelling of a folder that is home and current."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return request.param


def test_models(here, tmp_path):
    model = LogisticRegression().fit([[0.0], [1.0]], ["fx-a", "m-sp"])
    assert save_model(model, f"{here}/model") == tmp_path / "model"
    assert load_model(f"{here}/model").classes_.tolist() == ["fx-a", "m-sp"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_data_sets_and_folders(here, tmp_path):
    root = make_bst_clips(f"{here}/clips", n_clips=23, max_duration=0.1, random_state=0)
    assert root == tmp_path / "clips"
    bunch = load_bsd(f"{here}/clips")
    assert bunch.root == root
    sounds = clips_from_folder(f"{here}/clips/audio")["audio"]
    assert sounds.str.startswith(f"{root}/audio/").all()
    tree = Taxonomy.from_csv(f"{here}/clips/metadata/BST_description.csv", top_names=BST.top_names)
    assert tree == BST


def test_a_store_stays_where_it_was(here, tmp_path, monkeypatch):
    store = EmbeddingStore(f"{here}/store")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.write(["17"], np.eye(1, 2))
    assert store.root == tmp_path / "store"
    assert (tmp_path / "store/features/clap_audio_embeddings/17.npy").is_file()


def test_tables(here, tmp_path):
    pd.DataFrame({"tag": ["dog"], "label": ["fx-a"]}).to_csv(tmp_path / "rules.csv", index=False)
    assert TagRules(f"{here}/rules.csv").fit(["dog"]) is not None
    (tmp_path / "review.json").write_text("[]")
    assert read_review(f"{here}/review.json") is not None
