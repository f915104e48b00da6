import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer

from skbst.exceptions import DataFormatError
from skbst.features import TextLSAFeaturizer
from skbst.features._descriptors._text_lsa import fit_directions, fit_vectorizer, join_blocks, project
from skbst.persistence import load_model, save_model
from skbst.text import MetadataCleaner

WORDS = ["rain", "thunder", "wind", "dog", "bark", "cat", "meow", "guitar", "chord", "strum", "engine", "car"]


def make_table(n_rows=60, random_state=0):
    rng = np.random.default_rng(random_state)
    topics = rng.integers(0, 4, n_rows)
    pick = lambda topic: rng.choice(WORDS[3 * topic : 3 * topic + 3], 2)  # noqa: E731
    return pd.DataFrame(
        {
            "title": [f"{'_'.join(pick(topic))}_{i:02d}.wav" for i, topic in enumerate(topics)],
            "tags": [",".join([*pick(topic), "zoom-h4n"]) for topic in topics],
            "description": [f"<p>The {pick(topic)[0]} sounds</p> http://x.org/{i}" for i, topic in enumerate(topics)],
            "topic": topics.astype(str),
        },
        index=[str(1000 + i) for i in range(n_rows)],
    )


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture(scope="module")
def fitted(table):
    return TextLSAFeaturizer(n_components=16, random_state=0).fit(table)


@pytest.mark.parametrize("n_rows", [1, 2, 5, 60])
def test_width_is_always_that_asked_for(table, n_rows):
    vectors = TextLSAFeaturizer(random_state=0).fit_transform(table.iloc[:n_rows])
    assert vectors.shape == (n_rows, 512)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors[:, n_rows:] == 0).all()


def test_topics_are_neighbours(table, fitted):
    new = make_table(40, random_state=1)
    similarity = fitted.transform(new) @ fitted.transform(table).T
    nearest = table["topic"].to_numpy()[similarity.argmax(axis=1)]
    assert (nearest == new["topic"].to_numpy()).mean() > 0.9


def test_empty_and_unknown_text_is_zero(fitted, table):
    strange = pd.DataFrame({"title": ["", "xqzt", np.nan, "12.wav"], "tags": "", "description": None, "topic": ""})
    vectors = fitted.transform(strange[table.columns])
    assert (vectors == 0).all()
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("texts", [["", "", ""], ["1", "...", "-"], ["a", "b", "c"]])
def test_no_words_at_all(texts):
    featurizer = TextLSAFeaturizer(n_components=4).fit(texts)
    assert featurizer.transform([*texts, "rain"]).tolist() == [[0.0] * 4] * 4


def test_fit_transform_equals_fit_then_transform(table, fitted):
    np.testing.assert_array_equal(clone(fitted).fit_transform(table), fitted.transform(table))


def test_rows_do_not_depend_on_each_other(table, fitted):
    together = fitted.transform(table)
    alone = np.vstack([fitted.transform(table.iloc[[i]]) for i in range(5)])
    np.testing.assert_allclose(alone, together[:5], atol=1e-6)
    np.testing.assert_allclose(fitted.transform(table[::-1])[::-1], together, atol=1e-6)


def test_one_seed_gives_the_same_bytes_and_no_generator_is_touched():
    rng = np.random.default_rng(0)
    vocabulary = np.array([f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnrs"])
    texts = [" ".join(rng.choice(vocabulary, 5)) for _ in range(60)]
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make = lambda seed: TextLSAFeaturizer(n_components=8, random_state=seed).fit_transform(texts)  # noqa: E731
    np.testing.assert_array_equal(make(3), make(3))
    assert not np.array_equal(make(3), make(4))
    make(None)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_cleaner_choices(table):
    default = TextLSAFeaturizer(8, random_state=0).fit(table)
    assert isinstance(default.cleaner_, MetadataCleaner)
    assert "zoom" not in default.vectorizers_["tags"].vocabulary_
    raw = TextLSAFeaturizer(8, cleaner=None, random_state=0).fit(table)
    assert raw.cleaner_ is None
    assert "zoom" in raw.vectorizers_["tags"].vocabulary_
    view = TextLSAFeaturizer(8, cleaner=MetadataCleaner("title"), random_state=0).fit(table)
    assert set(view.vectorizers_) == {"text"}
    assert view.transform(table).shape == (60, 8)


def test_letters_relate_unseen_forms_of_a_word(table):
    with_letters = TextLSAFeaturizer(8, char_weight=0.5, random_state=0).fit(table)
    assert "letters" in with_letters.vectorizers_
    unseen = pd.DataFrame({"title": ["thundering"], "tags": "", "description": "", "topic": ""})
    nearest = (with_letters.transform(unseen) @ with_letters.transform(table).T).argmax()
    assert table["topic"].iloc[nearest] == "0"
    assert (TextLSAFeaturizer(8, random_state=0).fit(table).transform(unseen) == 0).all()


def test_cosines_of_full_rank_are_those_of_tf_idf(table):
    texts = table["title"].str.replace("_", " ").tolist()
    vectors = TextLSAFeaturizer(60).fit_transform(texts)
    counts = TfidfVectorizer(sublinear_tf=True, token_pattern=r"[^\W\d_]{2,}").fit_transform(texts).toarray()
    np.testing.assert_allclose(vectors @ vectors.T, counts @ counts.T, atol=1e-5)


def test_uploader_reaches_the_cleaner(table):
    repeated = table.assign(description="I made this with love in my kitchen.")
    uploader = ["ann"] * 60
    featurizer = TextLSAFeaturizer(8, random_state=0).fit(repeated, groups=uploader)
    assert featurizer.cleaner_.templates_["uploader"].tolist() == ["ann"]
    assert "description" not in featurizer.vectorizers_


def test_field_weights(table):
    title_only = TextLSAFeaturizer(8, field_weights={"title": 1}, random_state=0).fit(table)
    assert list(title_only.vectorizers_) == ["title"]
    changed = table.assign(tags="nothing", description="else")
    np.testing.assert_array_equal(title_only.transform(table), title_only.transform(changed))


def test_texts_alone():
    texts = ["rain on a roof", "rain and wind", "a dog barks", "dogs barking", None]
    featurizer = TextLSAFeaturizer(n_components=3, random_state=0)
    vectors = featurizer.fit_transform(texts)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert (vectors[4] == 0).all()
    np.testing.assert_array_equal(featurizer.transform(pd.Series(texts)), vectors)
    np.testing.assert_array_equal(featurizer.transform(np.array(texts, dtype=object)), vectors)


def test_pandas_output_pickle_and_persistence(table, tmp_path):
    featurizer = TextLSAFeaturizer(4, random_state=0).set_output(transform="pandas").fit(table)
    frame = featurizer.transform(table)
    assert list(frame.columns) == [f"textlsafeaturizer{i}" for i in range(4)]
    assert frame.index.equals(table.index)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(featurizer)).transform(table), frame)
    save_model(featurizer, tmp_path / "model")
    pd.testing.assert_frame_equal(load_model(tmp_path / "model").transform(table), frame)


