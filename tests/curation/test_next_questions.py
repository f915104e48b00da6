import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skbst.curation import next_questions
from skbst.curation._expected_gain import answer_weight, ask_in_turn, expected_gain
from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle

CLASSES = np.array(["fx-a", "fx-h", "m-sp", "ss-n"])


@pytest.fixture(scope="module")
def clips():
    """200 rows of four classes in 24 dimensions, of which 40 have a label; five uploaders and nobody's."""
    rng = np.random.default_rng(0)
    kind = np.arange(200) % 4
    X = rng.normal(size=(200, 24)) + 2.5 * np.eye(4, 24)[kind]
    y = CLASSES[kind].astype(object)
    y[40:] = None
    groups = np.array([f"u{i % 5}" for i in range(200)], dtype=object)
    groups[rng.choice(200, 20, replace=False)] = None
    return pd.DataFrame(X, index=[f"s{i}" for i in range(200)]), y, groups


@pytest.fixture(scope="module")
def model(clips):
    X, y, _ = clips
    return LogisticRegression(max_iter=500).fit(X[:40], y[:40].astype(str))


def test_only_clips_without_a_label_each_once(clips, model):
    X, y, _ = clips
    questions = next_questions(model, X, n=30, y=y)
    assert len(questions) == 30
    assert questions.index.is_unique
    assert (questions["position"] >= 40).all()
    assert (X.index[questions["position"]] == questions.index).all()
    proba = model.predict_proba(X)[questions["position"]]
    assert (questions["predicted"] == model.predict(X.loc[questions.index])).all()
    np.testing.assert_array_equal(questions[["proba", "proba_2"]], -np.sort(-proba, axis=1)[:, :2])
    assert (questions["gain"] >= 0).all()
    assert (np.diff(questions["gain"]) <= 1e-9).all()  # what is left to gain only falls


@pytest.mark.parametrize("m", [1, 3])
def test_at_most_m_of_one_uploader(m, clips, model):
    X, y, groups = clips
    questions = next_questions(model, X, n=100, y=y, groups=groups, max_per_group=m)
    counts = questions["group"].value_counts()
    assert (counts == m).all()
    assert len(counts) == 5
    assert questions["group"].isna().sum() == pd.isna(groups[40:]).sum()  # nobody's clips are nobody's
    free = next_questions(model, X, n=160, y=y, groups=groups, max_per_group=None)
    assert len(free) == 160


def test_near_duplicates_once(clips, model):
    X, y, _ = clips
    best = next_questions(model, X, n=1, y=y)["position"].iloc[0]
    X = X.copy()
    copies = [position for position in range(41, 60) if position != best][:6]
    X.iloc[copies] = X.iloc[[best]].to_numpy() * (1 + 1e-4 * np.arange(6)[:, None])
    questions = next_questions(model, X, n=160, y=y)
    assert len(set(questions["position"]) & {best, *copies}) == 1
    assert len(questions) == 160 - 6
    X.iloc[0] = X.iloc[best]  # and not at all where one of them has a label
    assert not set(next_questions(model, X, n=160, y=y)["position"]) & {best, *copies}


def test_the_same_answer_twice_and_nothing_changes(clips, model):
    X, y, groups = clips
    before = pickle.dumps(model)
    first = next_questions(model, X, n=20, y=y, groups=groups)
    pd.testing.assert_frame_equal(next_questions(model, X, n=20, y=y, groups=groups), first)
    assert pickle.dumps(model) == before


@pytest.mark.parametrize("unknown", [None, np.nan, pd.NA, "", " "])
def test_a_model_that_is_not_fitted_learns_what_is_known(unknown, clips, model):
    X, y, groups = clips
    y = y.copy()
    y[40:] = unknown
    ours = next_questions(LogisticRegression(max_iter=500), X, n=20, y=y, groups=groups)
    pd.testing.assert_frame_equal(ours, next_questions(model, X, n=20, y=y, groups=groups))


