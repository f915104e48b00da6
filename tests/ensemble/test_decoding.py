import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from skbst.ensemble import HierarchicalDecoder, decode_proba
from skbst.taxonomy import BST, Taxonomy, credit_matrix


def test_by_hand():
    proba = [[0.40, 0.35, 0.25, 0.0], [0.1, 0.2, 0.3, 0.4]]
    parent = [0, 1, 1, 1]
    assert decode_proba(proba, parent).tolist() == [0, 3]
    assert decode_proba(proba, parent, decode="top-down").tolist() == [1, 3]
    # credits of row 0: 0.4, 0.35 + 0.375 * 0.25, 0.25 + 0.375 * 0.35, 0.375 * 0.6
    assert decode_proba(proba, parent, decode="expected-credit").tolist() == [1, 3]
    assert decode_proba(proba, parent, decode="expected-credit", top_weight=0.2).tolist() == [0, 3]


def test_expected_credit_against_a_loop():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.full(23, 0.3), 200)
    credit = credit_matrix(BST.parent_of_leaf)
    expected = [max(range(23), key=lambda p: sum(row[g] * credit[g, p] for g in range(23))) for row in proba]
    assert decode_proba(proba, BST.parent_of_leaf, decode="expected-credit").tolist() == expected


def test_top_down_stays_under_the_most_probable_top():
    rng = np.random.default_rng(1)
    proba = rng.dirichlet(np.full(23, 0.3), 200)
    leaf = decode_proba(proba, BST.parent_of_leaf, decode="top-down")
    np.testing.assert_array_equal(BST.parent_of_leaf[leaf], BST.aggregate(proba).argmax(axis=1))
    assert (leaf != proba.argmax(axis=1)).any()


@pytest.mark.parametrize("decode", ["leaf", "top-down", "expected-credit"])
def test_without_a_tree_all_rules_agree(decode):
    proba = np.random.default_rng(2).dirichlet(np.ones(6), 50)
    np.testing.assert_array_equal(decode_proba(proba, np.arange(6), decode=decode), proba.argmax(axis=1))
    assert decode_proba([[0.5, 0.5]], [0, 1], decode=decode).tolist() == [0]


def test_unknown_rule():
    with pytest.raises(ValueError, match="decode must be one of"):
        decode_proba([[1.0]], [0], decode="best")


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    y = rng.choice(BST.leaves[::2], 300)
    X = rng.standard_normal((300, 8)) + 0.7 * rng.standard_normal((23, 8))[BST.leaf_index(y)]
    return X, y


@pytest.mark.parametrize("decode", ["leaf", "top-down", "expected-credit"])
def test_decoder_changes_the_decision_and_nothing_else(clips, decode):
    X, y = clips
    inner = LogisticRegression().fit(X, y)
    decoder = HierarchicalDecoder(LogisticRegression(), decode=decode).fit(X, y)
    np.testing.assert_array_equal(decoder.predict_proba(X), inner.predict_proba(X))
    np.testing.assert_array_equal(decoder.predict_log_proba(X), inner.predict_log_proba(X))
    leaf = decode_proba(inner.predict_proba(X), decoder.taxonomy_.parent_of_leaf, decode=decode)
    np.testing.assert_array_equal(decoder.predict(X), inner.classes_[leaf])
    np.testing.assert_array_equal(decoder.predict_top(X), BST.top_of(decoder.predict(X)))
    np.testing.assert_allclose(decoder.predict_top_proba(X).sum(axis=1), 1)
    assert (decoder.predict(X) != inner.predict(X)).any() == (decode != "leaf")


def test_expected_credit_earns_most_credit_when_probabilities_are_right():
    """Draw truths from the probabilities themselves: the Bayes decision wins."""
    rng = np.random.default_rng(3)
    proba = rng.dirichlet(np.full(23, 0.15), 30000)
    truth = (rng.random((30000, 1)) < proba.cumsum(axis=1)).argmax(axis=1)
    credit = credit_matrix(BST.parent_of_leaf)
    earned = {
        decode: credit[truth, decode_proba(proba, BST.parent_of_leaf, decode=decode)].mean()
        for decode in ("leaf", "top-down", "expected-credit")
    }
    assert max(earned, key=earned.get) == "expected-credit"


def test_decoder_takes_a_tree_and_passes_embed_through(clips):
    X, y = clips
    tree = Taxonomy(dict.fromkeys(BST.leaves, "all"))
    decoder = HierarchicalDecoder(LogisticRegression(), taxonomy=tree).fit(X, y)
    assert decoder.top_classes_.tolist() == ["all"]
    assert set(decoder.predict_top(X)) == {"all"}
    assert not hasattr(decoder, "embed")
    assert not hasattr(decoder, "embed_predict_proba")

    class Embedder(LogisticRegression):
        def embed(self, X):
            return X * 2

        def embed_predict_proba(self, X):
            return self.embed(X), self.predict_proba(X)

    decoder = HierarchicalDecoder(Embedder()).fit(X, y)
    np.testing.assert_array_equal(decoder.embed(X), X * 2)
    for one, other in zip(decoder.embed_predict_proba(X), (X * 2, decoder.predict_proba(X))):
        np.testing.assert_array_equal(one, other)


def test_decoder_needs_probabilities(clips):
    with pytest.raises(ValueError, match=r"Wrap it in sklearn.calibration.CalibratedClassifierCV"):
        HierarchicalDecoder(LinearSVC()).fit(*clips)
