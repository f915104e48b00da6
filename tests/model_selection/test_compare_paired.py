import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score
from sklearn.utils import check_random_state

from skbst.exceptions import DataFormatError
from skbst.metrics import (
    hierarchical_accuracy_score,
    hierarchical_f1_score,
    hierarchical_precision_score,
    hierarchical_recall_score,
)
from skbst.model_selection import compare_paired, official_folds
from skbst.model_selection._paired._cell_resampling import CellResampling
from skbst.model_selection._paired._intervals import bca_interval, corrected_resampled_t, permutation_p_value
from skbst.model_selection._paired._row_resampling import RowResampling
from skbst.taxonomy import BST

CODES = np.array(["fx-a", "fx-h", "ss-n", "ss-u", "m-m"])
SCORES = {
    "hierarchical_f1": hierarchical_f1_score,
    "hierarchical_precision": hierarchical_precision_score,
    "hierarchical_recall": hierarchical_recall_score,
    "hierarchical_accuracy": hierarchical_accuracy_score,
}


def noisy(y, right, rng):
    return np.where(rng.random(len(y)) < right, y, rng.choice(CODES, len(y)))


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(0)
    y = rng.choice(CODES, 300, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    return y, noisy(y, 0.8, rng), noisy(y, 0.7, rng)


def cells(case, *, fold=None, groups=None, metric="hierarchical_f1", **kwargs):
    fold = np.zeros(len(case[0]), dtype=int) if fold is None else fold
    options = {"metric": metric, "top_weight": 0.75, "zero_division": np.nan} | kwargs
    return CellResampling(*(BST.leaf_index(x) for x in case), fold, groups, BST.parent_of_leaf, **options)


@pytest.mark.parametrize("metric", list(SCORES))
@pytest.mark.parametrize("zero_division", [np.nan, 0.0])
def test_scores_are_those_of_the_metrics(case, metric, zero_division):
    y, a, b = case
    a = np.where(a == "m-m", "fx-a", a)
    result = compare_paired(y, a, b, metric=metric, zero_division=zero_division, n_bootstrap=2, n_permutations=1)
    options = {} if metric == "hierarchical_accuracy" else {"zero_division": zero_division}
    assert result.score_a == pytest.approx(SCORES[metric](y, a, **options), abs=1e-12)
    assert result.score_b == pytest.approx(SCORES[metric](y, b, **options), abs=1e-12)
    assert result.difference == pytest.approx(result.score_a - result.score_b, abs=1e-12)


def test_top_weight_and_accuracy(case):
    y, a, b = case
    flat = compare_paired(y, a, b, top_weight=0, n_bootstrap=2, n_permutations=1)
    assert flat.score_a == pytest.approx(f1_score(y, a, average="macro"), abs=1e-12)
    plain = compare_paired(y, a, b, metric="accuracy", n_bootstrap=2, n_permutations=1)
    assert plain.score_b == pytest.approx(accuracy_score(y, b), abs=1e-12)


def test_every_resample_of_groups_is_a_weighted_score(case):
    y, a, b = case
    groups = np.random.default_rng(1).permutation(np.arange(300) % 40)
    got = cells(case, groups=groups).bootstrap(20, np.random.default_rng(5))
    rng = np.random.default_rng(5)
    drawn = rng.integers(40, size=(20, 40))
    for difference, draw in zip(got, drawn, strict=True):
        weight = np.bincount(draw, minlength=40)[groups]
        expected = hierarchical_f1_score(y, a, sample_weight=weight) - hierarchical_f1_score(y, b, sample_weight=weight)
        assert difference == pytest.approx(expected, abs=1e-12)


def test_every_swap_of_groups_is_a_score(case):
    y, a, b = case
    groups = np.arange(300) % 40
    got = cells(case, groups=groups).permute(20, np.random.default_rng(5))
    swaps = np.random.default_rng(5).integers(2, size=(20, 40)).astype(bool)
    for difference, swap in zip(got, swaps[:, groups], strict=True):
        expected = hierarchical_f1_score(y, np.where(swap, b, a)) - hierarchical_f1_score(y, np.where(swap, a, b))
        assert difference == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("n_folds", [1, 3])
def test_cells_behave_like_rows(case, grouped, n_folds):
    fold = np.arange(300) % n_folds
    groups = np.arange(300) // 3 if grouped else None
    fast = cells(case, fold=fold, groups=groups)
    slow = RowResampling(*case, fold, groups, metric=hierarchical_f1_score)
    for ours, theirs in zip(fast.observed(), slow.observed(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    rng = np.random.default_rng(0)
    for name, tolerance in (("bootstrap", 0.3), ("permute", 0.3)):
        ours, theirs = getattr(fast, name)(2000, rng), getattr(slow, name)(60, rng)
        assert ours.std() == pytest.approx(theirs.std(), rel=tolerance)
        assert ours.mean() == pytest.approx(theirs.mean(), abs=4 * theirs.std() / np.sqrt(60))


@pytest.mark.parametrize("grouped", [False, True])
def test_jackknife_leaves_one_out(case, grouped):
    groups = np.arange(300) // 3 if grouped else None
    fold = np.arange(300) % 2
    values, times, stratum = cells(case, fold=fold, groups=groups).jackknife()
    slow, _, slow_stratum = RowResampling(*case, fold, groups, metric=hierarchical_f1_score).jackknife()
    assert times.sum() == len(slow)
    np.testing.assert_allclose(np.sort(np.repeat(values, times)), np.sort(slow), atol=1e-12)
    np.testing.assert_array_equal(np.bincount(np.repeat(stratum, times)), np.bincount(slow_stratum))


def test_folds_are_averaged(case):
    y, a, b = case
    folds = official_folds(y)
    result = compare_paired(y, a, b, folds=folds, n_bootstrap=50, n_permutations=50, random_state=0)
    each = [hierarchical_f1_score(y[f.test], a[f.test]) - hierarchical_f1_score(y[f.test], b[f.test]) for f in folds]
    np.testing.assert_allclose(result.fold_differences, each, atol=1e-12)
    assert result.difference == pytest.approx(np.mean(each), abs=1e-12)
    assert result.fold_interval[0] < result.difference < result.fold_interval[1]
    same = compare_paired(
        y, a, b, folds=folds.fold_of_row.astype(str), n_bootstrap=50, n_permutations=50, random_state=0
    )
    assert same.to_dict() == result.to_dict()


def test_exact_permutation_distribution():
    y = np.array(["fx-a", "fx-a", "fx-h", "ss-n", "ss-n", "fx-h"])
    a = np.array(["fx-a", "fx-a", "fx-h", "ss-n", "fx-a", "fx-a"])
    b = np.array(["fx-h", "ss-n", "fx-h", "ss-n", "ss-n", "ss-n"])
    observed = hierarchical_f1_score(y, a) - hierarchical_f1_score(y, b)
    exact = []
    for swap in itertools.product([False, True], repeat=6):
        swap = np.array(swap)
        exact.append(hierarchical_f1_score(y, np.where(swap, b, a)) - hierarchical_f1_score(y, np.where(swap, a, b)))
    expected = np.mean(np.abs(exact) >= abs(observed) - 1e-12)
    result = compare_paired(y, a, b, n_permutations=20_000, n_bootstrap=2, random_state=0)
    assert result.p_value == pytest.approx(expected, abs=0.015)
    assert {round(value, 9) for value in result.permutation_differences} <= {round(value, 9) for value in exact}


def test_interval_of_accuracy_is_the_textbook_one():
    rng = np.random.default_rng(3)
    y = np.repeat("fx-a", 4000)
    a, b = (np.where(rng.random(4000) < p, "fx-a", "fx-h") for p in (0.8, 0.75))
    result = compare_paired(y, a, b, metric="accuracy", random_state=0, method="percentile")
    difference = (a == y).astype(float) - (b == y)
    error = difference.std() / np.sqrt(4000)
    assert result.standard_error == pytest.approx(error, rel=0.05)
    np.testing.assert_allclose(result.interval, difference.mean() + error * np.array([-1.96, 1.96]), atol=0.15 * error)
    only_a, only_b = int((difference == 1).sum()), int((difference == -1).sum())
    exact = stats.binomtest(only_a, only_a + only_b).pvalue
    assert result.p_value == pytest.approx(max(exact, 1 / 2001), abs=0.01)


def test_copies_of_a_clip_are_one_clip_by_groups(case):
    y, a, b = case
    alone = compare_paired(y, a, b, random_state=0)
    copies = [np.repeat(values, 9) for values in case]
    careless = compare_paired(*copies, random_state=0)
    careful = compare_paired(*copies, groups=np.repeat(np.arange(300), 9), random_state=0)
    assert careless.standard_error == pytest.approx(alone.standard_error / 3, rel=0.1)
    assert careful.standard_error == pytest.approx(alone.standard_error, rel=0.1)
    assert careful.n_groups == 300
    assert "of 300 groups" in repr(careful)


def test_equal_predictions(case):
    y, a, _ = case
    result = compare_paired(y, a, a, folds=np.arange(300) % 5, random_state=0)
    assert (result.difference, result.interval, result.p_value) == (0, (0, 0), 1)
    assert (result.fold_interval, result.fold_p_value) == ((0, 0), 1)
    assert result.interval_method == "percentile"


def test_exchange_of_the_systems(case):
    y, a, b = case
    forth = compare_paired(y, a, b, random_state=0, n_bootstrap=5000)
    back = compare_paired(y, b, a, random_state=0, n_bootstrap=5000)
    assert forth.difference == -back.difference
    np.testing.assert_allclose(forth.interval, np.negative(back.interval)[::-1], atol=0.004)
    assert forth.p_value == pytest.approx(back.p_value, abs=0.02)


def test_random_state(case):
    runs = [compare_paired(*case, random_state=seed) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(runs[0].bootstrap_differences, runs[1].bootstrap_differences)
    np.testing.assert_array_equal(runs[0].permutation_differences, runs[1].permutation_differences)
    assert (runs[0].bootstrap_differences != runs[2].bootstrap_differences).any()
    before = check_random_state(None).get_state()[1].copy()
    compare_paired(*case, random_state=None, n_bootstrap=10, n_permutations=10)
    np.testing.assert_array_equal(check_random_state(None).get_state()[1], before)


def test_any_metric_function(case):
    def hits(y_true, y_pred):
        return np.mean(y_true == y_pred)

    y, a, b = case
    slow = compare_paired(y, a, b, metric=hits, n_bootstrap=400, n_permutations=100, random_state=0)
    assert slow.metric == "hits"
    assert slow.score_a == pytest.approx(accuracy_score(y, a))
    fast = compare_paired(y, a, b, metric="accuracy", random_state=0)
    np.testing.assert_allclose(slow.interval, fast.interval, atol=0.03)


def test_labels_of_any_kind(case):
    numbers = [np.searchsorted(np.sort(CODES), values) for values in case]
    result = compare_paired(*numbers, random_state=0)
    assert result.score_a == pytest.approx(f1_score(numbers[0], numbers[1], average="macro"))
    series = [pd.Series(values, index=np.arange(300)[::-1]) for values in case]
    assert compare_paired(*series, random_state=0).difference == compare_paired(*case, random_state=0).difference


def test_repr_dict_and_pickle(case):
    result = compare_paired(*case, folds=np.arange(300) % 5, random_state=0)
    text = repr(result)
    for part in (
        "hierarchical_f1 of 300 rows",
        "95 % interval [",
        "BCa",
        "permutation p =",
        "corrected t over 5 folds",
    ):
        assert part in text
    row = result.to_dict()
    assert row["low"] < row["difference"] < row["high"]
    assert repr(pickle.loads(pickle.dumps(result))) == text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"folds": [0, 1]}, "folds has 2 rows but y_true has 300"),
        ({"folds": np.r_[-1, np.zeros(299)]}, "1 of 300 rows are in no fold"),
        ({"pred_a": ["fx-a"]}, "inconsistent numbers of samples"),
        ({"taxonomy": BST.restrict(["fx-a", "fx-h"])}, "not leaves of the taxonomy"),
        ({"metric": "f2"}, "metric"),
        ({"n_bootstrap": 1}, "n_bootstrap"),
    ],
)
def test_bad_input(case, change, message):
    arguments = dict(zip(("y_true", "pred_a", "pred_b"), case, strict=True)) | change
    with pytest.raises(ValueError, match=message):
        compare_paired(**arguments)