def test_any_classifier_and_any_rows(clips):
    X, y, _ = clips
    rows = X.to_numpy()
    bundle = FeatureBundle({"audio": rows[:, :12].astype(np.float32), "text": rows[:, 12:].astype(np.float32)})
    from skbst.features import BlockSelector

    words = pd.DataFrame(
        {"title": [f"{('dog', 'cat', 'drum', 'rain')[i % 4]} no{i % 5} of{i % 3}" for i in range(200)]}
    )
    column = ColumnTransformer([("words", CountVectorizer(), "title")])
    for estimator, these in (
        (GaussianNB(), rows),
        (make_pipeline(BlockSelector(["audio", "text"]), LogisticRegression()), bundle),
        (make_pipeline(column, LogisticRegression()), words),
    ):
        questions = next_questions(estimator, these, n=7, y=y)
        assert len(questions) == 7
        assert (questions["position"] >= 40).all()


def test_between_the_kinds_comes_before_far_from_all(model, clips):
    """A crowd that one answer would settle is worth more than a clip that is like nothing else."""
    X, y, _ = clips
    rng = np.random.default_rng(1)
    crowd = 2.5 * (np.eye(24)[0] + np.eye(24)[3]) + rng.normal(scale=0.35, size=(30, 24))
    odd = np.zeros((1, 24))
    odd[0, 23] = 9.0
    rows = np.vstack([X.to_numpy(), crowd, odd])
    labels = np.r_[y, [None] * 31]
    questions = next_questions(model, rows, n=30, y=labels)
    assert 200 <= questions["position"].iloc[0] < 230
    assert 230 not in set(questions["position"].head(10))


def test_bad_input_is_named(clips, model):
    X, y, groups = clips
    with pytest.raises(DataFormatError, match="y must have one entry for each of 200 clips"):
        next_questions(model, X, n=3, y=y[:-1])
    with pytest.raises(DataFormatError, match="All 200 clips have a label"):
        next_questions(model, X, n=3, y=np.repeat("fx-a", 200))
    with pytest.raises(DataFormatError, match="not fitted, and y holds labels of 0 classes"):
        next_questions(LogisticRegression(), X, n=3)
    with pytest.raises(DataFormatError, match="groups must have one entry per row"):
        next_questions(model, X, n=3, groups=groups[:-1])
    with pytest.raises(ValueError, match="'n' parameter"):
        next_questions(model, X, n=0)
    assert len(next_questions(model, X.iloc[40:41], n=3)) == 1


def test_gain_against_a_slow_reference(monkeypatch):
    monkeypatch.setattr("skbst.curation._expected_gain._CHUNK", 4)
    rng = np.random.default_rng(0)
    parents = np.array([0, 0, 1, 2])
    proba = rng.dirichlet(np.ones(4), size=9)
    near = np.array([rng.permutation(9)[:3] for _ in range(9)])
    similar = rng.uniform(0.2, 1.0, size=(9, 3))
    credit = np.array([[1.0 if a == b else 0.375 * (parents[a] == parents[b]) for b in range(4)] for a in range(4)])
    expected = np.zeros((9, 3))
    for i in range(9):
        for r in range(3):
            q, w = proba[near[i, r]], 0.5 * np.exp((similar[i, r] - 1) / 0.4)
            before = np.argmax(q @ credit)
            for t in range(4):
                after = ((1 - w) * q + w * np.eye(4)[t]) @ credit
                expected[i, r] += proba[i, t] * (after.max() - after[before])
    own, gains = expected_gain(proba, similar, near, parents)
    np.testing.assert_allclose(gains, expected, atol=1e-12)
    np.testing.assert_allclose(own, [0.1 * (1 - max(p @ credit)) for p in proba], atol=1e-12)
    assert answer_weight(np.array([1.0])) == 0.5


def test_what_is_settled_does_not_count_again():
    """Rows 0 and 1 would tell the same of row 2; row 3 tells less of row 4, but something new."""
    gains = np.array([[1.0, 0], [0.9, 0], [0, 0], [0.5, 0], [0, 0]])
    near = np.array([[2, 1], [2, 0], [0, 1], [4, 0], [3, 0]])
    chosen, gain = ask_in_turn(
        np.zeros(5),
        gains,
        np.ones((5, 2)),
        near,
        3,
        vectors=np.eye(5),
        told=np.zeros((0, 5)),
        near_duplicate=0.98,
        groups=np.full(5, -1),
        max_per_group=None,
    )
    assert chosen.tolist()[:2] == [0, 3]
    np.testing.assert_allclose(gain, [1.0, 0.5, 0.0])
