import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import BaseEstimator, TransformerMixin

from skbst.exceptions import DataFormatError
from skbst.features import ClapZeroShotClassifier, FeatureBundle
from skbst.taxonomy import BST, Taxonomy


class Table(TransformerMixin, BaseEstimator):
    """Vectors by text, given by hand."""

    def __init__(self, vectors):
        self.vectors = vectors

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return np.array([self.vectors[text] for text in X], dtype=float)


class Letters(TransformerMixin, BaseEstimator):
    """How often each letter occurs."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return np.array([[text.lower().count(chr(97 + i)) for i in range(26)] for text in X], dtype=float)


class TestPrompts:
    def test_bst_names_and_descriptions(self):
        classifier = ClapZeroShotClassifier(Letters()).fit(None, ["fx-a", "sp-c", "fx-a"])
        assert classifier.classes_.tolist() == ["fx-a", "sp-c"]
        assert classifier.prompts_["sp-c"] == [
            "This is a sound of conversation or crowd.",
            "Speech: conversation or crowd.",
            "conversation or crowd. Several people talking: conversation, dialogue, playground, public places.",
        ]
        assert classifier.n_features_in_ == 26

    def test_all_classes(self):
        classifier = ClapZeroShotClassifier(Letters()).fit(None, BST.leaves)
        assert classifier.class_embeddings_.shape == (23, 26)
        np.testing.assert_allclose(np.linalg.norm(classifier.class_embeddings_, axis=1), 1, atol=1e-6)

    def test_labels_that_are_no_codes_name_themselves(self):
        classifier = ClapZeroShotClassifier(Letters()).fit(None, ["Dog", "cat"])
        assert classifier.prompts_ == {"Dog": ["This is a sound of dog."], "cat": ["This is a sound of cat."]}

    def test_no_template_fits(self):
        classifier = ClapZeroShotClassifier(Letters(), templates=["{description}"]).fit(None, ["dog"])
        assert classifier.prompts_ == {"dog": ["dog"]}

    def test_own_taxonomy_and_prompts(self):
        tree = Taxonomy({"a": "x", "b": "x"}, leaf_names={"a": "Ants"}, top_names={"x": "Insects"})
        classifier = ClapZeroShotClassifier(
            Letters(), taxonomy=tree, templates=["{code} {top} {name}"], prompts={"b": ["bees", "a bee hive"]}
        ).fit(None, ["a", "b"])
        assert classifier.prompts_ == {"a": ["a Insects ants"], "b": ["bees", "a bee hive"]}

    def test_a_misspelt_field(self):
        with pytest.raises(DataFormatError, match=r"\['nmae'\]"):
            ClapZeroShotClassifier(Letters(), templates=["{nmae}"]).fit(None, ["dog"])


class TestPrediction:
    @pytest.fixture
    def classifier(self):
        vectors = {"p": [2.0, 0.0], "q": [0.0, 5.0], "r": [0.0, 1.0]}
        prompts = {"fx-a": ["p", "q"], "m-m": "r", "ss-n": "p"}
        return ClapZeroShotClassifier(Table(vectors), prompts=prompts, temperature=0.5).fit(
            None, ["ss-n", "m-m", "fx-a"]
        )

    def test_mean_of_unit_prompts_by_hand(self, classifier):
        half = np.sqrt(0.5)
        np.testing.assert_allclose(classifier.class_embeddings_, [[half, half], [0, 1], [1, 0]], atol=1e-7)

    def test_softmax_of_cosines_by_hand(self, classifier):
        X = np.array([[3.0, 0.0], [1.0, 1.0]])
        half = np.sqrt(0.5)
        cosines = np.array([[half, 0, 1], [1, half, half]])
        np.testing.assert_allclose(classifier.decision_function(X), cosines / 0.5, atol=1e-6)
        np.testing.assert_allclose(classifier.predict_proba(X), softmax(cosines / 0.5, axis=1), atol=1e-6)
        np.testing.assert_allclose(np.exp(classifier.predict_log_proba(X)), classifier.predict_proba(X))
        assert classifier.predict(X).tolist() == ["ss-n", "fx-a"]

    def test_a_zero_vector_is_undecided(self, classifier):
        np.testing.assert_allclose(classifier.predict_proba([[0.0, 0.0]]), 1 / 3)

    def test_two_classes(self):
        vectors = {"p": [1.0, 0.0], "q": [0.0, 1.0]}
        classifier = ClapZeroShotClassifier(Table(vectors), prompts={0: "p", 1: "q"}, temperature=1.0).fit(None, [0, 1])
        np.testing.assert_allclose(classifier.decision_function([[0.0, 2.0], [1.0, 0.0]]), [1, -1], atol=1e-6)
        assert classifier.predict([[0.0, 2.0], [1.0, 0.0]]).tolist() == [1, 0]

    def test_bundles(self, classifier):
        X = np.array([[3.0, 0.0], [1.0, 1.0]])
        bundle = FeatureBundle({"clap_text": np.ones((2, 7)), "clap_audio": X})
        np.testing.assert_array_equal(classifier.predict_proba(bundle), classifier.predict_proba(X))
        named = ClapZeroShotClassifier(**{**classifier.get_params(deep=False), "block": "other"})
        named.fit(FeatureBundle({"other": X}), ["ss-n", "m-m"])
        assert named.predict(FeatureBundle({"other": X})).tolist() == ["ss-n", "m-m"]
        with pytest.raises(DataFormatError, match="no block 'other'"):
            named.predict(bundle)

    def test_vectors_of_another_length(self):
        with pytest.raises(DataFormatError, match="one CLAP checkpoint"):
            ClapZeroShotClassifier(Letters()).fit(np.zeros((2, 512)), ["fx-a", "m-m"])


def test_with_a_clap(tiny_clap, clips):
    from skbst.features import ClapAudioFeaturizer, ClapTextFeaturizer

    X = ClapAudioFeaturizer(tiny_clap, backend="transformers").fit_transform([clips["short"], clips["long"]])
    embedder = ClapTextFeaturizer(tiny_clap, backend="transformers", cleaner=None)
    classifier = ClapZeroShotClassifier(embedder).fit(X, ["fx-a", "ss-n"])
    proba = classifier.predict_proba(X)
    assert proba.shape == (2, 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert not hasattr(embedder, "cleaner_")
