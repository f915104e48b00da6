"""leakage_report on class priors that know what they must not."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skbst.exceptions import DataFormatError, LeakageWarning
from skbst.features import ClassPriorFeaturizer, FeatureBundle, LLMPriorFeaturizer, TagRules
from skbst.model_selection import leakage_report
from skbst.neighbors import KNNPriorBlender
from skbst.taxonomy import BST

LEAVES = np.sort(BST.leaves)
CODES = np.array(["fx-a", "fx-v", "m-sp", "sp-s"])
WORDS = {"fx-a": "dog cat bird", "fx-v": "car bus train", "m-sp": "beat loop", "sp-s": "voice talk"}


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    y = CODES[np.arange(80) % 4]
    title = [" ".join(rng.choice([*WORDS[label].split(), "low", "high"], 2)) + f" {i}" for i, label in enumerate(y)]
    return pd.DataFrame({"title": title, "tags": ""}, index=[str(100 + i) for i in range(80)]), y


SPLIT = [(np.arange(60), np.arange(60, 80))]


def rows(report, check):
    return report.findings.loc[report.findings["check"] == check, "sound_id"].tolist()


def one_hot(y):
    return (y[:, None] == LEAVES).astype(np.float32)


def titles(X):
    return X["title"].tolist()


def text_classifier():
    return make_pipeline(FunctionTransformer(titles), TfidfVectorizer(), LogisticRegression(C=1e4))


@pytest.mark.parametrize("form", ["block", "bundle", "table", "per fold", "own classes"])
def test_a_prior_that_is_the_label(clips, form):
    X, y = clips
    prior = one_hot(y)
    prior[:64] *= np.arange(64)[:, None] % 2  # nothing is known of some
    given = {
        "block": prior,
        "bundle": FeatureBundle({"prior": prior}),
        "table": ClassPriorFeaturizer(dict(zip(X.index, y))).fit(X),
        "per fold": [prior],
        "own classes": prior[:, np.isin(LEAVES, CODES)],
    }[form]
    with pytest.warns(LeakageWarning, match=r"^prior: .* have a class prior that knows their label"):
        report = leakage_report(X, SPLIT, y, prior=given)
    expected = X.index[60:] if form == "table" else [*X.index[61:64:2], *X.index[64:]]
    assert rows(report, "prior") == list(expected)


def test_a_soft_oracle(clips):
    X, y = clips
    report = leakage_report(X, SPLIT, y, prior=0.6 * one_hot(y) + 0.4 / 23, warn=False)
    assert len(rows(report, "prior")) == 20


@pytest.mark.parametrize("accuracy", [0.5, 0.7, 0.9])
def test_priors_that_do_not_know_are_quiet(clips, accuracy):
    X, y = clips
    rng = np.random.default_rng(1)
    guess = np.where(rng.random(80) < accuracy, y, rng.choice(CODES, 80))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = leakage_report(X, SPLIT, y, prior=one_hot(guess))
    assert report.clean
    assert {"prior", "prior_overfit"} <= set(report.checks)
    # words that give a class away are no leak: these rules were made without the labels
    rules = leakage_report(X, SPLIT, y, prior=ClassPriorFeaturizer(TagRules()).fit(X), warn=False)
    assert rules.clean
    assert "pass the block" in rules.not_checked["prior"]
    assert leakage_report(X, SPLIT, y, prior=np.zeros((80, 23)), warn=False).clean


def test_a_classifier_that_was_trained_on_the_training_rows(clips):
    """In-sample answers beside honest ones: whoever learns from the block trusts it too much."""
    X, y = clips
    rng = np.random.default_rng(2)
    noisy = np.where(rng.random(80) < 0.6, y, rng.choice(CODES, 80))
    prior = ClassPriorFeaturizer(text_classifier().fit(X[:60], noisy[:60])).fit(X)
    report = leakage_report(X, SPLIT, noisy, prior=prior, warn=False)
    assert len(rows(report, "prior_overfit")) == 20
    assert "pass prior_seen" in report.not_checked["prior_seen"]


@pytest.mark.parametrize("form", ["ids", "table", "text", "audio", "bank"])
def test_what_the_maker_was_trained_on(clips, form, tmp_path):
    X, y = clips
    prior = ClassPriorFeaturizer(text_classifier().fit(X[50:70], y[50:70])).fit(X)
    other = X[50:70].rename(index=lambda name: f"x{name}")
    seen = {"ids": X.index[50:70].tolist(), "table": X[50:70], "text": other, "audio": other, "bank": None}[form]
    if form == "text":  # the same words in another order and case
        seen = other.assign(title=[" ".join(reversed(text.upper().split())) for text in other["title"]])
    if form == "audio":
        for name in X.index:
            (tmp_path / name).write_bytes(f"sound {name}".encode())
        X = X.assign(audio=[str(tmp_path / name) for name in X.index])
        seen = X[50:70].assign(title="else").rename(index=lambda name: f"x{name}")
    if form == "bank":
        blender = KNNPriorBlender(LogisticRegression())
        vectors = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 4)), index=X.index)
        model = make_pipeline(FunctionTransformer(lambda X: vectors.loc[X.index]), blender)
        prior = ClassPriorFeaturizer(FrozenEstimator(model.fit(X[50:70], y[50:70]))).fit(X)
    report = leakage_report(X, SPLIT, y, prior=prior, prior_seen=seen, warn=False)
    assert rows(report, "prior_seen") == X.index[60:70].tolist()
    assert "trained on this" in report.findings.query("check == 'prior_seen'")["evidence"].iloc[0]


def test_seen_without_a_prior_and_fold_by_fold(clips):
    X, y = clips
    folds = [(np.arange(40), np.arange(40, 80)), (np.arange(40, 80), np.arange(40))]
    report = leakage_report(X, folds, prior_seen=[X[40:42], X[40:42]], warn=False)
    assert report.findings.query("check == 'prior_seen'")[["fold", "sound_id"]].values.tolist() == [
        [0, "140"],
        [0, "141"],
    ]
    assert leakage_report(X, folds, y, prior_seen=[[], []], warn=False).clean
    with pytest.raises(DataFormatError, match="one entry per fold"):
        leakage_report(X, folds, y, prior=[one_hot(y)])
    assert leakage_report(X, folds, prior=one_hot(y), warn=False).not_checked["prior"] == "no labels y"


def test_a_prompt_that_names_the_class(clips):
    X, y = clips

    def client(prompt):
        raise AssertionError("nothing is asked")

    sound = LLMPriorFeaturizer(client).fit(X)
    assert leakage_report(X, SPLIT, y, prior=sound, warn=False).clean
    table = X.assign(note="", kind="")
    table.loc["160", "note"] = f"class {y[60]}"  # its code
    table.loc["161", "kind"] = BST.leaf_names[y[61]].upper()  # its name, one word, as a whole field
    table.loc["162", "title"] = f"from {BST.leaf_names['fx-o']}"  # another's name of several words
    table.loc["163", "note"] = BST.leaf_names[y[63]] + " of a man"
    named = LLMPriorFeaturizer(client, columns=("title", "note", "kind")).fit(table)
    with pytest.warns(LeakageWarning, match="name their own class in what a language model is told"):
        report = leakage_report(table[["title"]].assign(note=table["note"], kind=table["kind"]), SPLIT, y, prior=named)
    assert rows(report, "prior_prompt") == ["160", "161", "163"]
    assert report.findings["evidence"].iloc[0] == f"note {str(y[60])!r} in the prompt"


def test_priors_of_other_rows_are_refused(clips):
    X, y = clips
    with pytest.raises(DataFormatError, match="one for each of 80"):
        leakage_report(X, SPLIT, y, prior=one_hot(y[:40]))
    with pytest.raises(DataFormatError, match="one for each of 80"):
        leakage_report(X, SPLIT, y, prior=FeatureBundle({"audio": one_hot(y)}))