@pytest.mark.parametrize(
    ("params", "X", "message"),
    [
        ({"field_weights": {"name": 1}}, ["a text"], "field_weights"),
        ({"field_weights": {"title": -1}}, ["a text"], "field_weights"),
        ({"cleaner": "none"}, ["a text"], "cleaner"),
        ({}, "a text", "single text"),
        ({}, [], "Found 0 texts"),
        ({"cleaner": None}, pd.DataFrame({"audio": ["x"]}), "at least one of the columns"),
        ({}, np.array([["a", "b"]]), "shape"),
    ],
)
def test_bad_input(params, X, message):
    with pytest.raises(ValueError, match=message):
        TextLSAFeaturizer(**params).fit(X)


def test_table_and_texts_are_not_mixed(table):
    with pytest.raises(DataFormatError, match="or the other way round"):
        TextLSAFeaturizer(4).fit(["rain", "wind"]).transform(table)


@pytest.mark.parametrize("shape", [(30, 12), (12, 30), (40, 40)])
def test_directions_against_numpy(shape):
    rng = np.random.default_rng(0)
    dense = rng.standard_normal(shape) * (rng.random(shape) < 0.3)
    matrix = sparse.csr_array(dense.astype(np.float32))
    _, _, expected = np.linalg.svd(dense, full_matrices=False)
    for n_components in (5, 12):
        directions = fit_directions(matrix, n_components, random_state=0)
        np.testing.assert_allclose(directions @ directions.T, np.eye(n_components), atol=1e-5)
        if min(shape) == 12:
            overlap = np.abs(np.einsum("ij,ij->i", directions, expected[:n_components]))
            np.testing.assert_allclose(overlap, 1, atol=1e-4)
    captured = np.linalg.norm(dense @ fit_directions(matrix, 5, random_state=0).T)
    assert captured > 0.98 * np.linalg.norm(dense @ expected[:5].T)


def test_rank_limits_the_directions():
    matrix = sparse.csr_array(np.repeat(np.eye(6, 20, dtype=np.float32)[:2], 10, axis=0))
    assert fit_directions(matrix, 5, random_state=0).shape == (2, 20)
    assert fit_directions(sparse.csr_array((3, 0)), 5, random_state=0).shape == (0, 0)


def test_join_blocks_by_hand():
    a, b = sparse.csr_array(np.array([[1.0, 0], [0, 0]])), sparse.csr_array(np.array([[1.0], [0]]))
    joined = join_blocks([a, b], [3, 4], 2).toarray()
    np.testing.assert_allclose(joined, [[0.6, 0, 0.8], [0, 0, 0]])
    assert join_blocks([], [], 2).shape == (2, 0)


def test_project_pads_and_normalises():
    matrix = sparse.csr_array(np.array([[3.0, 4.0], [0, 0]], dtype=np.float32))
    vectors = project(matrix, np.eye(2, dtype=np.float32), 3)
    np.testing.assert_allclose(vectors, [[0.6, 0.8, 0], [0, 0, 0]], rtol=1e-6)


def test_min_df_gives_way_where_it_would_leave_nothing():
    assert set(fit_vectorizer(["rain", "wind"], min_df=2).vocabulary_) == {"rain", "wind"}


@pytest.mark.data
def test_real_text_is_told_apart(data_root):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    from skbst.datasets import load_bsd
    from skbst.metrics import hierarchical_f1_score

    data, target = load_bsd(data_root / "bst-real", return_X_y=True)
    model = make_pipeline(TextLSAFeaturizer(random_state=0), LogisticRegression(C=10, max_iter=300))
    folds = StratifiedKFold(5, shuffle=True, random_state=1821)
    predicted = cross_val_predict(model, data, target, cv=folds)
    assert hierarchical_f1_score(target, predicted) > 0.79
