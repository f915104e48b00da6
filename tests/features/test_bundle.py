import io
import pickle
import resource

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_validate, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import indexable, resample, shuffle

from skbst.exceptions import DataFormatError
from skbst.features import BlockSelector, FeatureBundle

N = 40


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b"], N // 2)
    audio = rng.normal((y == "b")[:, None] * 2.0, 1, (N, 3)).astype(np.float32)
    frames = rng.normal(size=(N, 5, 2)).astype(np.float32)
    return {"audio": audio, "frames": frames}, np.arange(N) % 5 + 1, y


@pytest.fixture(params=["memory", "memmap", "rows"])
def bundle(request, arrays, tmp_path):
    """The same bundle on arrays, on a memory map, and on a memory map in another order and with other rows."""
    blocks, lengths, _ = arrays
    if request.param == "memory":
        return FeatureBundle(blocks, lengths={"frames": lengths})
    if request.param == "memmap":
        np.save(tmp_path / "frames.npy", blocks["frames"])
        mapped = {"audio": blocks["audio"], "frames": np.load(tmp_path / "frames.npy", mmap_mode="r")}
        return FeatureBundle(mapped, lengths={"frames": lengths})
    places = np.random.default_rng(1).permutation(N + 7)[:N]
    stored = np.zeros((N + 7, 5, 2), dtype=np.float32)
    stored[places] = blocks["frames"]
    np.save(tmp_path / "frames.npy", stored)
    mapped = {"audio": blocks["audio"], "frames": np.load(tmp_path / "frames.npy", mmap_mode="r")}
    return FeatureBundle(mapped, lengths={"frames": lengths}, rows={"frames": places})


def assert_same(bundle, blocks, lengths):
    for name, block in blocks.items():
        np.testing.assert_array_equal(bundle[name], block)
        assert bundle.block_shape(name) == block.shape
    np.testing.assert_array_equal(bundle.lengths("frames"), lengths)
    assert len(bundle) == bundle.shape[0] == len(lengths)


