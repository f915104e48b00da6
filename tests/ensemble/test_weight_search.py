import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB

from skbst.ensemble import HierarchicalVotingClassifier, out_of_fold_log_proba, search_weights
from skbst.ensemble._simplex import ascend, n_grid_points, simplex_grid
from skbst.exceptions import DataFormatError
from skbst.metrics import hierarchical_f1_score
from skbst.taxonomy import BST

CODES = np.array(["fx-a", "fx-h", "m-m", "m-si", "ss-n"])


@pytest.fixture(scope="module")
def answers():
    """A good member, a fair one and one that knows nothing."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 5, 300)
    logits = rng.standard_normal((3, 300, 5))
    logits[0, np.arange(300), label] += 2.0
    logits[1, np.arange(300), label] += 1.2
    return logits, CODES[label], np.arange(300) % 4


def test_grid_covers_the_simplex():
    grid = simplex_grid(3, 0.25)
    assert len(grid) == n_grid_points(3, 0.25) == 15
    np.testing.assert_allclose(grid.sum(axis=1), 1)
    assert len(np.unique(grid, axis=0)) == 15
    assert (grid >= 0).all()
    assert simplex_grid(1, 0.1).tolist() == [[1.0]]


def test_ascent_finds_the_top_of_a_smooth_hill():
    goal = np.array([0.6, 0.1, 0.3])
    visited = ascend(lambda w: -np.square(w - goal).sum(axis=1), 3, 0.05)
    np.testing.assert_allclose(visited.sum(axis=1), 1)
    assert np.abs(visited - goal).max(axis=1).min() < 0.05


@pytest.mark.parametrize("zero_division", [0.0, np.nan])
@pytest.mark.parametrize("decode", ["leaf", "top-down", "expected-credit"])
def test_scores_are_those_of_the_metric(answers, decode, zero_division):
    logits, y, _ = answers
    result = search_weights(
        logits, y, classes=CODES, decode=decode, zero_division=zero_division, step=0.5, n_bootstrap=3
    )
    from skbst.ensemble import decode_proba

    tree = BST.reorder(CODES)
    for _, row in result.candidates.iterrows():
        mean = np.tensordot(row[:3].to_numpy(float), logits, axes=1)
        proba = np.exp(mean) / np.exp(mean).sum(axis=1, keepdims=True)
        predicted = CODES[decode_proba(proba, tree.parent_of_leaf, decode=decode)]
        expected = hierarchical_f1_score(y, predicted, zero_division=zero_division)
        assert row["score"] == pytest.approx(expected, abs=1e-12)


def test_finds_who_knows_most(answers):
    logits, y, folds = answers
    result = search_weights(logits, y, classes=CODES, folds=folds, names=["good", "fair", "noise"], n_bootstrap=60)
    weights = dict(zip(result.names, result.weights))
    assert weights["good"] > weights["noise"]
    assert weights["fair"] > weights["noise"]
    assert result.score == result.candidates["score"].max()
    assert result.equal_score <= result.stable_score <= result.score
    assert len(result.candidates) == n_grid_points(3, 0.1) + 1
    table = result.summary()
    assert table.index.tolist() == ["good", "fair", "noise"]
    assert table["bootstrap_mean"].sum() == pytest.approx(1)
    assert (table["fold_min"] <= table["fold_max"]).all()
    assert result.fold_weights.index.tolist() == [0, 1, 2, 3]
    assert result.bootstrap_weights.shape == (60, 3)
    mean, low, high = result.gain
    assert low < mean < high
    assert mean > 0


def test_members_alike_gain_nothing_and_stay_equal():
    rng = np.random.default_rng(1)
    label = rng.integers(0, 5, 200)
    logits = rng.standard_normal((200, 5))
    logits[np.arange(200), label] += 1
    result = search_weights(np.stack([logits] * 4), CODES[label], classes=CODES, n_bootstrap=20)
    np.testing.assert_allclose(result.weights, 0.25)
    np.testing.assert_allclose(result.stable_weights, 0.25)
    assert result.gain == (0.0, 0.0, 0.0)


def test_ascent_comes_close_to_the_grid(answers):
    logits, y, _ = answers
    grid = search_weights(logits, y, classes=CODES, method="grid", n_bootstrap=0)
    ascent = search_weights(logits, y, classes=CODES, method="coordinate", n_bootstrap=0)
    assert ascent.score > grid.score - 0.01
    assert np.isnan(grid.gain).all()
    many = search_weights(np.concatenate([logits] * 3), y, classes=CODES, step=0.1, n_bootstrap=0)
    assert len(many.candidates) < n_grid_points(9, 0.1)


def test_same_seed_same_report(answers):
    logits, y, _ = answers
    one, two, other = (
        search_weights(logits, y, classes=CODES, step=0.25, n_bootstrap=10, random_state=seed) for seed in (1, 1, 2)
    )
    assert one.bootstrap_weights.equals(two.bootstrap_weights)
    assert one.gain == two.gain != other.gain


def test_a_dropped_class_is_not_rewarded():
    """One member never says fx-h and is right on the rest; by the challenge's rule it would be perfect."""
    y = np.repeat(CODES[:3], 20)
    right = np.log(np.where(y[:, None] == CODES[:3], 0.9, 0.05))
    drops = right.copy()
    drops[y == "fx-h"] = np.log([0.9, 0.05, 0.05])
    honest = right.copy()
    honest[::4] = np.roll(right[::4], 1, axis=1)
    result = search_weights([drops, honest], y, classes=CODES[:3], step=1.0, n_bootstrap=0)
    assert result.weights[1] >= 0.5


