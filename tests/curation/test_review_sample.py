"""How predictions are sampled for review, and what the sample tells of all of them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from skbst.curation import review_precision, review_sample
from skbst.curation._review_sample import stratified_interval
from skbst.exceptions import DataFormatError


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    labels = rng.choice(["fx-a", "fx-n", "ss-n"], 400, p=[0.7, 0.2, 0.1])
    return pd.DataFrame({"predicted": labels, "proba": rng.uniform(size=400), "class_2": "m-m"}, index=range(400))


def decided(sample, keep):
    decision = np.where(keep, "keep", "change")
    return pd.DataFrame({"sound_id": sample.index.map(str), "label": sample["predicted"], "decision": decision})


def test_each_class_and_band_has_its_share(table):
    sample = review_sample(table, n=4, edges=(0.5, 0.9), random_state=0)
    bands = pd.cut(
        table["proba"], [0, 0.5, 0.9, 1], right=False, labels=["0.00 to 0.50", "0.50 to 0.90", "0.90 to 1.00"]
    )
    strata = table["predicted"] + " " + bands.astype(str)
    pd.testing.assert_series_equal(sample["stratum"], strata[sample.index], check_names=False)
    sizes = strata.value_counts()
    assert sample["n_stratum"].tolist() == sizes[sample["stratum"]].tolist()
    assert sample["stratum"].value_counts().to_dict() == sizes.clip(upper=4).to_dict()
    # who stops early has heard each stratum
    assert sample["stratum"].iloc[:9].nunique() == 9
    assert sample["class_2"].eq("m-m").all()


def test_the_draw_is_that_of_its_seed_and_fair(table):
    first = review_sample(table, random_state=3)
    pd.testing.assert_frame_equal(first, review_sample(table, random_state=3))
    assert not first.index.equals(review_sample(table, random_state=4).index)
    times = pd.Series(0, index=table.index)
    for seed in range(200):
        times[review_sample(table, n=4, edges=(0.5,), random_state=seed).index] += 1
    some = table.index[(table["predicted"] == "fx-a") & (table["proba"] < 0.5)]
    assert times[some].mean() == pytest.approx(800 / len(some))
    assert times[some].max() < 800 / len(some) + 5 * np.sqrt(800 / len(some))


def test_sounds_without_an_answer_are_left_out(table):
    table.loc[:9, "predicted"] = ""
    table.loc[:9, "proba"] = np.nan
    assert review_sample(table, n=1000).index.min() == 10


@pytest.mark.parametrize(
    ("change", "settings", "error", "message"),
    [
        ({"proba": 1.5}, {}, DataFormatError, "400 of 400 probabilities"),
        ({"proba": np.nan}, {}, DataFormatError, "400 of 400 probabilities"),
        ({"predicted": None}, {}, DataFormatError, "no predictions"),
        ({}, {"n": 0}, ValueError, "n is a number"),
        ({}, {"edges": (0.9, 0.5)}, ValueError, "ascending"),
        ({}, {"edges": (0.0, 0.5)}, ValueError, "between 0 and 1"),
    ],
)
def test_odd_settings_are_refused(table, change, settings, error, message):
    with pytest.raises(error, match=message):
        review_sample(table.assign(**change), **settings)
    with pytest.raises(DataFormatError, match=r"\['proba'\] are missing"):
        review_sample(table[["predicted"]])


def test_what_was_reviewed_whole_is_known(table):
    sample = review_sample(table, n=1000, random_state=0)
    right = np.random.default_rng(1).uniform(size=400) < 0.8
    found = review_precision(decided(sample, right), sample)
    assert found.loc["all", ["precision", "low", "high"]].tolist() == pytest.approx([right.mean()] * 3)
    of_class = right[(sample["predicted"] == "fx-n").to_numpy()]
    assert found.loc["fx-n", "precision"] == pytest.approx(of_class.mean())
    assert found.loc["all", ["n_predictions", "n_reviewed", "covered"]].tolist() == [400, 400, 1]


def test_strata_weigh_as_many_as_they_hold():
    table = pd.DataFrame({"predicted": "fx-a", "proba": [0.95] * 900 + [0.1] * 100}, index=range(1000))
    sample = review_sample(table, n=10, random_state=0)
    found = review_precision(decided(sample, sample["proba"] > 0.5), sample).loc["all"]
    assert found["precision"] == pytest.approx(0.9)
    assert 0.6 < found["low"] < 0.9 < found["high"] < 0.96


def test_one_stratum_has_wilsons_interval():
    # 18 of 20 at 95 %: Wilson's interval is .699 to .972; borrowing from itself makes it a little wider
    estimate, low, high = stratified_interval(*(np.array([value]) for value in (18.0, 20.0, 1e9)), norm.ppf(0.975))
    assert estimate == 0.9
    assert low == pytest.approx(0.699, abs=0.03)
    assert high == pytest.approx(0.972, abs=0.01)
    assert low <= 0.699 < 0.972 <= high + 5e-4
    assert stratified_interval(*(np.array([value]) for value in (20.0, 20.0, 1e9)), 1.96)[1] == pytest.approx(
        0.839, abs=1e-3
    )


def test_unsure_and_unheard_count_as_not_reviewed(table):
    sample = review_sample(table, n=2, random_state=0)
    decisions = decided(sample, True).iloc[:6]
    decisions.loc[decisions.index[0], "decision"] = "unsure"
    found = review_precision(decisions, sample)
    heard = sample.iloc[1:6].drop_duplicates("stratum")["n_stratum"].sum()
    assert found.loc["all", "n_reviewed"] == 5
    assert found.loc["all", "covered"] == pytest.approx(heard / 400)
    nothing = review_precision(decisions.iloc[:0], sample)
    assert nothing[["precision", "low", "high"]].isna().all(axis=None)
    assert (nothing["covered"] == 0).all()


def test_another_sample_is_refused(table):
    sample = review_sample(table, n=2, random_state=0)
    with pytest.raises(DataFormatError, match="are not those of the sample"):
        review_precision(decided(sample, True).assign(label="m-m"), sample)
    with pytest.raises(DataFormatError, match="n_stratum"):
        review_precision(decided(sample, True), table)
    with pytest.raises(ValueError, match="confidence_level"):
        review_precision(decided(sample, True), sample, confidence_level=95)


@pytest.mark.parametrize("n", [2, 5, 10])
@pytest.mark.parametrize(
    ("sizes", "shares"),
    [
        # of many strata, small and large; good and bad models; and few strata, of which one holds most clips
        (np.random.default_rng(0).integers(4, 400, 69), np.tile([0.45, 0.7, 0.93], 23)),
        (np.random.default_rng(1).integers(4, 400, 69), np.tile([0.8, 0.95, 0.995], 23)),
        (np.random.default_rng(2).integers(4, 400, 69), np.tile([0.1, 0.4, 0.6], 23)),
        (np.array([60, 150, 900]), np.array([0.45, 0.7, 0.93])),
        (np.array([30, 40, 50]), np.array([0.9, 0.97, 0.995])),
    ],
    ids=["middling", "good", "bad", "one", "small"],
)
def test_the_interval_holds_the_truth_as_often_as_it_says(n, sizes, shares):
    rng, z, hits, draws = np.random.default_rng(7), norm.ppf(0.975), 0, 600
    for _ in range(draws):
        right = rng.binomial(sizes, shares)
        reviewed = np.minimum(n, sizes)
        found = rng.hypergeometric(right, sizes - right, reviewed)
        estimate, low, high = stratified_interval(found.astype(float), reviewed.astype(float), sizes.astype(float), z)
        assert low <= estimate <= high
        hits += low - 1e-9 <= right.sum() / sizes.sum() <= high + 1e-9
    # 600 draws at 95 % fall below 92.5 % once in 400 times
    assert hits / draws > 0.925