KEYS = [
    slice(None),
    slice(3, 30, 4),
    slice(None, None, -1),
    slice(-5, None),
    slice(0, 0),
    [5, 2, 2, -1],
    np.array([39, 0]),
    [],
    np.arange(N) % 3 == 0,
    np.zeros(N, dtype=bool),
    (np.arange(N) % 2 == 0).tolist(),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_indexing_is_that_of_numpy(bundle, arrays, key):
    blocks, lengths, _ = arrays
    expected_key = (
        np.asarray(key, dtype=bool if key and isinstance(key[0], bool) else int) if isinstance(key, list) else key
    )
    expected = {name: block[expected_key] for name, block in blocks.items()}
    assert_same(bundle[key], expected, lengths[expected_key])
    assert_same(bundle[key, ...], expected, lengths[expected_key])
    assert_same(bundle[key, :], expected, lengths[expected_key])


def test_slices_of_slices(bundle, arrays):
    blocks, lengths, _ = arrays
    rows = np.arange(N)[::-1][5:30][[4, 4, 1]]
    assert_same(bundle[::-1][5:30][[4, 4, 1]], {name: block[rows] for name, block in blocks.items()}, lengths[rows])


def test_take_reads_positions_of_the_slice(bundle, arrays):
    blocks, lengths, _ = arrays
    sliced = bundle[10:20]
    np.testing.assert_array_equal(sliced.take("frames", [0, 9, 3]), blocks["frames"][[10, 19, 13]])
    np.testing.assert_array_equal(sliced.lengths("frames", [0, 9, 3]), lengths[[10, 19, 13]])
    np.testing.assert_array_equal(bundle.take("audio", np.array([1, 0])), blocks["audio"][[1, 0]])


def test_one_row(bundle, arrays):
    blocks, _, _ = arrays
    for i in (0, 7, -1, np.int64(3)):
        row = bundle[5:][i]
        assert set(row) == {"audio", "frames"}
        np.testing.assert_array_equal(row["frames"], blocks["frames"][5:][i])
    assert sum(1 for _ in bundle[:3]) == 3
    with pytest.raises(IndexError):
        bundle[N]


def test_wrong_keys(bundle):
    with pytest.raises(KeyError, match="no block 'text'"):
        bundle["text"]
    with pytest.raises(IndexError, match="mask of 3 values cannot select from 40 rows"):
        bundle[np.array([True, False, True])]
    with pytest.raises(IndexError, match="rows or by the name"):
        bundle[0, 1]
    with pytest.raises(IndexError):
        bundle[[N]].take("audio")


def test_select_and_with_block(bundle, arrays):
    blocks, lengths, _ = arrays
    sliced = bundle[::2]
    only = sliced.select("frames")
    assert only.names == ("frames",)
    assert len(only) == N // 2
    np.testing.assert_array_equal(only.lengths("frames"), lengths[::2])
    more = sliced.with_block("text", np.arange(N // 2)[:, None])
    assert more.names == ("audio", "frames", "text")
    assert_same(more, {name: block[::2] for name, block in blocks.items()}, lengths[::2])
    np.testing.assert_array_equal(more[3:5]["text"], [[3], [4]])
    replaced = sliced.with_block("audio", np.ones((N // 2, 9)))
    assert replaced.block_shape("audio") == (N // 2, 9)
    with pytest.raises(DataFormatError, match="same number of rows"):
        sliced.with_block("text", np.ones((N, 1)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({},), "at least one block"),
        (({"a": np.ones(3)},), "rows and columns"),
        (({"a": np.ones((3, 1)), "b": np.ones((2, 1))},), "same number of rows"),
        (({"a": np.ones((3, 2, 1))}, {"b": [1, 1, 1]}), "Lengths are given for 'b'"),
        (({"a": np.ones((3, 2, 1))}, {"a": [1, 1]}), r"shape \(3,\)"),
        (({"a": np.ones((3, 2, 1))}, {"a": [0, 1, 2]}), r"\[1, 2\]"),
        (({"a": np.ones((3, 2, 1))}, {"a": [1, 1, 3]}), r"\[1, 2\]"),
        (({"a": np.ones((3, 1))}, None, {"b": [0]}), "Rows are given for 'b'"),
        (({"a": np.ones((3, 1))}, None, {"a": [3]}), r"\[0, 3\)"),
        (({"a": np.ones((3, 1))}, None, {"a": [-1]}), r"\[0, 3\)"),
    ],
)
def test_wrong_blocks(arguments, message):
    blocks, lengths, rows = (*arguments, None, None)[:3]
    with pytest.raises(DataFormatError, match=message):
        FeatureBundle(blocks, lengths=lengths, rows=rows)


def test_lengths_without_padding():
    bundle = FeatureBundle({"frames": np.ones((3, 4, 2))})
    assert bundle.lengths("frames").tolist() == [4, 4, 4]
    assert bundle[1:].lengths("frames", [0]).tolist() == [4]


def test_arrays(bundle, arrays):
    blocks, _, _ = arrays
    expected = np.hstack([blocks["audio"], blocks["frames"].reshape(N, -1)])
    np.testing.assert_array_equal(bundle.to_array(), expected)
    with pytest.raises(TypeError, match=r"framed blocks \['frames'\].*BlockSelector"):
        np.asarray(bundle)
    only = bundle.select("audio")
    np.testing.assert_array_equal(np.asarray(only), blocks["audio"])
    assert np.asarray(only, dtype=np.float64).dtype == np.float64


def test_pickle_and_hash(bundle, arrays):
    blocks, lengths, _ = arrays
    copy = pickle.loads(pickle.dumps(bundle[::3]))
    assert_same(copy, {name: block[::3] for name, block in blocks.items()}, lengths[::3])
    assert joblib.hash(bundle) == joblib.hash(pickle.loads(pickle.dumps(bundle)))
    assert joblib.hash(bundle[1:]) != joblib.hash(bundle[2:])


def test_a_memory_map_travels_as_its_address(tmp_path):
    np.save(tmp_path / "big.npy", np.zeros((200, 50, 20), dtype=np.float32))
    mapped = np.load(tmp_path / "big.npy", mmap_mode="r")
    for block in (mapped, mapped[10:150]):
        pickled = pickle.dumps(FeatureBundle({"frames": block})[5:60])
        assert len(pickled) < 3000
        np.testing.assert_array_equal(pickle.loads(pickled)["frames"], block[5:60])


def test_changes_of_a_private_map_are_kept(tmp_path):
    np.save(tmp_path / "array.npy", np.zeros((5, 2, 2)))
    private = np.load(tmp_path / "array.npy", mmap_mode="c")
    private[3] = 7
    bundle = FeatureBundle({"frames": private})
    assert bundle.take("frames", [3]).max() == 7
    assert bundle.take("frames", [3]).max() == 7
    assert pickle.loads(pickle.dumps(bundle)).take("frames", [3]).max() == 7


def test_rows_of_a_map_do_not_stay_resident(tmp_path):
    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    if not pytest.importorskip("pathlib").Path("/proc/self/statm").exists():
        pytest.skip("counts pages as Linux does")
    n_rows, row = 400, (100, 500)
    with open(tmp_path / "rows.f32", "wb") as file:
        for i in range(n_rows):
            file.write(np.full(row, i, dtype=np.float32).tobytes())
    bundle = FeatureBundle({"frames": np.memmap(tmp_path / "rows.f32", np.float32, "r", shape=(n_rows, *row))})
    bundle.take("frames", np.arange(10))
    before = resident()
    for first in range(0, n_rows, 20):
        assert bundle.take("frames", np.arange(first, first + 20))[-1, 0, 0] == first + 19
    # 80 MB were read
    assert resident() - before < 20e6


def test_repr_and_contains(bundle):
    assert repr(bundle[:7]) == "FeatureBundle(7 rows: audio 3, frames 5x2)"
    assert "audio" in bundle
    assert "text" not in bundle


class NearestMean(ClassifierMixin, BaseEstimator):
    """A classifier of bundles: the nearest class mean of one block; only blocks are read."""

    def __init__(self, block="audio", scale=1.0):
        self.block = block
        self.scale = scale

    def fit(self, X, y, sample_weight=None):
        assert isinstance(X, FeatureBundle)
        self.classes_ = np.unique(y)
        self.means_ = np.array([X[self.block][np.asarray(y) == c].mean(axis=0) for c in self.classes_])
        return self

    def predict_proba(self, X):
        distance = ((X[self.block][:, None] - self.means_) ** 2).sum(axis=-1)
        proba = np.exp(-self.scale * distance)
        return proba / proba.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def test_splitting(bundle, arrays):
    _, _, y = arrays
    train, test, y_train, _ = train_test_split(bundle, y, stratify=y, random_state=0)
    assert isinstance(train, FeatureBundle)
    assert (len(train), len(test)) == (30, 10)
    assert NearestMean().fit(train, y_train).score(train, y_train) > 0.8
    assert isinstance(shuffle(bundle, random_state=0), FeatureBundle)
    assert len(resample(bundle, n_samples=7, random_state=0)) == 7
    assert indexable(bundle, y)[0] is bundle
    assert len(list(KFold(4).split(bundle))) == 4


def test_cross_validation(bundle, arrays):
    _, _, y = arrays
    scores = cross_validate(NearestMean(), bundle, y, cv=3)["test_score"]
    array_scores = cross_validate(make_pipeline(BlockSelector("audio"), LogisticRegression()), bundle, y, cv=3)
    assert scores.mean() > 0.8
    assert array_scores["test_score"].mean() > 0.8
    assert cross_val_predict(NearestMean(), bundle, y, method="predict_proba", cv=3).shape == (N, 2)


@pytest.mark.parametrize("bundle", ["rows"], indirect=True)
def test_search_in_processes(bundle, arrays):
    _, _, y = arrays
    model = Pipeline([("table", BlockSelector()), ("model", LogisticRegression())])
    search = GridSearchCV(model, {"model__C": [0.1, 1.0], "table__blocks": ["audio", "frames"]}, cv=2, n_jobs=2)
    assert search.fit(bundle, y).best_params_["table__blocks"] == "audio"
    assert search.predict(bundle).shape == (N,)


def test_ensembles(bundle, arrays):
    _, _, y = arrays
    voting = VotingClassifier([("one", NearestMean()), ("two", NearestMean(scale=2.0))], voting="soft").fit(bundle, y)
    assert voting.score(bundle, y) > 0.8
    calibrated = CalibratedClassifierCV(NearestMean(), cv=3).fit(bundle, y)
    assert calibrated.predict_proba(bundle).shape == (N, 2)


def test_joblib_dump(bundle, arrays):
    blocks, lengths, _ = arrays
    buffer = io.BytesIO()
    joblib.dump(bundle, buffer)
    buffer.seek(0)
    assert_same(joblib.load(buffer), blocks, lengths)
