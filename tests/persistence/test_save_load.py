import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skbst.exceptions import UnsafeModelError, VersionMismatchWarning
from skbst.metrics import hierarchical_f1_scorer
from skbst.model_selection import KNNBlendSearchCV
from skbst.neighbors import KNNPriorBlender
from skbst.persistence import load_model, save_model
from skbst.persistence._decode import Decoder
from skbst.persistence._encode import Encoder
from skbst.taxonomy import BST


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    y = np.repeat(["fx-a", "fx-h", "m-sp"], 30)
    return rng.normal(size=(90, 6)) + 2 * np.eye(3, 6).repeat(30, axis=0), y


MODELS = [
    LogisticRegression(),
    make_pipeline(StandardScaler(), PCA(3), SVC()),
    MLPClassifier((8,), max_iter=5, random_state=0),
    KNeighborsClassifier(algorithm="brute", metric="cosine"),
    VotingClassifier([("a", LogisticRegression()), ("b", FrozenEstimator(LogisticRegression()))], voting="soft"),
    CalibratedClassifierCV(LogisticRegression(), cv=2),
    GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=StratifiedKFold(2), scoring=hierarchical_f1_scorer),
    GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2),
    KNNBlendSearchCV(KNNPriorBlender(LogisticRegression()), {"alpha": [0.1, 0.4], "k": [3, 5]}, cv=2),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_a_loaded_model_answers_the_same(model, rows, tmp_path):
    X, y = rows
    if isinstance(model, VotingClassifier):
        model.estimators[1][1].estimator.fit(X, np.unique(y, return_inverse=True)[1])
    model.fit(X, y)
    loaded = load_model(save_model(model, tmp_path / "model"))
    assert_array_equal(loaded.predict(X), model.predict(X))
    if hasattr(model, "predict_proba"):
        assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert repr(loaded) == repr(model)
    assert loaded.predict(X).dtype == model.predict(X).dtype


def test_text_pipeline_in_a_fresh_process(tmp_path):
    texts = ["dog barking", "cat meows", "drum loop", "drum beat", "dog growl", "techno loop"]
    labels = ["fx-a", "fx-a", "m-sp", "m-sp", "fx-a", "m-sp"]
    model = make_pipeline(TfidfVectorizer(), TruncatedSVD(3, random_state=0), LogisticRegression()).fit(texts, labels)
    folder = save_model(model, tmp_path / "model", notes="Made of six titles.")
    code = f"from skbst.persistence import load_model; print(load_model({str(folder)!r}).predict(['a dog', 'loop'])[0])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == model.predict(["a dog"])[0]
    card = (folder / "README.md").read_text()
    assert "Made of six titles." in card
    assert "fx-a, m-sp" in card
    assert "TfidfVectorizer" in card


@pytest.mark.parametrize(
    "value",
    [
        (1, (2.5, float("inf")), {"a"}),
        pytest.param({"a", "b"}, id="set"),  # its repr changes with the process
        {1: "one", ("x", 2): None},
        {"$": 3},
        np.float32(0.1),
        np.array(["fx-a", "m"]),
        np.array([None, "x", 3], dtype=object),
        np.array([[None, 1], [2, "x"]], dtype=object),
        np.array(3.5),
        np.zeros((0, 4), dtype=np.int8),
        np.arange(12.0).reshape(3, 4).T,
        slice(1, None, 2),
        range(3),
        Path("a/b"),
        np.ma.masked_array([1.0, 2.0], mask=[False, True]),
        np.array(["2024-05-01"], dtype="datetime64[D]"),
        np.dtype("float32"),
        np.float64,
    ],
    ids=repr,
)
def test_values_come_back_as_they_were(value):
    encoder = Encoder()
    text = json.dumps(encoder.encode(value), allow_nan=False)
    back = Decoder(encoder.arrays).decode(json.loads(text))
    assert type(back) is type(value)
    if isinstance(value, np.ma.MaskedArray):
        assert_array_equal(back.mask, value.mask)
    if isinstance(value, np.ndarray):
        assert back.dtype == value.dtype
        assert_array_equal(back, value)
    else:
        assert back == value


def test_tables_sparse_matrices_and_generators_come_back():
    from scipy import sparse

    frame = pd.DataFrame({"title": ["a", None], "n": [1, 2]}, index=pd.Index(["x", "y"], name="sound_id"))
    matrix = sparse.random(5, 7, 0.4, format="csc", random_state=0)
    generator = np.random.RandomState(3)
    encoder = Encoder()
    tree = json.loads(json.dumps(encoder.encode([frame, frame["title"], matrix, generator, BST]), allow_nan=False))
    back = Decoder(encoder.arrays).decode(tree)
    pd.testing.assert_frame_equal(back[0], frame)
    pd.testing.assert_series_equal(back[1], frame["title"])
    assert (back[2] != matrix).nnz == 0
    assert back[2].format == "csc"
    assert back[3].randint(1000) == np.random.RandomState(3).randint(1000)
    assert back[4] == BST