def test_out_of_fold_is_cross_validation(answers):
    rng = np.random.default_rng(2)
    label = np.arange(120) % 5
    X, y = rng.standard_normal((120, 6)) + np.eye(6)[label], CODES[label]
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    found = out_of_fold_log_proba([LogisticRegression(), GaussianNB()], X, y, cv=cv)
    for i, member in enumerate((LogisticRegression(), GaussianNB())):
        expected = cross_val_predict(member, X, y, cv=cv, method="predict_proba")
        np.testing.assert_allclose(np.exp(found.log_proba[i]), np.maximum(expected, 1e-12), rtol=1e-9)
    for number, (_, test) in enumerate(cv.split(X, y)):
        assert (found.folds[test] == number).all()
    np.testing.assert_array_equal(found.y, y)
    frozen = FrozenEstimator(GaussianNB().fit(X, y))
    answer = out_of_fold_log_proba([frozen], X, y, cv=cv).log_proba[0]
    np.testing.assert_allclose(np.exp(answer), np.maximum(frozen.predict_proba(X), 1e-12), rtol=1e-9)


def test_voting_classifier_proposes_its_weights():
    rng = np.random.default_rng(3)
    label = np.arange(150) % 5
    X, y = rng.standard_normal((150, 6)) + np.eye(6)[label], CODES[label]
    blind = GaussianNB(priors=np.full(5, 0.2), var_smoothing=1e9)
    model = HierarchicalVotingClassifier(
        [("linear", LogisticRegression()), ("gone", "drop"), ("blind", blind)], weights=[1, 1, 1]
    )
    result = model.search_weights(X, y, cv=3, step=0.25, n_bootstrap=10)
    assert result.names == ("linear", "blind")
    assert model.weights == [1, 1, 1]
    assert result.score >= result.equal_score
    assert len(result.fold_weights) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"log_proba": np.zeros((2, 300, 4))}, r"must have shape \(n_members, n_samples, 5\)"),
        ({"log_proba": np.full((2, 300, 5), -np.inf)}, "finite"),
        ({"log_proba": np.zeros((2, 299, 5))}, "inconsistent"),
        ({"method": "magic"}, "method must be"),
        ({"step": 0.0}, "step must lie"),
    ],
)
def test_bad_input_is_refused(answers, change, message):
    logits, y, _ = answers
    with pytest.raises(ValueError, match=message):
        search_weights(**{"log_proba": logits, "y": y, "classes": CODES, "n_bootstrap": 0, **change})


def test_labels_must_be_classes(answers):
    logits, y, _ = answers
    with pytest.raises(DataFormatError, match="not leaves"):
        search_weights(logits, np.where(y == "fx-a", "is-p", y), classes=CODES, n_bootstrap=0)