def test_nothing_to_compare():
    with pytest.raises(DataFormatError, match="y_true is empty"):
        compare_paired([], [], [])


def test_bca_equals_scipy():
    values = np.random.default_rng(0).exponential(size=40)
    result = stats.bootstrap((values,), np.mean, n_resamples=3000, method="BCa", random_state=0, vectorized=True)
    jackknife = (values.sum() - values) / 39
    ours = bca_interval(result.bootstrap_distribution, values.mean(), jackknife)
    np.testing.assert_allclose(ours, result.confidence_interval, rtol=2e-3)
    folded = bca_interval(result.bootstrap_distribution, values.mean(), jackknife[::-1], np.ones(40, dtype=int))
    np.testing.assert_allclose(folded, ours)


def test_bca_is_not_defined():
    assert bca_interval(np.ones(10), 0.0, np.arange(5.0)) is None
    assert bca_interval(np.arange(-5.0, 5), 0.0, np.ones(5)) is None


def test_corrected_t_by_hand():
    differences = np.array([0.01, 0.03, 0.02, 0.02])
    error = np.sqrt((1 / 4 + 1 / 3) * (0.0002 / 3))
    t = stats.t(3)
    interval, p_value = corrected_resampled_t(differences, test_to_train=1 / 3)
    np.testing.assert_allclose(interval, 0.02 + error * np.array([t.ppf(0.025), t.ppf(0.975)]), rtol=1e-12)
    assert p_value == pytest.approx(2 * (1 - t.cdf(0.02 / error)))
    plain = corrected_resampled_t(differences, test_to_train=0)[1]
    assert plain == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    assert corrected_resampled_t([0.5, 0.5], test_to_train=1) == ((0.5, 0.5), 0.0)


