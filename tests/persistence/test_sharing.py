"""What a model holds twice is held twice by the loaded one, and not once and a copy."""

import copy
import json
import pickle
import re

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression

from skbst.datasets import load_bsd, make_bst_clips
from skbst.ensemble import HierarchicalDecoder
from skbst.persistence import load_model, save_model
from skbst.persistence._decode import Decoder
from skbst.persistence._encode import Encoder
from skbst.submission import measure_complexity
from skbst.systems import system_2, system_3, system_4


def there_and_back(value):
    encoder = Encoder()
    return Decoder(encoder.arrays).decode(json.loads(json.dumps(encoder.encode(value), allow_nan=False)))


def voting():
    members = [("a", LogisticRegression()), ("b", LogisticRegression())]
    return VotingClassifier(members).fit([[0.0], [1.0]], ["fx-a", "m-sp"])


@pytest.mark.parametrize(
    "shared",
    [
        [],
        [1, [2]],
        {},
        {"a": 1},
        {1: 2},
        {"$": 1},
        {1, 2},
        np.array([None, [1]], dtype=object),
        np.ma.masked_array([1.0, 2.0], mask=[False, True]),
        sparse.csr_array(np.eye(3)),
        pd.DataFrame({"title": ["a", "b"]}, index=["x", "y"]),
        pd.Series(["a", "b"], index=pd.Index(["x", "y"], dtype=object)),
        np.random.RandomState(0),
        LogisticRegression(),
    ],
    ids=lambda shared: type(shared).__name__,
)
def test_one_object_stays_one(shared):
    back = there_and_back({"first": shared, "again": [shared, (shared,)], "equal": copy.deepcopy(shared)})
    assert type(back["first"]) is type(shared)
    assert back["again"][0] is back["first"]
    assert back["again"][1][0] is back["first"]
    assert back["equal"] is not back["first"]


def test_parts_of_shared_parts_are_shared():
    inner = [1]
    outer = {"inner": inner, "twice": [inner, inner]}
    back = there_and_back([outer, inner, outer["twice"], outer])
    assert back == [outer, inner, outer["twice"], outer]
    assert back[3] is back[0]
    assert back[2] is back[0]["twice"]
    assert back[1] is back[0]["inner"] is back[2][0] is back[2][1]


def test_an_object_in_a_table_is_found():
    item = [1]
    frame = pd.DataFrame({"a": [item, None]}, index=pd.Index(["x", "y"], dtype=object), dtype=object)
    back = there_and_back([frame, item, frame["a"]])
    assert back[0]["a"].iloc[0] is back[1]
    assert back[2].iloc[0] is back[1]
    pd.testing.assert_frame_equal(back[0], frame)


def test_what_is_held_once_bears_no_mark(tmp_path):
    model = LogisticRegression().fit([[0.0], [1.0]], ["fx-a", "m-sp"])
    assert "shared" not in (save_model(model, tmp_path / "model") / "model.json").read_text()


@pytest.mark.parametrize("old", [1, 2])
def test_models_of_older_formats_are_read(old, tmp_path):
    """They have no checksums, and name classes by private files, wherever these may lie now."""
    model = HierarchicalDecoder(LogisticRegression()).fit([[0.0], [1.0]], ["fx-a", "m-sp"])
    folder = save_model(model, tmp_path / "model")
    content = json.loads((folder / "model.json").read_text())
    assert content["format"] == 3
    text = json.dumps({**content, "format": old})
    for public, private in {
        "skbst.ensemble.HierarchicalDecoder": "skbst.ensemble._a_name_of_old.HierarchicalDecoder",
        "sklearn.linear_model.LogisticRegression": "sklearn.linear_model._logistic.LogisticRegression",
        "skbst.taxonomy.Taxonomy": "skbst.taxonomy._taxonomy.Taxonomy",
    }.items():
        assert public in text
        text = text.replace(public, private)
    (folder / "model.json").write_text(text)
    (folder / "checksums.json").unlink()
    assert load_model(folder).predict([[0.9]]) == ["m-sp"]


def test_members_and_their_names_of_scikit_learn(tmp_path):
    loaded = load_model(save_model(voting(), tmp_path / "model"))
    assert loaded.estimators_[0] is loaded.named_estimators_["a"]
    assert loaded.estimators_[1] is loaded.named_estimators_["b"]
    assert loaded.estimators_[0] is not loaded.estimators_[1]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    classes = dict.fromkeys(["fx-a", "m-si", "m-sp"], 1)
    root = tmp_path_factory.mktemp("sharing") / "clips"
    make_bst_clips(root, n_clips=12, max_duration=0.3, n_empty_files=0, class_weights=classes, random_state=0)
    return load_bsd(root)


@pytest.fixture(scope="module")
def fitted(clips, tmp_path_factory):
    frames, made = tmp_path_factory.mktemp("frames"), {}

    def fit(build, **extra):
        if build not in made:
            system = build(embeddings="builtin", size="small", store=frames, random_state=0, device="cpu", **extra)
            epochs = [name for name in system.get_params() if name.endswith("max_epochs")]
            made[build] = system.set_params(**dict.fromkeys(epochs, 1)).fit(clips.data, clips.target)
        return made[build]

    return fit


def votings(system):
    last = system[-1]
    return last.estimators_ if hasattr(last, "cv") else [last]


@pytest.mark.parametrize(("build", "extra"), [(system_2, {}), (system_3, {"cv": 2}), (system_4, {"cv": 2})])
def test_systems_count_the_same_once_loaded(build, extra, clips, fitted, tmp_path):
    system = fitted(build, **extra)
    folder = save_model(system, tmp_path / "model")
    assert "skbst." in (folder / "model.json").read_text()
    assert not re.search(r"skbst(\.\w+)*\._", (folder / "model.json").read_text())  # public names only
    loaded = load_model(folder)
    again = save_model(pickle.loads(pickle.dumps(system)), tmp_path / "again")  # one that a worker sent back
    assert (load_model(again).predict(clips.data) == system.predict(clips.data)).all()
    assert measure_complexity(loaded) == measure_complexity(system)
    for before, after in zip(votings(system), votings(loaded), strict=True):
        for i, (name, _) in enumerate(before.estimators):
            assert before.estimators_[i] is before.named_estimators_[name]
            assert after.estimators_[i] is after.named_estimators_[name]
    np.testing.assert_allclose(loaded.predict_proba(clips.data), system.predict_proba(clips.data), atol=1e-6)


def test_a_model_of_a_gpu_loads_where_there_is_none(clips, fitted, tmp_path, monkeypatch, sign):
    system = fitted(system_2)
    path = save_model(system, tmp_path / "model") / "model.json"
    text = path.read_text()
    path.write_text(text.replace('"device": "cpu"', '"device": "cuda"'))
    sign(path.parent)
    assert text.count('"device": "cpu"') >= 4
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(UserWarning, match="the CPU is used"):
        loaded = load_model(tmp_path / "model")
    assert {member.net_.device for member in loaded[-1].estimators_ if hasattr(member, "net_")} == {"cpu"}
    np.testing.assert_allclose(loaded.predict_proba(clips.data), system.predict_proba(clips.data), atol=1e-6)