NUMBERS = pd.Index([7, 3, 3], name="sound_id")
INDEXES = [
    pd.RangeIndex(3, 12, 3, name="row"),
    NUMBERS,
    pd.Index(["a", None, "b"], dtype="str"),
    pd.Index(["a", 2, None], dtype=object),
    pd.CategoricalIndex(["x", "y", "x"], categories=["y", "x"], ordered=True, name="class"),
    pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["uploader", None]),
    pd.date_range("2026-01-01", periods=3, tz="Europe/Madrid"),
    pd.Index([1, None, 3], dtype="Int64"),
]
COLUMNS = [
    pd.array([True, None, False], dtype="boolean"),
    pd.array([1, None, 2**60 + 1], dtype="Int64"),
    pd.array([1, None, 250], dtype="UInt8"),
    pd.array([0.1, None, float("inf")], dtype="Float32"),
    pd.array(["a", None, ""], dtype="string"),
    pd.array(["a", None, ""], dtype="str"),
    pd.Categorical(["x", None, "y"], categories=["y", "x", "z"]),
    pd.Categorical([3, 1, 1], ordered=True),
    pd.to_datetime(["2026-07-01", None, "2026-07-02"]).tz_localize("America/New_York"),
    pd.to_datetime(["2026-07-01", None, "2026-07-02"]),
    np.array([1.5, np.nan, 2.0]),
    np.array([True, False, True]),
    np.array([None, ["a"], 3], dtype=object),
]


def there_and_back(value):
    encoder = Encoder()
    text = json.dumps(encoder.encode(value), allow_nan=False)
    return Decoder(encoder.arrays).decode(json.loads(text))


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: f"{type(index).__name__} {index.dtype}")
def test_an_index_keeps_its_type(index):
    pd.testing.assert_index_equal(there_and_back(index), index, exact=True, check_freq=False)
    series = pd.Series([1.0, 2.0, 3.0], index=index, name=("a", 1))
    pd.testing.assert_series_equal(there_and_back(series), series, check_freq=False)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: str(column.dtype))
def test_a_column_keeps_its_type(column):
    series = pd.Series(column, index=NUMBERS)
    pd.testing.assert_series_equal(there_and_back(series), series)
    frame = pd.DataFrame({"a": series, "b": series})
    pd.testing.assert_frame_equal(there_and_back(frame), frame)


def test_names_of_columns_may_be_of_any_kind_and_repeat():
    frame = pd.DataFrame([[1, "x", None], [2, "y", 0.5]], columns=["a", "a", 3], index=["u", "u"])
    pd.testing.assert_frame_equal(there_and_back(frame), frame)
    for empty in (frame.iloc[:0], frame[[]], pd.DataFrame()):
        pd.testing.assert_frame_equal(there_and_back(empty), empty)


def test_a_column_of_another_type_is_refused_by_name():
    with pytest.raises(UnsafeModelError, match=r"A column of type period\[D\] cannot be stored"):
        there_and_back(pd.Series(pd.period_range("2026-01-01", periods=2)))


def test_an_array_held_twice_is_stored_once():
    array = np.arange(10.0)
    encoder = Encoder()
    encoder.encode({"a": array, "b": [array]})
    assert len(encoder.arrays) == 1


def test_equal_arrays_are_stored_once_and_stay_two():
    array, names = np.arange(10.0), np.array(["fx-a", "m-sp"])
    encoder = Encoder()
    twin = array.copy()
    tree = encoder.encode([array, twin, array, twin, np.arange(10), names, names.copy(), array.reshape(2, 5)])
    assert len(encoder.arrays) == 4
    back = Decoder(encoder.arrays).decode(json.loads(json.dumps(tree)))
    assert back[0] is back[2]
    assert back[1] is back[3]
    back[0][0] = 7
    assert_array_equal(back[1], np.arange(10.0))
    assert back[4].dtype == np.arange(10).dtype
    assert back[6].tolist() == names.tolist()
    assert back[7].shape == (2, 5)


class Mine(LogisticRegression):
    pass


def test_what_cannot_be_stored_is_named(rows, tmp_path):
    X, y = rows
    with pytest.raises(UnsafeModelError, match="no estimator of skbst or scikit-learn"):
        save_model(Mine().fit(X, y), tmp_path / "a")
    with pytest.raises(UnsafeModelError, match=r"func is a builtins.function|func is a numpy"):
        save_model(make_pipeline(FunctionTransformer(np.abs), LogisticRegression()).fit(X, y), tmp_path / "b")
    with pytest.raises(UnsafeModelError, match="Tree"):
        save_model(RandomForestClassifier(2).fit(X, y), tmp_path / "c")
    endless = []
    endless.append(endless)
    with pytest.raises(UnsafeModelError, match="refers to itself"):
        Encoder().encode(endless)
    with pytest.raises(UnsafeModelError, match="takes an estimator; got list"):
        save_model([LogisticRegression().fit(X, y)], tmp_path / "d")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_unasked(rows, tmp_path):
    X, y = rows
    folder = save_model(LogisticRegression().fit(X, y), tmp_path / "model")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        save_model(LogisticRegression().fit(X, y), folder)
    save_model(LogisticRegression(C=3.0).fit(X, y), folder, overwrite=True)
    assert load_model(folder).C == 3.0
    other = tmp_path / "photos"
    other.mkdir()
    with pytest.raises(FileExistsError, match="not a saved model"):
        save_model(LogisticRegression().fit(X, y), other, overwrite=True)


def test_other_versions_are_warned_about(rows, tmp_path, write_content):
    folder = save_model(LogisticRegression().fit(*rows), tmp_path / "model")
    content = json.loads((folder / "model.json").read_text())
    content["versions"]["torch"] = "1.0.0"
    write_content(folder, content)
    with pytest.warns(VersionMismatchWarning, match=r"torch 1\.0\.0"):
        load_model(folder)


@pytest.mark.skipif(np.longdouble is np.float64, reason="no longer double here")
@pytest.mark.parametrize("value", [np.longdouble(1) / 3, np.ones(2, np.longdouble), np.ones((1, 2), np.clongdouble)])
def test_a_width_of_this_machine_is_refused_by_name(value, rows, tmp_path):
    X, y = rows
    model = LogisticRegression().fit(X, y)
    model.extra_ = value
    with pytest.raises(UnsafeModelError, match="extra_ is a numpy"):
        save_model(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())