def test_permutation_p_value_counts_ties():
    assert permutation_p_value(np.array([0.5, -0.5, 0.1]), 0.5) == 0.75
    assert permutation_p_value(np.zeros(99), 0.5) == 0.01


@pytest.mark.data
def test_noise_floor_of_the_published_runs(data_root):
    table = pd.read_csv(data_root / "bsd10k-v1.2-public-runs/predictions.csv.gz", dtype={"sound_id": str})
    runs = table[table["mode"] == "both"].pivot_table(
        index="sound_id", columns="run", values="prediction", aggfunc="first"
    )
    truth = table.drop_duplicates("sound_id").set_index("sound_id")["ground_truth"].reindex(runs.index)
    runs = runs[["model_output", "model_output_xswap_noise"]].dropna()
    truth = truth[runs.index]
    alone = compare_paired(truth, runs["model_output"], truth, random_state=0)
    assert 100 * alone.standard_error == pytest.approx(0.43, abs=0.06)
    close = compare_paired(truth, runs["model_output_xswap_noise"], runs["model_output"], random_state=0)
    assert close.standard_error < 0.9 * alone.standard_error
    assert close.interval[0] < 0 < close.interval[1]


@pytest.mark.parametrize("value", [np.nan, np.inf, np.float32("nan")])
@pytest.mark.parametrize("who", ["A", "B", "both"])
def test_a_metric_that_is_no_number_is_never_significant(case, value, who):
    y, a, b = case

    def metric(truth, pred):
        wrong = {"A": (pred == a).all(), "B": (pred == b).all(), "both": True}[who]
        return value if len(pred) == len(a) and wrong else 0.5

    with pytest.raises(DataFormatError, match=r"The metric 'metric' of [AB] is (nan|inf) in 1 of 1 fold\(s\)"):
        compare_paired(y, a, b, metric=metric, n_bootstrap=20, n_permutations=20)


