"""Priors from every kind of source: rows sum to 1, or nothing is known."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skbst.exceptions import DataFormatError
from skbst.features import (
    ClassPriorFeaturizer,
    ClipFeaturizer,
    PrecomputedFeaturizer,
    SentenceTransformerFeaturizer,
    TagRules,
)
from skbst.features._priors._distribution import normalize_rows
from skbst.taxonomy import BST, Taxonomy

CLIPS = pd.DataFrame(
    {
        "title": ["Dog barking", "city_traffic.wav", "?", "snare"],
        "tags": [["dog", "bark"], ["city", "Traffic"], [], "drum,one_shot"],
        "description": [""] * 4,
    },
    index=["17", "23", "31", "47"],
)
CODES = sorted(BST.leaves.tolist())


def prior_of(source, clips=CLIPS, **settings):
    featurizer = ClassPriorFeaturizer(source, **settings).fit(clips)
    prior = featurizer.transform(clips)
    sums = prior.sum(axis=1)
    assert prior.shape == (len(clips), len(featurizer.classes_))
    assert prior.dtype == np.float32
    assert (np.isclose(sums, 1, atol=1e-6) | (sums == 0)).all()
    assert (prior >= 0).all()
    return pd.DataFrame(prior, index=clips.index, columns=featurizer.get_feature_names_out())


def test_mapping():
    prior = prior_of({"17": {"fx-a": 3, "fx-n": 1}, "23": "ss-u", "31": None, "47": np.eye(23)[5]})
    assert prior.columns.tolist() == CODES
    assert prior.loc["17", ["fx-a", "fx-n"]].tolist() == [0.75, 0.25]
    assert prior.loc["23", "ss-u"] == 1
    assert not prior.loc["31"].any()
    assert prior.loc["47"].argmax() == 5


def test_top_level_mass_spreads_over_the_children():
    prior = prior_of({"17": {"fx": 0.8, "fx-a": 0.2}, "23": "ss"})
    children = BST.children("fx").tolist()
    assert prior.loc["17", "fx-a"] == pytest.approx(0.2 + 0.8 / len(children))
    assert prior.loc["17", "fx-n"] == pytest.approx(0.8 / len(children))
    np.testing.assert_allclose(prior.loc["23", BST.children("ss").tolist()], 0.25)


def test_other_is_dropped_and_the_rest_renormalised():
    prior = prior_of(
        {"17": {"other": 0.5, "fx-a": 0.4, "m-m": 0.1}, "23": {"other": 1.0}, "31": {"fx-a": float("nan")}}
    )
    assert prior.loc["17", "fx-a"] == pytest.approx(0.8)
    assert not prior.loc[["23", "31"]].to_numpy().any()


def test_files_wide_and_long(tmp_path):
    wide = pd.DataFrame({"sound_id": ["17", "23", "99"], "fx-a": [2, 0, 1], "ss": [0, 1, 0], "other": [8, 0, 0]})
    wide.to_csv(tmp_path / "wide.csv", index=False)
    expected = prior_of(wide)
    assert expected.loc["17", "fx-a"] == 1
    assert expected.loc["23", "ss-n"] == 0.25
    pd.testing.assert_frame_equal(prior_of(tmp_path / "wide.csv"), expected)
    pd.testing.assert_frame_equal(prior_of(wide.set_index("sound_id")), expected)
    long = wide.melt("sound_id", var_name="label", value_name="probability").query("probability > 0")
    pd.testing.assert_frame_equal(prior_of(long), expected)
    long.to_csv(tmp_path / "long.csv", index=False)
    pd.testing.assert_frame_equal(prior_of(tmp_path / "long.csv"), expected)
    pytest.importorskip("pyarrow")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataFormatError, match="Parquet"):
        prior_of(tmp_path / "broken.parquet")
    wide[["fx-a"]].to_parquet(tmp_path / "nameless.parquet")
    with pytest.raises(DataFormatError, match="no column 'sound_id'"):
        prior_of(tmp_path / "nameless.parquet")
    wide.set_index("sound_id").to_parquet(tmp_path / "index.parquet")
    pd.testing.assert_frame_equal(prior_of(tmp_path / "index.parquet"), expected)
    wide.to_parquet(tmp_path / "wide.parquet")
    pd.testing.assert_frame_equal(prior_of(str(tmp_path / "wide.parquet")), expected)


def test_integer_ids_are_compared_as_text(tmp_path):
    (tmp_path / "prior.csv").write_text("sound_id,fx-a\n17,1\n")
    clips = CLIPS.set_axis([17, 23, 31, 47])
    assert prior_of(tmp_path / "prior.csv", clips).loc[17, "fx-a"] == 1
    # pandas makes a float of an id where another is missing
    gappy = pd.DataFrame({"sound_id": [17, None], "fx-a": [1, 1]})
    for source in (gappy, {17.0: "fx-a"}, pd.DataFrame({"fx-a": [1.0]}, index=[17.0])):
        assert prior_of(source, clips)["fx-a"].tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize(
    "source",
    [
        {"17": {"fx-zz": 1.0}},
        {"17": {"fx-a": -1.0}},
        {"17": {"fx-a": float("inf")}},
        {"17": {"fx-a": "much"}},
        {"17": [0.5, 0.5]},
        pd.DataFrame({"sound_id": ["17", "17"], "fx-a": [1, 1]}),
        pd.DataFrame({"fx-a": ["x"]}, index=["17"]),
        pd.DataFrame({"sound_id": ["17"], "label": ["fx-a"], "probability": ["much"]}),
        {17: "fx-a", "17": "fx-n"},
        {"17": {"fx": 1.0, "fx-a": -0.05}},
        pd.DataFrame({"fx": [1.0], "fx-a": [-0.05]}, index=["17"]),
        pd.DataFrame({"sound_id": ["17", "17"], "label": ["fx", "fx-a"], "probability": [1, -0.05]}),
        TagRules,
        "no/such/file.csv",
        (TfidfVectorizer(),),
    ],
)
def test_what_is_no_distribution_is_refused(source):
    with pytest.raises(DataFormatError):
        ClassPriorFeaturizer(source).fit(CLIPS)


def test_empty_cells_of_every_kind_are_0():
    cells = {
        "fx-a": pd.array([1, None, 2], dtype="Int64"),
        "fx-n": pd.array([1, 1, None], dtype="Float64"),
        "ss": ["", None, ""],
    }
    prior = prior_of(pd.DataFrame(cells, index=["17", "23", "31"]))
    assert prior.loc[["17", "23", "31"], ["fx-a", "fx-n"]].to_numpy().tolist() == [[0.5, 0.5], [0, 1], [1, 0]]


def test_a_table_that_fits_no_row_is_told_of():
    with pytest.warns(UserWarning, match=r"No sound_id of X \(first: '17'\).*None of 4 rows has a prior"):
        prior_of({"x17": "fx-a"})
    with pytest.raises(DataFormatError, match="index"):
        ClassPriorFeaturizer({"17": "fx-a"}).fit(CLIPS).transform(["a"])


def test_callable():
    answers = [{"fx-a": 1}, "ss-u", None, np.full(23, 0.1)]
    prior = prior_of(lambda X: [answers[row] for row in range(len(X))])
    assert prior.loc["17", "fx-a"] == prior.loc["23", "ss-u"] == 1
    assert not prior.loc["31"].any()
    frame = pd.DataFrame({"fx-a": [1, 1, 1, 0], "ss": [0, 1, 0, 0]})
    assert prior_of(lambda X: frame).loc["23", "ss-n"] == pytest.approx(0.125)
    turned = pd.DataFrame({"fx-a": [1, 1, 0], "ss": [0, 0, 1]}, index=["31", "17", "23"])
    with_all = pd.concat([turned, pd.DataFrame({"ss": [1]}, index=["47"])])
    for form in (with_all, with_all.notna().idxmax(axis=1)):  # ids in another order: each answer to its clip
        assert prior_of(lambda X, form=form: form)["fx-a"].tolist() == [1, float(form is not with_all), 1, 0]
    read_again = with_all.set_axis(with_all.index.astype(int))  # ids of a file are numbers
    assert prior_of(lambda X: read_again)["fx-a"].tolist() == [1, 0, 1, 0]
    for index in (["31", "17", "23", "99"], ["31", "17", "23", "23"]):
        with pytest.raises(DataFormatError, match=r"not once for each.*\['31', '17', '23'\]"):
            prior_of(lambda X, index=index: with_all.set_axis(index))
    for wrong in (["fx-a"], "fx-a", {"17": "fx-a"}, 3, turned, {"fx-a", "fx-n", "ss", "m-m"}):
        with pytest.raises(DataFormatError, match="one answer for each of 4 rows"):
            prior_of(lambda X, wrong=wrong: wrong)


def test_fitted_classifier():
    titles = FunctionTransformer(lambda X: X["title"])
    model = make_pipeline(titles, TfidfVectorizer(), LogisticRegression())
    with pytest.raises(NotFittedError, match="FrozenEstimator"):
        ClassPriorFeaturizer(model).fit(CLIPS)
    labels = np.array(["fx-a", "ss-u", "ss", "is-p"])
    model.fit(CLIPS, labels)
    prior, proba = prior_of(model), model.predict_proba(CLIPS)
    np.testing.assert_allclose(prior["fx-a"], proba[:, model.classes_ == "fx-a"].ravel(), rtol=1e-5)
    np.testing.assert_allclose(prior["ss-n"], proba[:, model.classes_ == "ss"].ravel() / 4, rtol=1e-5)
    # a bundle of featurizers copies them
    with pytest.raises(NotFittedError, match="FrozenEstimator"):
        ClipFeaturizer([("prior", ClassPriorFeaturizer(model))]).fit(CLIPS)
    frozen = ClipFeaturizer([("prior", ClassPriorFeaturizer(FrozenEstimator(model)))]).fit(CLIPS)
    np.testing.assert_array_equal(frozen.transform(CLIPS)["prior"], prior)
    with pytest.raises(DataFormatError, match="classifier: 4 of 4 labels"):
        ClassPriorFeaturizer(model, taxonomy=Taxonomy.flat(["a", "b"])).fit(CLIPS)


def dense(X):
    return X.toarray()


def test_zero_shot_of_any_encoder():
    words = make_pipeline(HashingVectorizer(n_features=4096, norm="l2"), FunctionTransformer(dense))
    texts = ["animals", "a vehicle passes", "urban", ""]
    prior = ClassPriorFeaturizer(words).fit(texts)
    made = prior.transform(texts)
    assert prior.classes_[made[:3].argmax(axis=1)].tolist()[::2] == ["fx-a", "ss-u"]
    assert not made[3].any()
    vectors = words.transform(["Animals"]).astype(np.float64)
    sharp = ClassPriorFeaturizer(words, templates=["{name}"], temperature=0.01).fit(texts).transform(["animals"])
    assert vectors.shape == (1, 4096)
    assert sharp.max() > made[0].max()
    pair = ClassPriorFeaturizer((words, words)).fit(texts)
    np.testing.assert_array_equal(pair.transform(texts), made)
    for wrong, message in (("{nme}", "known are"), ("{name", "cannot be read"), ("a sound", "same for all classes")):
        with pytest.raises(DataFormatError, match=message):
            ClassPriorFeaturizer(words, templates=["{name}", wrong]).fit(texts)


@pytest.mark.parametrize("number", [np.nan, np.inf, 0.0])
def test_vectors_that_are_none_know_nothing(number):
    def damaged(X):
        made = dense(HashingVectorizer(n_features=64).transform(list(X)))
        made[[text == "gone" for text in X]] = number
        return made

    texts = ["animals", "gone"]
    prior = ClassPriorFeaturizer(FunctionTransformer(damaged)).fit(texts).transform(texts)
    np.testing.assert_allclose(prior.sum(axis=1), [1, 0], atol=1e-6)
    if number != 0:
        everywhere = FunctionTransformer(lambda X: np.full((len(X), 4), number))
        with pytest.raises(DataFormatError, match="encoder_report"):
            ClassPriorFeaturizer(everywhere).fit(texts)


def test_zero_shot_of_a_real_sentence_encoder(minilm):
    encoder = SentenceTransformerFeaturizer(minilm, cleaner=None)
    prior = ClassPriorFeaturizer(encoder).fit(CLIPS)
    made = prior.transform(CLIPS.iloc[[0, 1, 3]])
    tops = [code.split("-")[0] for code in prior.classes_[made.argmax(axis=1)]]
    assert prior.classes_[made[0].argmax()] == "fx-a"
    assert tops[2] in ("is", "m")
    np.testing.assert_array_equal(prior.transform(CLIPS.iloc[[3]])[0], made[2])


def test_zero_shot_of_clap(tiny_clap):
    from skbst.features import ClapAudioFeaturizer

    clap = ClapAudioFeaturizer(tiny_clap, backend="transformers", n_jobs=1)
    sounds = [(np.random.default_rng(0).normal(0, 0.1, 4800).astype(np.float32), 48000)]
    prior = ClassPriorFeaturizer(clap, templates=["{name}"]).fit(sounds)
    made = prior.transform(sounds)
    assert made.shape == (1, 23)
    assert made.sum() == pytest.approx(1, abs=1e-5)
    assert prior.class_embeddings_.shape == (23, 512)


def test_labels_are_never_looked_at():
    with_labels = ClassPriorFeaturizer(TagRules()).fit(CLIPS, ["fx-a", "ss-u", "m-m", "is-p"]).transform(CLIPS)
    np.testing.assert_array_equal(with_labels, ClassPriorFeaturizer(TagRules()).fit(CLIPS).transform(CLIPS))


def test_a_block_beside_others():
    table = CLIPS.assign(x=np.arange(4.0), y=1.0)
    text = make_pipeline(FunctionTransformer(lambda X: X[["x", "y"]]), PrecomputedFeaturizer())
    bundle = ClipFeaturizer([("text", text), ("prior", ClassPriorFeaturizer(TagRules()))]).fit_transform(table)
    assert bundle.block_shape("prior") == (4, 23)


def test_rows_of_any_size_are_normalised():
    made = normalize_rows([[1e308, 1e308], [1e-320, 0], [0, 0], [5e-324, 5e-324]])
    np.testing.assert_allclose(made, [[0.5, 0.5], [1, 0], [0, 0], [0.5, 0.5]])
    with pytest.raises(DataFormatError):
        normalize_rows([[np.nan, 1]])
