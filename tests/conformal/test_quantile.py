"""Quantiles and p-values: by hand, by counting, and against MAPIE and crepes."""

from fractions import Fraction
from math import inf

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator

from skbst.conformal import (
    class_p_values,
    class_thresholds,
    conformal_p_values,
    conformal_quantile,
    lac_scores,
    prediction_sets,
)
from skbst.exceptions import DataFormatError


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose rows are its probabilities."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.asarray(X)

    def predict(self, X):
        return self.classes_[np.asarray(X).argmax(axis=1)]


def counted_quantile(scores, level):
    """Smallest score that is at least as high as the share of rows, the new one counted; by trying each."""
    share = Fraction(str(level))
    enough = [s for s in sorted(scores) if Fraction(int(np.sum(scores <= s)), len(scores) + 1) >= share]
    return enough[0] if enough else inf


@pytest.mark.parametrize("level", [0.1, 0.55, 0.7, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("n", [1, 8, 9, 10, 19, 99, 100])
def test_quantile_by_counting(n, level):
    scores = np.random.default_rng(n).integers(0, 30, n) / 30
    assert conformal_quantile(scores, level) == counted_quantile(scores, level)


def test_ranks_are_fractions():
    """In floats 0.55 of 100 is 55.00000000000001, and the rank would be one too high."""
    assert conformal_quantile(np.arange(1, 100), 0.55) == 55
    assert conformal_quantile(np.arange(1, 10), 0.9) == 9
    assert conformal_quantile(np.arange(1, 9), 0.9) == inf


def test_weights():
    """No scale, zero rows are no rows, and heavy rows move the quantile."""
    scores = np.array([0.4, 0.1, 0.3, 0.2, 0.9])
    expected = conformal_quantile(scores, 0.6)
    assert conformal_quantile(scores, 0.6, sample_weight=np.full(5, 7.3)) == expected
    with_zeros = np.r_[scores, 0.95, 0.99], np.r_[np.ones(5), 0, 0]
    assert conformal_quantile(with_zeros[0], 0.6, sample_weight=with_zeros[1]) == expected
    # (1, 1, 1, 1, 6) and a new row of 2: 0.9 is needed for more than 4 of 12
    assert conformal_quantile(scores, 0.3, sample_weight=[1, 1, 1, 1, 6]) == 0.4
    assert conformal_quantile(scores, 0.5, sample_weight=[1, 1, 1, 1, 6]) == 0.9
    assert conformal_quantile(scores, 0.9, sample_weight=[1, 1, 1, 1, 6]) == inf
    assert conformal_p_values(scores, 0.9, sample_weight=[1, 1, 1, 1, 6]) == (6 + 2) / 12


def test_weighted_way_meets_the_plain_one():
    """Weights that are almost equal take the other branch."""
    rng = np.random.default_rng(0)
    for n in (9, 20, 55):
        scores = rng.random(n)
        for level in (0.5, 0.8, 0.9):
            weights = np.ones(n)
            weights[0] += 1e-13
            assert conformal_quantile(scores, level, sample_weight=weights) == conformal_quantile(scores, level)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_no_number_is_refused(bad):
    with pytest.raises(DataFormatError, match=r"1 of 3 rows of scores .* row 1"):
        conformal_quantile([0.1, bad, 0.2], 0.5)
    with pytest.raises(DataFormatError, match="probabilities"):
        lac_scores([[0.5, bad], [0.5, 0.5]], [0, 1])
    with pytest.raises(DataFormatError, match="not negative"):
        conformal_quantile([0.1, 0.2], 0.5, sample_weight=[-1, 1])


def test_p_values_by_counting():
    rng = np.random.default_rng(1)
    known, new = rng.integers(0, 9, 40) / 9, rng.integers(0, 9, (5, 3)) / 9
    expected = [[(np.sum(known >= s) + 1) / 41 for s in row] for row in new]
    np.testing.assert_allclose(conformal_p_values(known, new), expected, rtol=0, atol=1e-15)
    assert conformal_p_values([], [0.3]) == 1


def made_proba(n, n_classes, seed, ties=False):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    logits = rng.normal(size=(n, n_classes)) + 2 * np.eye(n_classes)[y]
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if ties:
        proba = np.floor(proba * 8) / 8
        proba[np.arange(n), proba.argmax(axis=1)] += 1 - proba.sum(axis=1)
    return proba, y


def test_thresholds_fall_back_to_the_parent():
    scores = np.array([0.1, 0.2, 0.3, 0.9, 0.4, 0.5])
    y, parent = np.array([0, 0, 0, 1, 2, 2]), np.array([0, 0, 1, 1])
    thresholds, sources = class_thresholds(scores, y, parent, 0.75, condition="class")
    # class 1: the four rows of its top; class 2: two rows are too few, so are the top's; class 3 has none
    assert sources.tolist() == ["class", "top", "all", "all"]
    assert thresholds.tolist() == [0.3, 0.9, 0.9, 0.9]
    thresholds, sources = class_thresholds(scores, y, parent, 0.95, condition="class")
    assert sources.tolist() == ["none"] * 4
    assert (thresholds == inf).all()


@pytest.mark.parametrize("condition", [None, "class", "top"])
def test_thresholds_rise_with_the_level(condition):
    """Also where a class loses its own threshold on the way and takes its parent's."""
    rng = np.random.default_rng(0)
    y, parent = np.repeat(np.arange(4), [12, 25, 5, 200]), np.array([0, 0, 1, 1])
    scores = rng.random(len(y)) * np.array([1, 0.2, 0.9, 0.3])[y]
    last = np.zeros(4)
    for level in np.linspace(0.02, 0.998, 120):
        thresholds, _ = class_thresholds(scores, y, parent, round(float(level), 3), condition=condition)
        assert (thresholds >= last).all()
        last = thresholds


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_equal_to_mapie(level, ties):
    mapie = pytest.importorskip("mapie.classification")
    proba, y = made_proba(300, 5, 0, ties)
    new = made_proba(200, 5, 1, ties)[0]
    theirs = mapie.SplitConformalClassifier(
        FrozenEstimator(Given().fit(proba, y)), confidence_level=level, conformity_score="lac", prefit=True
    ).conformalize(proba, y)
    sets = theirs.predict_set(new)[1][:, :, 0]
    ours, _ = class_thresholds(lac_scores(proba, y), y, np.zeros(5, dtype=int), level)
    quantile = np.ravel(theirs._mapie_classifier.quantiles_)
    np.testing.assert_allclose(ours[0], quantile[0], rtol=0, atol=1e-12)
    likeliest = np.eye(5, dtype=bool)[new.argmax(axis=1)]
    assert (prediction_sets(new, ours) == (sets | likeliest)).all()


@pytest.mark.parametrize("ties", [False, True])
def test_equal_to_crepes(ties):
    crepes = pytest.importorskip("crepes")
    proba, y = made_proba(240, 4, 2, ties)
    new = made_proba(100, 4, 3, ties)[0]
    scores, parent = lac_scores(proba, y), np.array([0, 0, 1, 1])
    ours = class_p_values(scores, y, parent, new, ["class"] * 4)
    theirs = np.empty_like(ours)
    for column in range(4):
        calibrated = crepes.ConformalClassifier().fit(scores[y == column])
        strange = (1 - new[:, [column]]).copy()
        theirs[:, column] = calibrated.predict_p(strange, smoothing=False)[:, 0]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_equal_to_crepes_with_its_own_bins():
    """The whole of its wrapper, class-conditional."""
    crepes = pytest.importorskip("crepes")
    proba, y = made_proba(240, 4, 2)
    new = made_proba(100, 4, 3)[0]
    wrapped = crepes.WrapClassifier(Given().fit(proba, y))
    wrapped.calibrate(proba, y, class_cond=True)
    theirs = wrapped.predict_p(new, smoothing=False)
    ours = class_p_values(lac_scores(proba, y), y, np.array([0, 0, 1, 1]), new, ["class"] * 4)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