def test_a_fold_without_a_number_is_named(case):
    fold = np.arange(300) % 3
    y, a, b = case

    def metric(truth, pred):
        return np.nan if np.array_equal(truth, y[fold == 2]) else np.mean(truth == pred)

    with pytest.raises(DataFormatError, match=r"1 of 3 fold\(s\) \(first: 2\)"):
        compare_paired(y, a, b, folds=fold, metric=metric, n_bootstrap=20, n_permutations=20)


def test_resamples_and_swaps_without_a_number(case):
    y, a, b = case
    calls = []

    def every_third(truth, pred):
        calls.append(0)
        return np.nan if len(calls) > 2 and len(calls) % 6 == 3 else np.mean(truth == pred)

    with pytest.warns(UserWarning, match=r"no number in 10 of 30 resamples"):
        result = compare_paired(y, a, b, metric=every_third, n_bootstrap=30, n_permutations=30, method="percentile")
    assert np.isfinite(result.interval).all()
    # swaps without a number count as extreme
    assert result.p_value >= 11 / 31

    def seldom(truth, pred):
        calls.append(0)
        return np.nan if len(calls) > 2 else 0.5

    calls.clear()
    with pytest.raises(DataFormatError, match="no number in 20 of 20 resamples"):
        compare_paired(y, a, b, metric=seldom, n_bootstrap=20, n_permutations=20)


