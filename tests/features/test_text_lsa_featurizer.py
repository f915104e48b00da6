import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.estimator_checks import parametrize_with_checks

from skbst.exceptions import DataFormatError
from skbst.features import TextLSAFeaturizer


@parametrize_with_checks([TextLSAFeaturizer(n_components=4)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture
def clips():
    titles = ["dog bark", "big dog", "rain on roof", "heavy rain", "drum loop", "fast drum beat"]
    tags = ["dog,animal", "dog", "rain,weather", "weather", "loop,drum", "beat,drum"]
    return pd.DataFrame({"title": titles, "tags": tags, "description": ""}, index=list("abcdef"))


def test_cosines_of_full_rank_are_those_of_tf_idf(clips):
    texts = (clips["title"] + " " + clips["tags"].str.replace(",", " ")).tolist()
    vectors = TextLSAFeaturizer(6, char_ngrams=None, random_state=0).fit_transform(texts)
    counts = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b").fit_transform(texts).toarray()
    assert_allclose(vectors @ vectors.T, counts @ counts.T, atol=1e-5)


def test_narrow_vectors_keep_what_belongs_together(clips):
    vectors = TextLSAFeaturizer(3, random_state=0).fit_transform(clips)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    assert_array_equal(cosines.argmax(axis=1), [1, 0, 3, 2, 5, 4])


def test_width_is_constant_and_the_rest_is_zero(clips):
    featurizer = TextLSAFeaturizer(random_state=0).fit(clips)
    vectors = featurizer.transform(clips)
    assert vectors.shape == (6, 512)
    assert vectors.dtype == np.float32
    assert featurizer.n_components_ == 6
    assert not vectors[:, 6:].any()
    assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    assert featurizer.get_feature_names_out().shape == (512,)


def test_rows_do_not_depend_on_each_other_and_seeds_repeat(clips):
    featurizer = TextLSAFeaturizer(4, random_state=3).fit(clips)
    together = featurizer.transform(clips)
    assert_allclose(np.vstack([featurizer.transform(clips.iloc[[i]]) for i in range(6)]), together, atol=1e-6)
    assert_array_equal(clone(featurizer).fit_transform(clips), together)


def test_no_words_are_the_zero_vector(clips):
    featurizer = TextLSAFeaturizer(4, random_state=0).fit(clips)
    odd = pd.DataFrame({"title": ["", None, "xyzzy"], "tags": ["", np.nan, ""], "description": ""})
    assert not featurizer.transform(odd).any()
    assert not TextLSAFeaturizer(4).fit_transform(["", "  "]).any()


def test_tables_are_cleaned_and_sequences_are_not(clips):
    messy = clips.assign(description="<a href='http://example.org'>link</a>")
    featurizer = TextLSAFeaturizer(4, char_ngrams=None).fit(messy)
    assert "href" not in featurizer.word_vectorizer_.vocabulary_
    raw = TextLSAFeaturizer(4, cleaner=None, char_ngrams=None).fit(messy)
    assert "href" in raw.word_vectorizer_.vocabulary_
    assert {"dog", "animal"} <= set(raw.word_vectorizer_.vocabulary_)


def test_a_table_without_text_is_an_error():
    with pytest.raises(DataFormatError, match="needs a column"):
        TextLSAFeaturizer(cleaner=None).fit(pd.DataFrame({"audio": ["a.wav"]}))
