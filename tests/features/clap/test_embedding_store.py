import pickle
import threading
from copy import deepcopy

import numpy as np
import pytest

from skbst._files._atomic import scratch_name
from skbst.datasets import load_bsd
from skbst.exceptions import DataFormatError
from skbst.features import EmbeddingStore, embedding_skew
from skbst.features._store._keys import content_key
from skbst.features._store._shards import ShardFolder, write_atomically

PIPELINE = {"backend": "laion-clap", "windows": "thirds"}


def keys_of(*texts):
    return [content_key(text) for text in texts]


@pytest.fixture
def store(tmp_path):
    return EmbeddingStore(tmp_path)


@pytest.fixture
def vectors():
    return np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)


class TestOfficialLayout:
    def test_round_trip(self, store, vectors, tmp_path):
        store.write(list("abcdef"), vectors)
        np.testing.assert_array_equal(store.read(["c", "a"]), vectors[[2, 0]])
        file = tmp_path / "features" / "clap_audio_embeddings" / "c.npy"
        array = np.load(file)
        assert (array.shape, array.dtype) == ((8,), np.float32)

    def test_text_has_its_own_folder(self, tmp_path, vectors):
        EmbeddingStore(tmp_path, name="clap_text").write(list("abcdef"), vectors)
        assert (tmp_path / "features" / "clap_text_embeddings" / "a.npy").is_file()

    @pytest.mark.filterwarnings("ignore:.*no folder audio")
    def test_load_bsd_reads_what_is_written(self, tmp_path, vectors):
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        (tmp_path / "metadata").mkdir()
        rows = "\n".join(f"{i},fx-a,t,tag" for i in range(6))
        (tmp_path / "metadata" / "BSD10k_metadata.csv").write_text(f"sound_id,class,title,tags\n{rows}\n")
        EmbeddingStore(tmp_path).write([str(i) for i in range(6)], vectors)
        np.testing.assert_array_equal(load_bsd(tmp_path).embeddings["clap_audio"], vectors)

    def test_missing(self, store, vectors):
        with pytest.raises(DataFormatError, match="no folder"):
            store.read(["a"])
        store.write(list("abcdef"), vectors)
        with pytest.raises(DataFormatError, match=r"1 of 2 sounds have no embedding.*'z'"):
            store.read(["a", "z"])
        rows = store.read(["a", "z"], missing="nan")
        assert np.isnan(rows).all(axis=1).tolist() == [False, True]
        with pytest.raises(ValueError, match="missing must be"):
            store.read(["a"], missing="zero")

    def test_what_a_data_set_shipped_is_not_overwritten(self, store, vectors):
        store.write(list("abcdef"), vectors)
        before = {path: path.stat().st_mtime_ns for path in store.official_folder.iterdir()}
        store.write(list("abcdef"), vectors)
        assert before == {path: path.stat().st_mtime_ns for path in store.official_folder.iterdir()}
        changed = vectors.copy()
        changed[2] += 1
        with pytest.raises(DataFormatError, match=r"1 of 6 files exist.*c\.npy"):
            store.write(list("abcdef"), changed)
        np.testing.assert_array_equal(store.read(["c"]), vectors[2:3])
        store.write(list("abcdef"), changed, overwrite=True)
        np.testing.assert_array_equal(store.read(["c"]), changed[2:3])

    @pytest.mark.parametrize("bad", ["../x", "a/b", "", "..", "a\\b", "nul\0"])
    def test_ids_that_are_no_file_names(self, store, vectors, bad):
        with pytest.raises(DataFormatError, match="file names"):
            store.write([bad], vectors[:1])

    def test_wrong_rows(self, store, vectors):
        with pytest.raises(DataFormatError, match="more than once"):
            store.write(["a", "a"], vectors[:2])
        with pytest.raises(DataFormatError, match="one row for each"):
            store.write(["a"], vectors[:2])
        with pytest.raises(DataFormatError, match="finite"):
            store.write(["a"], vectors[:1] * np.nan)
        assert not store.official_folder.exists()

    def test_skew(self, store, vectors):
        store.write(list("abcde"), vectors[:5])
        fresh = vectors.copy()
        fresh[3] = -fresh[3]
        skew = store.skew(list("abcdef"), fresh, n_worst=2)
        assert (skew.n_compared, skew.n_missing) == (5, 1)
        assert skew.worst.index[0] == "d"
        assert skew.worst.iloc[0] == pytest.approx(-1)
        assert skew.quantiles[0.5] == pytest.approx(1)


class TestSkew:
    def test_by_hand_whatever_the_lengths(self):
        skew = embedding_skew([[3.0, 4.0], [0.0, 2.0]], [[10.0, 0.0], [0.0, 0.5]])
        np.testing.assert_allclose(skew.cosine, [0.6, 1.0])
        assert skew.quantiles[0.0] == pytest.approx(0.6)

    def test_shapes(self):
        with pytest.raises(DataFormatError, match="one shape"):
            embedding_skew(np.ones((2, 3)), np.ones((3, 3)))