@pytest.mark.parametrize("kind", [np.float32, np.array, lambda value: np.array([value]), np.float64, torch.tensor])
def test_numbers_of_numpy_are_numbers(case, kind):
    plain, of_numpy = (
        compare_paired(*case, metric=metric, n_bootstrap=20, n_permutations=20, random_state=0)
        for metric in (lambda t, p: float(np.mean(t == p)), lambda t, p: kind(np.mean(t == p)))
    )
    np.testing.assert_allclose(of_numpy.interval, plain.interval, rtol=1e-4)
    assert isinstance(of_numpy.difference, float)


@pytest.mark.parametrize("wrong", [None, "high", "0.5", [0.1, 0.2], np.array([0.1, 0.2]), {"f1": 0.1}])
def test_a_metric_that_gives_no_number_at_all(case, wrong):
    with pytest.raises(DataFormatError, match="metric must give one number"):
        compare_paired(*case, metric=lambda truth, pred: wrong, n_bootstrap=20, n_permutations=20)


@pytest.mark.parametrize("metric", ["accuracy", lambda truth, pred: np.mean(truth == pred)])
def test_of_a_single_row_or_uploader_nothing_is_said(metric):
    with pytest.raises(DataFormatError, match="one row"):
        compare_paired(["fx-a"], ["fx-a"], ["m-sp"], metric=metric)
    three = ["fx-a", "m-sp", "ss-n"]
    with pytest.raises(DataFormatError, match="one uploader"):
        compare_paired(three, three, three[::-1], metric=metric, groups=["ann"] * 3)
    assert compare_paired(three, three, three, metric=metric, groups=["ann", None, None]).p_value == 1


def test_a_masked_score_is_no_number():
    with pytest.raises(DataFormatError, match="metric"):
        compare_paired(["fx-a", "m-sp"], ["fx-a"] * 2, ["m-sp"] * 2, metric=lambda truth, pred: np.ma.masked)
