import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from skbst.exceptions import DataFormatError
from skbst.neighbors import KNNPriorBlender, blend, flip_points


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    y = np.array(["fx-a", "m-sp", "ss-n", "is-p"])[np.arange(160) % 4]
    X = rng.standard_normal((160, 6)) + 0.9 * np.eye(6)[np.arange(160) % 4]
    table = pd.DataFrame(
        {"title": [f"clip {i}" for i in range(160)], "license": ["CC0", None] * 80, "confidence": np.arange(160) % 5},
        index=[f"id{i}" for i in range(160)],
    )
    blender = KNNPriorBlender(LogisticRegression(), alpha=0.4, k=5)
    return blender.fit(X[:130], y[:130], metadata=table[:130]), X[130:], y[:130]


def test_flip_points_by_hand():
    # 0.6 - 0.6 a against 0.4 + 0.1 a; the third class starts at 0 and ends at 0.5
    below, above, class_below, class_above = flip_points([[0.6, 0.4, 0.0]], [[0.0, 0.5, 0.5]], 0.1)
    np.testing.assert_allclose(above, 2 / 7)
    assert class_above == 1
    assert np.isnan(below)
    assert class_below == -1
    below, above, class_below, _ = flip_points([[0.6, 0.4, 0.0]], [[0.0, 0.55, 0.45]], 0.9)
    np.testing.assert_allclose(below, 0.2 / 0.75)
    assert class_below == 0
    assert np.isnan(above)


def test_flip_points_against_a_fine_grid():
    rng = np.random.default_rng(1)
    p, q = rng.dirichlet(np.ones(5), (2, 200))
    q[:20] = 0
    q[20:60] *= rng.random((40, 5)) < 0.4
    q /= np.where(q.sum(axis=1, keepdims=True) == 0, 1, q.sum(axis=1, keepdims=True))
    grid = np.linspace(0, 1, 4001)
    winners = np.stack([blend(p, q, a).argmax(axis=1) for a in grid])
    for alpha in (0.0, 0.3, 1.0):
        below, above, class_below, class_above = flip_points(p, q, alpha)
        at = int(alpha * 4000)
        for i in range(200):
            later = np.flatnonzero(winners[at:, i] != winners[at, i])
            earlier = np.flatnonzero(winners[: at + 1, i] != winners[at, i])
            if len(later):
                assert abs(above[i] - grid[at + later[0]]) < 1 / 3000
                assert class_above[i] == winners[at + later[0], i]
            else:
                assert np.isnan(above[i])
            if len(earlier):
                assert abs(below[i] - grid[earlier[-1]]) < 1 / 3000
                assert class_below[i] == winners[earlier[-1], i]
            else:
                assert np.isnan(below[i])


def test_one_row_per_clip_and_neighbour(fitted):
    blender, X, y = fitted
    table = blender.explain(X)
    assert len(table) == 30 * 5
    assert (table["rank"].to_numpy().reshape(30, 5) == np.arange(1, 6)).all()
    similarities, indices = blender.kneighbors(X)
    np.testing.assert_array_equal(table["neighbour"], indices.ravel())
    np.testing.assert_array_equal(table["similarity"], similarities.ravel())
    np.testing.assert_array_equal(table["label"], y[indices.ravel()])
    assert (table["title"] == "clip " + table["neighbour"].astype(str)).all()
    assert (table["id"] == "id" + table["neighbour"].astype(str)).all()
    assert set(table["license"]) == {"CC0", ""}
    assert table["confidence"].dtype.kind == "i"


def test_weights_and_shares_add_up(fitted):
    blender, X, _ = fitted
    table = blender.explain(X)
    clips = table.groupby("clip")
    np.testing.assert_allclose(clips["weight"].sum(), 1)
    np.testing.assert_allclose(clips["share"].sum() + clips["model_share"].first(), 1)
    proba = blender.predict_proba(X)
    np.testing.assert_array_equal(clips["prediction"].first(), blender.predict(X))
    np.testing.assert_allclose(clips["proba"].first(), proba.max(axis=1))
    np.testing.assert_array_equal(clips["model_prediction"].first(), blender.estimator_.predict(X))
    other = table["label"] != table["prediction"]
    assert (table.loc[other, "share"] == 0).all()
    agreeing = table[~other]
    np.testing.assert_allclose(agreeing["share"], 0.4 * agreeing["weight"] / agreeing["proba"])


def test_decisions_flip_where_it_says(fitted):
    blender, X, _ = fitted
    clips = blender.explain(X).groupby("clip").first()
    assert clips["flip_above"].notna().sum() > 3
    assert clips["flip_below"].notna().sum() > 0
    parameters = KNNPriorBlender(blender.estimator)
    parameters.__dict__.update(blender.__dict__)
    for side, step in (("above", 1e-9), ("below", -1e-9)):
        for clip, row in clips[clips[f"flip_{side}"].notna()].iterrows():
            flip = row[f"flip_{side}"]
            assert parameters.set_params(alpha=flip - step).predict(X[[clip]])[0] == row["prediction"]
            assert parameters.set_params(alpha=flip + step).predict(X[[clip]])[0] == row[f"flip_{side}_to"]
    still = clips[clips["flip_above"].isna()].index
    np.testing.assert_array_equal(parameters.set_params(alpha=1.0).predict(X[still]), clips["prediction"][still])


def test_names_of_clips_and_no_metadata(fitted):
    _, X, _ = fitted
    frame = pd.DataFrame(X, columns=list("abcdef"), index=[f"train{i}" for i in range(30)])
    blender = KNNPriorBlender(LogisticRegression(), k=2).fit(frame, np.arange(30) % 2)
    table = blender.explain(frame[:3], ids=["x", "y", "z"])
    assert table["clip"].tolist() == ["x", "x", "y", "y", "z", "z"]
    assert (table["id"] == "train" + table["neighbour"].astype(str)).all()
    blender = KNNPriorBlender(LogisticRegression(), k=50).fit(X, np.arange(30) % 2)
    table = blender.explain(X[:1])
    assert len(table) == 30
    assert "id" not in table
    with pytest.raises(DataFormatError, match="1 clips, but 2 ids"):
        blender.explain(X[:1], ids=["a", "b"])


def own_columns():
    X = np.eye(4)
    return KNNPriorBlender(LogisticRegression(), k=2).fit(X, [0, 1, 0, 1]).explain(X).columns.tolist()


class NeverFitted(LogisticRegression):
    def fit(self, X, y):
        raise AssertionError("trained before the metadata were checked")


@pytest.mark.parametrize("name", own_columns())
def test_columns_that_would_clash_are_refused(name):
    table = pd.DataFrame({"title": range(30), name: range(30)})
    message = rf"\['{name}'\] of metadata have names that explain\(\) uses itself; rename them"
    with pytest.raises(DataFormatError, match=message):
        KNNPriorBlender(NeverFitted()).fit(np.eye(30), np.arange(30) % 2, metadata=table)


@pytest.mark.parametrize("names", [["title", "title"], [1, "1"]])
def test_columns_of_one_name_are_refused(names):
    table = pd.DataFrame(np.zeros((30, 2)), columns=names)
    with pytest.raises(DataFormatError, match=rf"\['{names[0]}'\] of metadata stand there more than once"):
        KNNPriorBlender(NeverFitted()).fit(np.eye(30), np.arange(30) % 2, metadata=table)
