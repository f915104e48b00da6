import os

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skbst.features import FeatureBundle
from skbst.neighbors._fingerprint import fingerprint


@pytest.fixture
def mapped(tmp_path):
    rows = np.arange(60, dtype=np.float32).reshape(10, 3, 2)
    np.save(tmp_path / "rows.npy", rows)
    return np.load(tmp_path / "rows.npy", mmap_mode="r"), tmp_path / "rows.npy"


def test_values_count_and_containers_do_not():
    rows = np.random.default_rng(0).standard_normal((50, 4))
    bundle = FeatureBundle({"a": rows, "b": rows[:, :2]})
    chosen = [4, 7, 1]
    assert fingerprint(rows[chosen]) == fingerprint(np.asfortranarray(rows[chosen]))
    by_copy = FeatureBundle({"a": rows[chosen], "b": rows[chosen][:, :2]})
    assert fingerprint(bundle[chosen]) == fingerprint(by_copy)


def test_every_difference_shows():
    rows = np.random.default_rng(0).standard_normal((50, 4))
    swapped = rows[::-1]
    changed = rows.copy()
    changed[31, 3] = np.nextafter(changed[31, 3], 2)
    bundle = FeatureBundle({"a": rows})
    framed = {"f": np.zeros((50, 3, 2))}
    keys = [
        fingerprint(rows),
        fingerprint(swapped),
        fingerprint(changed),
        fingerprint(rows.astype(np.float32)),
        fingerprint(rows.reshape(25, 8)),
        fingerprint(rows[:49]),
        fingerprint(bundle),
        fingerprint(FeatureBundle({"b": rows})),
        fingerprint(bundle[::-1]),
        fingerprint(FeatureBundle(framed)),
        fingerprint(FeatureBundle(framed, lengths={"f": np.full(50, 2)})),
        fingerprint(LogisticRegression()),
        fingerprint(LogisticRegression(C=2)),
        fingerprint(rows, "x"),
        fingerprint(["a"]),
    ]
    assert len(set(keys)) == len(keys)


def test_memory_maps_are_known_by_file_and_rows(mapped, monkeypatch):
    rows, path = mapped
    bundle = FeatureBundle({"f": rows})
    key = fingerprint(bundle[[3, 1]])
    assert key == fingerprint(FeatureBundle({"f": np.load(path, mmap_mode="r")})[[3, 1]])
    assert key != fingerprint(bundle[[1, 3]])
    assert key == fingerprint(FeatureBundle({"f": rows}, rows={"f": [9, 3, 1]})[1:])
    assert fingerprint(rows) != fingerprint(rows[2:])
    os.utime(path, ns=(1, 1))
    assert key != fingerprint(bundle[[3, 1]])


def test_memory_maps_are_not_read(mapped, monkeypatch):
    rows, _ = mapped
    monkeypatch.setattr(np, "ascontiguousarray", lambda a, dtype=None: pytest.fail("read") if a.ndim == 3 else a)
    fingerprint(FeatureBundle({"f": rows})[[2, 5]])
