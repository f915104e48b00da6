"""One reader of groups: who is missing, who is equal to whom, and which parts groups reach."""

import datetime

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skbst._groups import (
    group_codes,
    groups_for_splitter,
    matched_group_codes,
    own_group_codes,
    read_groups,
    with_groups,
)
from skbst.exceptions import DataFormatError
from skbst.model_selection import OfficialKFold, compare_paired, official_folds
from skbst.sampling import MetadataQualitySampler, UploaderCapSampler
from skbst.text import MetadataCleaner, find_templates

MISSING = [None, float("nan"), np.nan, pd.NA, pd.NaT, ""]


@pytest.mark.parametrize("gap", MISSING)
def test_every_kind_of_nothing_is_nobodys(gap):
    assert read_groups(["ann", gap, "ann"]).tolist() == ["ann", None, "ann"]
    np.testing.assert_array_equal(group_codes(["bob", gap, "ann", gap]), [1, -1, 0, -1])
    np.testing.assert_array_equal(own_group_codes(["bob", gap, "ann", gap]), [1, 2, 0, 3])


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["b", None, "a", "b"], dtype="string"),
        pd.Series(["b", None, "a", "b"], dtype="category"),
        pd.Series(["b", None, "a", "b"], dtype=object, index=[7, 7, 3, 1]),
        np.array(["b", "", "a", "b"]),
        ["b", np.nan, "a", "b"],
        ("b", pd.NA, np.str_("a"), "b"),
        np.array([["b"], [None], ["a"], ["b"]], dtype=object),
        pd.Series([2, None, 1, 2], dtype="Int64"),
        pd.Series([2, None, 1, 2]),
        [2, "", 1.0, np.int8(2)],
        pd.Series(pd.to_datetime(["2020-02-01", None, "2020-01-01", "2020-02-01"])),
        [datetime.date(2020, 2, 1), None, datetime.date(2020, 1, 1), datetime.date(2020, 2, 1)],
        [True, None, False, True],
    ],
    ids=repr,
)
def test_any_type_of_names(column):
    np.testing.assert_array_equal(group_codes(column, 4), [1, -1, 0, 1])


def test_numbers_do_not_depend_on_the_order_of_the_rows():
    names = np.array(["b", 10, 2, None, "a", 2.0, "10"], dtype=object)
    order = [6, 4, 2, 0, 1, 3, 5]
    np.testing.assert_array_equal(group_codes(names)[order], group_codes(names[order]))
    assert len(set(group_codes(names))) == 6


