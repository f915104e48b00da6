"""Files that were made or damaged to do harm: each is refused, with an UnsafeModelError."""

import json
import pickle
import shutil

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skbst.exceptions import UnsafeModelError
from skbst.persistence import load_model, save_model

HOSTILE = [
    {"$": "object", "class": "os.system", "state": {}},
    {"$": "object", "class": "subprocess.Popen", "state": {"args": "true"}},
    {"$": "object", "class": "sklearn.utils._bunch.os", "state": {}},
    {"$": "object", "class": "sklearn.externals.joblib.Memory", "state": {}},
    {"$": "object", "class": "sklearn.base.clone", "state": {}},
    {"$": "object", "class": "sklearn.tree._tree.Tree", "state": {}},
    {"$": "object", "class": "sklearn.linear_model._logistic.np", "state": {}},
    {"$": "object", "class": "skbst.persistence._encode.Encoder", "state": {}},
    {"$": "object", "class": "sklearn.pipeline.Pipeline", "state": {"steps": [], "memory": "/tmp/cache"}},
    {"$": "object", "class": "sklearn.linear_model._logistic.LogisticRegression", "state": [1]},
    {"$": "object", "class": ["sklearn"], "state": {}},
    {"$": "function", "name": "os.system"},
    {"$": "function", "name": "sklearn.metrics.np"},
    {"$": "reduce", "callable": "os.system"},
    {"$": "array", "key": "missing"},
    {"$": "array"},
    {"$": "dtype", "dtype": "O"},
    {"$": "scalar", "dtype": "V999999999", "value": 0},
    {"$": "object-array", "shape": [3], "items": [1]},
    {"$": ["x"]},
    {"$": "range", "items": [0, 10**12]},
    {"$": "scalar", "dtype": "<f8", "value": {"$": "range", "items": [0, 10**12]}},
    {"$": "csr", "data": [1.0], "indices": [9], "indptr": [0, 1], "shape": [1, 2], "matrix": True, "format": "csc"},
    {
        "$": "csr",
        "data": [1.0],
        "indices": [0],
        "indptr": [0, 1],
        "shape": [1, 10**12],
        "matrix": True,
        "format": "csc",
    },
    {"$": "object", "class": "skbst.neural._branch_classifier.BranchClassifier", "state": {"_weights": {}}},
    # references: to nothing, to itself, to what comes later, one name twice, a bomb
    {"$": "same", "id": 0},
    {"$": "same", "id": [0]},
    {"$": "same"},
    {"$": "shared", "id": 0, "value": [{"$": "same", "id": 0}]},
    [{"$": "same", "id": 0}, {"$": "shared", "id": 0, "value": []}],
    [{"$": "shared", "id": 0, "value": []}, {"$": "shared", "id": 0, "value": []}],
    [{"$": "shared", "id": 0, "value": []}, {"$": "same", "id": False}],
    {"$": "shared", "id": "x", "value": []},
    {"$": "shared", "id": 0},
    [{"$": "shared", "id": 0, "value": [1] * 10}]
    + [{"$": "shared", "id": i, "value": [{"$": "same", "id": i - 1}] * 10} for i in range(1, 30)],
]

# nothing wrong with these, but that they are no model
NO_ESTIMATORS = [
    None,
    5,
    "LogisticRegression",
    [],
    [{"$": "set", "items": [1]}],
    {"classes_": [1]},
    {"$": "range", "items": [0, 3]},
    {"$": "float", "value": "nan"},
    {"$": "object", "class": "sklearn.utils._bunch.Bunch", "state": {"a": 1}},
    {"$": "object", "class": "sklearn.model_selection._split.KFold", "state": {"n_splits": 2}},
]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    model = LogisticRegression().fit(np.eye(4).repeat(5, axis=0), np.repeat(["fx-a", "fx-h", "m-sp", "m-si"], 5))
    return save_model(model, tmp_path_factory.mktemp("hostile") / "model")


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "model")


@pytest.fixture
def content(folder):
    return json.loads((folder / "model.json").read_text())


@pytest.mark.parametrize("model", HOSTILE, ids=lambda model: str(model)[:70])
def test_hostile_structures_are_refused(model, folder, content):
    (folder / "model.json").write_text(json.dumps({**content, "model": model}))
    with pytest.raises(UnsafeModelError) as caught:
        load_model(folder)
    # refused for what it is, and not for being no estimator
    assert "must hold an estimator" not in str(caught.value)


@pytest.mark.parametrize("model", NO_ESTIMATORS, ids=lambda model: str(model)[:70])
def test_what_is_no_estimator_is_refused(model, folder, content):
    (folder / "model.json").write_text(json.dumps({**content, "model": model}))
    with pytest.raises(UnsafeModelError, match="must hold an estimator; got "):
        load_model(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"versions": [1]}, r"'versions' in .* must map names to text; got list \[1\]"),
        ({"versions": None}, "'versions' in .* must map names to text; got NoneType"),
        ({"versions": {"torch": 2}}, "'versions' in .* must map names to text"),
        ({"npz": ["a0"]}, "'npz' in .* must map names to text"),
        ({"npz": {"x": None}}, "'npz' in .* must map names to text"),
        ({"npz": {"x": "a99"}}, "damaged"),
        ({"format": 99}, "must be of format 1 or 2; got 99"),
        ({"format": True}, "must be of format 1 or 2; got True"),
        ({"format": "2"}, "must be of format 1 or 2"),
        ({"format": [1]}, "must be of format 1 or 2"),
    ],
    ids=str,
)
def test_odd_top_levels_are_refused(change, message, folder, content):
    (folder / "model.json").write_text(json.dumps({**content, **change}))
    with pytest.raises(UnsafeModelError, match=message):
        load_model(folder)


@pytest.mark.parametrize("name", ["format", "versions", "model", "npz"])
def test_a_missing_part_is_named(name, folder, content):
    del content[name]
    (folder / "model.json").write_text(json.dumps(content))
    with pytest.raises(UnsafeModelError, match=name):
        load_model(folder)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_json_does_not_have_are_refused(number, folder):
    path = folder / "model.json"
    whole = path.read_text()
    path.write_text(whole.replace('"C": 1.0', f'"C": {number}'))
    assert path.read_text() != whole
    with pytest.raises(UnsafeModelError, match=f"damaged: {number} is"):
        load_model(folder)


@pytest.mark.parametrize("text", ["", "{", "[1]", "5", "null", '{"format": 99}', "[" * 100_000, "1" * 5000], ids=len)
def test_other_json_is_refused(text, folder):
    (folder / "model.json").write_text(text)
    with pytest.raises(UnsafeModelError):
        load_model(folder)


class Bomb:
    def __reduce__(self):
        return (open, ("/tmp/skbst-was-here", "w"))


def test_hostile_files_are_refused(folder, content, tmp_path):
    whole = (folder / "arrays.safetensors").read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], pickle.dumps(Bomb())):
        (folder / "arrays.safetensors").write_bytes(damaged)
        with pytest.raises(UnsafeModelError, match="damaged"):
            load_model(folder)
    (folder / "arrays.safetensors").write_bytes(whole)
    np.savez(folder / "arrays.npz", a0=np.array([Bomb()], dtype=object))
    (folder / "model.json").write_text(json.dumps({**content, "npz": {"x": "a0"}}))
    with pytest.raises(UnsafeModelError, match="pickles"):
        load_model(folder)
    (folder / "arrays.npz").unlink()
    with pytest.raises(UnsafeModelError, match="damaged"):
        load_model(folder)
    with pytest.raises(FileNotFoundError, match=r"no model\.json"):
        load_model(tmp_path)
