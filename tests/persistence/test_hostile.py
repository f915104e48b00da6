"""Files that were made or damaged to do harm: each is refused, with an UnsafeModelError."""

import io
import json
import os
import pickle
import resource
import shutil
import zipfile

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


BOMBS = [
    {"$": "frame", "index": {"$": "range", "items": [0, 99_000_000, 1]}, "columns": [["a", 1.0], ["b", 1.0]]},
    {
        "$": "frame",
        "index": {"$": "index", "index": None, "type": "range", "items": [0, 99_000_000, 1], "name": None},
        "columns": [["a", 1.0]],
    },
    {
        "$": "series",
        "index": {"$": "index", "index": None, "type": "range", "items": [0, 99_000_000, 1], "name": None},
        "type": "numpy",
        "values": 1.0,
        "name": None,
    },
    {"$": "index", "index": None, "type": "numpy", "values": {"$": "range", "items": [0, 99_000_000]}, "name": None},
    {"$": "index", "index": None, "values": {"$": "range", "items": [0, 99_000_000]}, "text": False, "name": None},
    {"$": "scalar", "dtype": "<f8", "value": {"$": "range", "items": [0, 99_000_000]}},
    {"$": "masked-array", "data": {"$": "range", "items": [0, 99_000_000]}, "mask": False},
    {
        "$": "csr",
        "data": {"$": "scalar", "dtype": "<f8", "value": 1.0},
        "indices": [0],
        "indptr": [0, 1],
        "shape": [1, 99_000_000],
        "matrix": True,
        "format": "csc",
    },
    [{"$": "array", "key": "big", "copy": i} for i in range(4000)],
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
def test_hostile_structures_are_refused(model, folder, content, write_content):
    write_content(folder, {**content, "model": model})
    with pytest.raises(UnsafeModelError) as caught:
        load_model(folder)
    # refused for what it is, and not for being no estimator
    assert "must hold an estimator" not in str(caught.value)


@pytest.mark.parametrize("model", NO_ESTIMATORS, ids=lambda model: str(model)[:70])
def test_what_is_no_estimator_is_refused(model, folder, content, write_content):
    write_content(folder, {**content, "model": model})
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
        ({"format": 99}, "must be of format 1 to 3; got 99"),
        ({"format": True}, "must be of format 1 to 3; got True"),
        ({"format": "2"}, "must be of format 1 to 3"),
        ({"format": [1]}, "must be of format 1 to 3"),
    ],
    ids=str,
)
def test_odd_top_levels_are_refused(change, message, folder, content, write_content):
    write_content(folder, {**content, **change})
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


