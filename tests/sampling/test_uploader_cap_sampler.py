"""The cap per uploader and class."""

import numpy as np
import pandas as pd
import pytest

from skbst.features import FeatureBundle
from skbst.sampling import UploaderCapSampler


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"title": [f"t{k}" for k in range(300)], "uploader": rng.choice(["ann", "bob", "cy"], 300)})
    return X, rng.choice(["fx-a", "m-sp"], 300), rng.random(300)


def test_the_best_of_each_uploader_and_class_stay(table):
    X, y, score = table
    X_kept, y_kept = UploaderCapSampler(10).fit_resample(X, y, score=score)
    sizes = pd.Series(1, index=range(len(X_kept))).groupby([X_kept["uploader"].to_numpy(), y_kept]).sum()
    assert (sizes == 10).all()
    for (uploader, code), rows in X.assign(y=y, score=score).groupby(["uploader", "y"]):
        best = set(rows.nlargest(10, "score")["title"])
        stayed = X_kept[(X_kept["uploader"] == uploader) & (y_kept == code)]
        assert set(stayed["title"]) == best


def test_order_stays_and_ties_go_to_the_earlier(table):
    X, y, _ = table
    sampler = UploaderCapSampler(5)
    X_kept, _ = sampler.fit_resample(X, y)
    assert (np.diff(sampler.sample_indices_) > 0).all()
    ann = np.flatnonzero((X["uploader"] == "ann") & (y == "fx-a"))[:5]
    assert set(ann) <= set(sampler.sample_indices_)
    assert X_kept.index.tolist() == sampler.sample_indices_.tolist()


def test_rows_that_are_no_candidates_stay_and_do_not_count(table):
    X, y, score = table
    candidates = np.arange(300) >= 100
    sampler = UploaderCapSampler(3).fit(X, y, score=score, candidates=candidates)
    assert set(range(100)) <= set(sampler.sample_indices_)
    assert len(sampler.sample_indices_) == 100 + 3 * 3 * 2
    assert (sampler.rank_[:100] == -1).all()


def test_missing_scores_go_last_and_without_uploaders_the_cap_is_one_per_class(table):
    X, y, score = table
    score[:50] = np.nan
    sampler = UploaderCapSampler(80).fit(X[["title"]], y, score=score)
    assert len(sampler.sample_indices_) == 160
    assert not set(range(50)) & set(sampler.sample_indices_)


def test_any_rows(table):
    X, y, score = table
    uploader = X["uploader"].to_numpy()
    chosen = UploaderCapSampler(4).fit(X, y, score=score).sample_indices_
    rows = [
        np.random.default_rng(1).random((300, 2)),
        list(map(str, range(300))),
        X["title"],
        FeatureBundle({"audio": np.arange(600.0).reshape(300, 2)}),
    ]
    for row_type in rows:
        sampler = UploaderCapSampler(4)
        kept, y_kept = sampler.fit_resample(row_type, list(y), groups=uploader, score=score)
        assert len(kept) == len(y_kept) == len(chosen)
        assert type(kept) is type(row_type)
        np.testing.assert_array_equal(sampler.sample_indices_, chosen)
