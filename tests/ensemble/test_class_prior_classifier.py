"""What is known beforehand as a member of a vote."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skbst.ensemble import ClassPriorClassifier, FoldEnsembleClassifier, HierarchicalVotingClassifier, search_weights
from skbst.exceptions import DataFormatError
from skbst.features import BlockSelector, FeatureBundle
from skbst.metrics import hierarchical_f1_score
from skbst.taxonomy import BST, Taxonomy

CODES = np.array(["fx-a", "fx-h", "m-m", "ss-n"])


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = np.repeat(CODES, 30)
    X = rng.normal(size=(120, 6)) + 0.8 * np.eye(4, 6)[np.repeat(np.arange(4), 30)]
    return FeatureBundle({"audio": X, "prior": np.zeros((120, 4))}), y


def oracle(y):
    return (y[:, None] == CODES).astype(float)


def members(prior=True):
    linear = make_pipeline(BlockSelector("audio"), LogisticRegression())
    bayes = make_pipeline(BlockSelector("audio"), GaussianNB())
    return [("linear", linear), ("bayes", bayes), *([("prior", ClassPriorClassifier())] if prior else [])]


@pytest.mark.parametrize("voting", ["logit", "soft", "hard"])
@pytest.mark.parametrize("decode", ["leaf", "expected-credit"])
def test_a_prior_that_knows_nothing_changes_nothing(data, voting, decode):
    X, y = data
    settings = {"voting": voting, "decode": decode}
    vote = HierarchicalVotingClassifier(members(), weights=[0.3, 0.5, 7.0], **settings).fit(X, y)
    alone = HierarchicalVotingClassifier(members(prior=False), weights=[0.3, 0.5], **settings).fit(X, y)
    if voting != "hard":
        assert_array_equal(vote.predict_proba(X), alone.predict_proba(X))
    assert_array_equal(vote.predict(X), alone.predict(X))
    half = oracle(y)
    half[::2] = 0
    mixed = X.with_block("prior", half)
    if voting != "hard":
        assert_array_equal(vote.predict_proba(mixed)[::2], alone.predict_proba(X)[::2])
        assert_allclose(vote.predict_proba(mixed).sum(axis=1), 1)
    assert_array_equal(vote.predict(mixed)[::2], alone.predict(X)[::2])
    assert (vote.predict(mixed)[1::2] == y[1::2]).all()


def test_an_oracle_is_found_by_the_search_at_its_price(data):
    X, y = data
    X = X.with_block("prior", oracle(y))
    vote = HierarchicalVotingClassifier(members())
    result = vote.search_weights(X, y, cv=3, n_bootstrap=20)
    assert result.score == 1.0
    assert dict(zip(result.names, result.weights))["prior"] > 0.2
    assert vote.set_params(weights=result.weights).fit(X, y).score(X, y) == 1.0


@pytest.mark.parametrize("options", [{}, {"decode": "expected-credit"}, {"voting": "soft"}])
def test_the_search_counts_silent_rows_as_the_vote_does(data, options):
    X, y = data
    prior = np.random.default_rng(1).dirichlet(np.ones(4), 120)
    prior[::3] = 0
    X = X.with_block("prior", prior)
    vote = HierarchicalVotingClassifier(members(), **options)
    part = np.arange(120) % 30 // 10
    splits = [(np.flatnonzero(part != i), np.flatnonzero(part == i)) for i in range(3)]
    found = vote.search_weights(X, y, cv=splits, n_bootstrap=0).candidates.iloc[5]
    vote.set_params(weights=found[["linear", "bayes", "prior"]].to_numpy(float))
    guess = np.empty(120, dtype=object)
    for train, test in splits:
        guess[test] = vote.fit(X[train], y[train]).predict(X[test])
    assert_allclose(hierarchical_f1_score(y, guess.astype(str), zero_division=0.0), found["score"])


def test_columns_are_the_leaves_sorted_where_classes_are_fewer(data):
    X, y = data
    leaves = np.sort(BST.leaves)
    full = (y[:, None] == leaves).astype(np.float32)
    full[0] = leaves == "sp-s"  # a class that was never seen: nothing is known of the others
    model = ClassPriorClassifier(smoothing=0.0).fit(X.with_block("prior", full), y)
    proba = model.predict_proba(X.with_block("prior", full))
    assert_array_equal(proba[1:], oracle(y)[1:])
    assert_array_equal(model.abstains(X.with_block("prior", full)), np.arange(120) == 0)
    assert_array_equal(model.predict_top(X.with_block("prior", full))[1:31:10], ["fx"] * 3)
    tree = Taxonomy.from_codes([*CODES, "m-x"])
    own = (y[:, None] == np.sort([*CODES, "m-x"])).astype(float)
    assert (
        ClassPriorClassifier(taxonomy=tree).fit(X.with_block("prior", own), y).score(X.with_block("prior", own), y) == 1
    )


def test_what_is_no_prior_is_refused(data):
    X, y = data
    with pytest.raises(DataFormatError, match="reads the block 'prior'"):
        ClassPriorClassifier().fit(X.select(["audio"]), y)
    with pytest.raises(DataFormatError, match="column for each"):
        ClassPriorClassifier().fit(X.with_block("prior", np.ones((120, 5)) / 5), y)
    for bad in (-0.5, np.nan, 2.0):
        rows = oracle(y)
        rows[3] = bad
        with pytest.raises(DataFormatError, match="row 3"):
            ClassPriorClassifier().fit(X.with_block("prior", rows), y)


def test_folds_of_a_vote_with_a_prior(data):
    X, y = data
    rows = oracle(y)
    rows[::2] = 0
    X = X.with_block("prior", rows)
    ensemble = FoldEnsembleClassifier(HierarchicalVotingClassifier(members(), weights=[1, 1, 8]), cv=3).fit(X, y)
    assert_allclose(ensemble.predict_proba(X).sum(axis=1), 1)
    assert (ensemble.predict(X)[1::2] == y[1::2]).all()


def test_silent_rows_of_the_search_may_be_infinite_only_throughout():
    log_proba = np.log(np.full((2, 6, 3), 1 / 3))
    log_proba[0, 0] = -np.inf
    y, classes = np.array(["fx-a", "m-m", "ss-n"] * 2), np.array(["fx-a", "m-m", "ss-n"])
    search_weights(log_proba, y, classes=classes, n_bootstrap=0)
    log_proba[0, 1, 0] = -np.inf
    with pytest.raises(DataFormatError, match="finite"):
        search_weights(log_proba, y, classes=classes, n_bootstrap=0)