def test_hostile_files_are_refused(folder, content, tmp_path, write_content, sign):
    whole = (folder / "arrays.safetensors").read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], pickle.dumps(Bomb())):
        (folder / "arrays.safetensors").write_bytes(damaged)
        sign(folder)
        with pytest.raises(UnsafeModelError, match="damaged"):
            load_model(folder)
    (folder / "arrays.safetensors").write_bytes(whole)
    np.savez(folder / "arrays.npz", a0=np.array([Bomb()], dtype=object))
    write_content(folder, {**content, "npz": {"x": "a0"}})
    with pytest.raises(UnsafeModelError, match="pickles"):
        load_model(folder)
    (folder / "arrays.npz").unlink()
    with pytest.raises(UnsafeModelError, match="damaged"):
        load_model(folder)
    with pytest.raises(FileNotFoundError, match=r"no model\.json"):
        load_model(tmp_path)


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: str(bomb)[:60])
def test_a_small_file_does_not_take_a_large_memory(bomb, folder, content, write_content):
    np.savez(folder / "arrays.npz", big=np.zeros(100_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = {**content["model"], "state": {**content["model"]["state"], "note": bomb}}
    write_content(folder, {**content, "model": model, "npz": {"big": "big"}})
    with pytest.raises(UnsafeModelError):
        load_model(folder)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024 < 400  # MB


def npz(entry, compression=zipfile.ZIP_STORED):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        archive.writestr("a0.npy", entry)
    return data.getvalue()


def npy(header, data=b""):
    text = header.encode() + b" " * (118 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


@pytest.mark.parametrize(
    "entry",
    [
        npz(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99000000,)}")),
        npz(
            npy("{'descr': '<f8', 'fortran_order': False, 'shape': (10000000,)}", bytes(80_000_000)),
            zipfile.ZIP_DEFLATED,
        ),
        npz(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", pickle.dumps(0))),
        npz(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (")),
        npz(npy("'" * 3)),
        npz(npy("{'descr': '<f8,(,', 'fortran_order': False, 'shape': (1,)}", bytes(8))),
        npz(b""),
        npz(b"\x93NUMPY"),
        npz(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", bytes(8)))[:-30],
        b"PK\x03\x04" + bytes(40),
        b"",
    ],
    ids=lambda entry: f"{len(entry)} bytes",
)
def test_odd_files_of_numpy_are_refused(entry, folder, content, write_content):
    (folder / "arrays.npz").write_bytes(entry)
    write_content(folder, {**content, "npz": {"x": "a0"}})
    with pytest.raises(UnsafeModelError, match="damaged"):
        load_model(folder)


@pytest.mark.parametrize("name", ["model.json", "arrays.safetensors", "arrays.npz", "checksums.json"])
def test_any_changed_byte_is_noticed(name, folder):
    whole = (folder / name).read_bytes()
    for at in np.linspace(0, len(whole) - 1, 40).astype(int):
        damaged = bytearray(whole)
        damaged[at] ^= 0x04
        (folder / name).write_bytes(damaged)
        with pytest.raises(UnsafeModelError):
            load_model(folder)
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnsafeModelError):
        load_model(folder)


def test_files_of_another_model_are_noticed(folder, tmp_path):
    other = LogisticRegression().fit(np.eye(4).repeat(5, axis=0), np.repeat(["m-si", "m-sp", "fx-a", "fx-h"], 5))
    other = save_model(other, tmp_path / "other")
    for name in ("model.json", "arrays.safetensors", "arrays.npz"):
        mixed = shutil.copytree(folder, tmp_path / f"mixed-{name}")
        if (other / name).read_bytes() == (mixed / name).read_bytes():
            continue
        shutil.copy(other / name, mixed / name)
        with pytest.raises(UnsafeModelError, match=f"{name} in .* is damaged or not what save_model wrote"):
            load_model(mixed)


def test_words_may_be_added_to_the_card(folder):
    with (folder / "README.md").open("a") as card:
        card.write("Trained on four rows.")
    assert load_model(folder).predict(np.eye(4)[:1]) == ["fx-a"]


@pytest.mark.parametrize("name", ["model.json", "arrays.safetensors", "arrays.npz", "checksums.json"])
def test_a_missing_file_a_pipe_and_a_folder_are_refused_at_once(name, folder):
    (folder / name).unlink()
    for make in (lambda path: None, os.mkfifo, lambda path: (path.unlink(), path.mkdir())):
        make(folder / name)
        # a folder without model.json is no model at all
        with pytest.raises(FileNotFoundError if name == "model.json" else UnsafeModelError):
            load_model(folder)


@pytest.mark.parametrize("name", ["store", "memory_map", "cache", "cache_folder"])
def test_a_file_names_no_folder_to_be_filled(name, folder, content, tmp_path, write_content):
    content["model"]["state"][name] = str(tmp_path / "victim")
    write_content(folder, content)
    with pytest.warns(UserWarning, match=f"names a folder of its own \\({name}="):
        loaded = load_model(folder)
    assert getattr(loaded, name) is None
    content["model"]["state"] = {**content["model"]["state"], name: None, "memory": str(tmp_path / "victim")}
    write_content(folder, content)
    with pytest.raises(UnsafeModelError, match="memory="):
        load_model(folder)


def test_a_file_asks_for_no_remote_code_and_maps_no_file(folder, content, write_content):
    content["model"]["state"]["trust_remote_code"] = True
    write_content(folder, content)
    with pytest.raises(UnsafeModelError, match="trust_remote_code"):
        load_model(folder)
    packed = {"$": "tuple", "items": ["memmap", "/etc/passwd", "|u1", {"$": "tuple", "items": [10, 2]}, 0]}
    bundle = {"$": "object", "class": "skbst.features.FeatureBundle", "state": {"_blocks": {"audio": packed}}}
    content["model"]["state"] = {"C": 1.0, "X": bundle}
    write_content(folder, content)
    with pytest.raises(UnsafeModelError, match="mapped"):
        load_model(folder)