class TestCache:
    def test_content_and_pipeline_are_the_key(self, store, vectors):
        keys = keys_of("a", "b")
        store.put(keys, vectors[:2], PIPELINE)
        found = store.get([*keys, *keys_of("c")], PIPELINE)
        assert found.keys() == set(keys)
        np.testing.assert_array_equal(found[keys[1]], vectors[1])
        assert store.get(keys, {**PIPELINE, "windows": "random"}) == {}
        assert store.get(keys, dict(reversed(PIPELINE.items()))).keys() == set(keys)

    def test_another_object_and_process_sees_it(self, store, vectors, tmp_path):
        other = EmbeddingStore(tmp_path)
        assert other.get(keys_of("a"), PIPELINE) == {}
        store.put(keys_of("a"), vectors[:1], PIPELINE)
        np.testing.assert_array_equal(other.get(keys_of("a"), PIPELINE)[keys_of("a")[0]], vectors[0])

    def test_pack(self, store, vectors, tmp_path):
        keys = keys_of(*"abcdef")
        reader = EmbeddingStore(tmp_path)
        for i in range(6):
            store.put(keys[i : i + 1], vectors[i : i + 1], PIPELINE)
        assert len(reader.get(keys, PIPELINE)) == 6
        store.pack(PIPELINE, above=6)
        assert len(list(tmp_path.rglob("shard-*"))) == 6
        store.pack()
        assert len(list(tmp_path.rglob("shard-*"))) == 1
        for one in (store, reader, EmbeddingStore(tmp_path)):
            found = one.get(keys, PIPELINE)
            np.testing.assert_array_equal(np.stack([found[key] for key in keys]), vectors)

    def test_clones_travel_light(self, store, vectors):
        store.put(keys_of("a"), vectors[:1], PIPELINE)
        for copy in (deepcopy(store), pickle.loads(pickle.dumps(store))):
            assert copy == store
            assert hash(copy) == hash(store)
            assert copy.get(keys_of("a"), PIPELINE)
        assert repr(store).startswith("EmbeddingStore(")

    @pytest.mark.parametrize("name", ["", "a/b", ".."])
    def test_names(self, tmp_path, name):
        with pytest.raises(DataFormatError, match="one word"):
            EmbeddingStore(tmp_path, name=name)


class TestShards:
    def test_a_damaged_shard_is_left_out_with_a_warning(self, tmp_path, vectors):
        ShardFolder(tmp_path).put(keys_of("a"), vectors[:1])
        ShardFolder(tmp_path).put(keys_of("b"), vectors[1:2])
        path = sorted(tmp_path.glob("shard-*"))[0]
        path.write_bytes(path.read_bytes()[:-3])
        shards = ShardFolder(tmp_path)
        with pytest.warns(RuntimeWarning, match="damaged"):
            assert len(shards.get(keys_of("a", "b"))) == 1
        shards.get(keys_of("a", "b"))

    def test_wrong_vectors(self, tmp_path, vectors):
        shards = ShardFolder(tmp_path)
        with pytest.raises(DataFormatError, match="one row"):
            shards.put(keys_of("a"), vectors[:2])
        with pytest.raises(DataFormatError, match="finite"):
            shards.put(keys_of("a"), np.full((1, 8), np.inf))
        shards.put([], np.empty((0, 8)))
        assert len(shards) == 0

    def test_a_write_that_fails_leaves_nothing(self, tmp_path):
        path = tmp_path / "a.npy"
        write_atomically(path, lambda file: file.write(b"old"))

        def fail(file):
            file.write(b"half")
            raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            write_atomically(path, fail)
        assert path.read_bytes() == b"old"
        assert [p.name for p in tmp_path.iterdir()] == ["a.npy"]

    def test_left_overs_of_killed_writers(self, tmp_path, vectors):
        """Whoever lives holds a lock on the file that it writes."""
        import fcntl

        shards = ShardFolder(tmp_path)
        shards.put(keys_of("a"), vectors[:1])
        dead, living_file = (scratch_name(tmp_path / name) for name in ("dead", "living"))
        for path in (dead, living_file, tmp_path / ".somebody_elses.tmp"):
            path.write_bytes(b"half")
        with living_file.open("rb") as living:
            fcntl.flock(living, fcntl.LOCK_EX)
            assert len(ShardFolder(tmp_path)) == 1
            shards.pack()
        assert not dead.exists()
        assert living_file.exists()
        assert (tmp_path / ".somebody_elses.tmp").exists()

    def test_writers_readers_and_packers_at_once(self, tmp_path):
        keys = keys_of(*(str(i) for i in range(60)))
        vectors = np.arange(60 * 4, dtype=np.float32).reshape(60, 4)
        failures = []

        def run(offset):
            try:
                shards = ShardFolder(tmp_path)
                for i in range(offset, 60, 3):
                    shards.put([keys[i]], vectors[i : i + 1])
                    seen = shards.get(keys[offset : i + 1 : 3])
                    assert len(seen) == len(keys[offset : i + 1 : 3]), "a vector went missing"
                    if i % 5 == 0:
                        shards.pack()
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=run, args=(offset,)) for offset in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        found = ShardFolder(tmp_path).get(keys)
        np.testing.assert_array_equal(np.stack([found[key] for key in keys]), vectors)


def test_content_key(tmp_path):
    (tmp_path / "a").write_bytes(b"rain")
    assert content_key("rain") == content_key(b"rain") == content_key(tmp_path / "a")
    assert content_key(np.ones(3)) == content_key(np.ones(3, dtype=np.float32)) != content_key(np.ones(4))
    assert len(content_key("\ud800")) == 64