def test_two_lists_are_numbered_alike():
    codes, others = matched_group_codes(["a", "", "b", None], pd.Series(["b", None, "c"], dtype="string"))
    equal = codes[:, None] == others[None, :]
    np.testing.assert_array_equal(equal, [[0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize("groups", ["ann", [["a", "b"], ["c", "d"]], ["a"], 5 * ["a"]])
def test_not_one_name_per_row(groups):
    with pytest.raises(DataFormatError, match="groups must have one entry per row"):
        read_groups(groups, 2)


def test_splitters_get_numbers_only_where_somebody_is_missing():
    names = np.array(["a", "b"])
    assert groups_for_splitter(names) is names
    assert groups_for_splitter(None) is None
    np.testing.assert_array_equal(groups_for_splitter(["b", "", "b", pd.NA]), [0, 1, 0, 2])


class Taker(ClassifierMixin, BaseEstimator):
    """Takes groups."""

    def fit(self, X, y, groups=None):
        return self


class Passer(Taker):
    """Hands on whatever it gets."""

    def fit(self, X, y, **fit_params):
        return self


@pytest.mark.parametrize(
    ("estimator", "names"),
    [
        (Taker(), ["groups"]),
        (Passer(), ["groups"]),
        (LogisticRegression(), []),
        (FrozenEstimator(Taker()), []),
        (Pipeline([("scale", StandardScaler()), ("net", Taker())]), ["net__groups"]),
        (make_pipeline(Taker(), make_pipeline("passthrough", Taker())), ["taker__groups", "pipeline__taker__groups"]),
        (CalibratedClassifierCV(make_pipeline(StandardScaler(), Taker())), ["taker__groups"]),
        (GridSearchCV(make_pipeline(Taker()), {}), ["groups", "taker__groups"]),
    ],
)
def test_names_under_which_groups_reach_the_parts(estimator, names, recwarn):
    assert with_groups(estimator, ["a"], {"other": 1}) == {"other": 1, **{name: ["a"] for name in names}}
    assert with_groups(estimator, None, {"other": 1}) == {"other": 1}
    with sklearn.config_context(enable_metadata_routing=True):
        assert with_groups(estimator, ["a"], {}) == {}
    assert not recwarn.list


@pytest.mark.parametrize(
    ("estimator", "who"),
    [
        (VotingClassifier([("a", Taker()), ("b", LogisticRegression())]), "Taker inside VotingClassifier"),
        (make_pipeline(VotingClassifier([("a", make_pipeline(Taker()))])), "Pipeline inside VotingClassifier"),
        (GridSearchCV(Taker(), {}), "Taker inside GridSearchCV"),
    ],
)
def test_a_warning_names_who_gets_no_groups(estimator, who):
    with pytest.warns(UserWarning, match=f"groups do not reach {who}: "):
        with_groups(estimator, ["a"], {})


def test_what_the_caller_names_stays():
    assert with_groups(make_pipeline(Taker()), [1], {"taker__groups": [2]}) == {"taker__groups": [2]}


@pytest.mark.parametrize("gap", MISSING)
def test_rows_of_nobody_in_folds_and_comparisons(gap):
    rng = np.random.default_rng(0)
    y = np.array(["fx-a", "m-sp", "ss-n"])[rng.integers(0, 3, 120)]
    names = np.array([f"u{i}" for i in rng.integers(0, 20, 120)], dtype=object)
    names[::4] = None
    with_gap = [gap if name is None else name for name in names]
    own = [f"row {i}" if name is None else name for i, name in enumerate(names)]
    for (train, test), (train_own, test_own) in zip(
        OfficialKFold().split(y, y, with_gap), OfficialKFold().split(y, y, own), strict=True
    ):
        np.testing.assert_array_equal(train, train_own)
        np.testing.assert_array_equal(test, test_own)
    assert len(official_folds(y, groups=with_gap)) == 5
    answer, other = rng.permutation(y), rng.permutation(y)
    results = [compare_paired(y, answer, other, groups=g, random_state=0, n_bootstrap=50) for g in (with_gap, own)]
    assert repr(results[0]) == repr(results[1])


@pytest.mark.parametrize("gap", MISSING)
def test_rows_of_nobody_in_samplers_and_texts(gap):
    names = ["ann"] * 3 + [gap] * 3
    X = pd.DataFrame({"title": [f"rain on roof {i}" for i in range(6)], "description": "Made in my old shed."})
    assert UploaderCapSampler(2).fit(X, ["fx-a"] * 6, groups=names).sample_indices_.tolist() == [0, 1, 3, 4, 5]
    assert UploaderCapSampler(2).fit(X, ["fx-a"] * 6).sample_indices_.tolist() == [0, 1]
    sampler = MetadataQualitySampler(max_repeats=1, min_per_class=0).fit(X, ["fx-a"] * 6, groups=names)
    assert sampler.sample_indices_.tolist() == [0, 3, 4, 5]
    assert find_templates(X["description"], names, min_repeats=3) == {"made in my old shed": ("ann", 3)}
    assert find_templates(X["description"], [gap] * 6, min_repeats=2) == {}
    assert MetadataCleaner(min_repeats=3).fit(X, groups=names).templates_["uploader"].tolist() == ["ann"]


@pytest.mark.parametrize("estimator", [UploaderCapSampler(2), MetadataCleaner(min_repeats=3)])
def test_the_old_name_still_works(estimator):
    X = pd.DataFrame({"title": list("abcd"), "description": "Made in my old shed."})
    with pytest.warns(UserWarning, match="is called groups= now"):
        old = estimator.fit(X, ["fx-a"] * 4, uploader=["ann"] * 4)
    with pytest.raises(TypeError, match="both groups and uploader"):
        estimator.fit(X, ["fx-a"] * 4, uploader=["ann"] * 4, groups=["ann"] * 4)
    assert old is estimator
