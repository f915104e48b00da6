import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbst.curation import LabelAudit
from skbst.curation._doubt import answer_log_lift, doubt_order, label_log_ratio
from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle
from skbst.model_selection import OfficialKFold

CLASSES = np.array(["fx-a", "fx-h", "m-sp", "ss-n"])


@pytest.fixture(scope="module")
def rows():
    """160 rows of four separate classes by eight uploaders, nine labels wrong."""
    rng = np.random.default_rng(0)
    kind = np.arange(160) % 4
    X = rng.normal(scale=0.4, size=(160, 6)) + 2 * np.eye(4, 6)[kind]
    truth = CLASSES[kind]
    y = truth.copy()
    wrong = rng.choice(160, 9, replace=False)
    y[wrong] = CLASSES[(kind[wrong] + 1) % 4]
    return X, y, truth, np.array([f"u{i // 4 % 8}" for i in range(160)])


def audit(**parameters):
    return LabelAudit(LogisticRegression(), random_state=0, **parameters)


def test_planted_errors_come_first(rows):
    X, y, truth, groups = rows
    fitted = audit().fit(X, y, groups=groups)
    first = fitted.ranking_.head(9)
    assert set(first["position"]) == set(np.flatnonzero(y != truth))
    assert (first["suggestion"] == truth[first["position"]]).all()
    assert (first["score"] < 0).all()
    assert fitted.score(truth, 9) == 9
    assert fitted.score(truth).tolist() == [9, 9, 9][: len(fitted.score(truth))]
    assert fitted.score(np.where(y != truth, None, truth), 160) == 0  # what nobody knows is no correction


def test_the_table_says_what_it_says(rows):
    X, y, _, groups = rows
    ids = pd.Index([f"s{i}" for i in range(160)], name="sound_id")
    titles = pd.DataFrame({"title": [f"title {i}" for i in range(160)]})
    table = audit().fit(pd.DataFrame(X, index=ids), y, groups=groups, metadata=titles).ranking_
    assert sorted(table.index) == sorted(ids)
    assert (table["label"] == y[table["position"]]).all()
    assert (table["metadata_title"] == "title " + table["position"].astype(str)).all()
    tops = table["label"].str.split("-").str[0] == table["suggestion"].str.split("-").str[0]
    assert (table["cost"] == np.where(tops, 0.5, 1.0)).all()
    row = table.iloc[0]
    assert f"{row['suggestion']} is likelier than {row['label']}" in row["reason"]
    assert all(name in ids for name in row["neighbours"])
    assert table["score"].is_monotonic_increasing


def test_one_pack_that_is_labelled_wrong(rows):
    X, _, truth, groups = rows
    y = truth.copy()
    pack = (groups == "u0") & (truth == "fx-a")
    y[pack] = "ss-n"
    fitted = audit(cv=2).fit(X, y, groups=groups)
    first = fitted.packs_.iloc[0]
    assert (first["group"], first["label"], first["suggestion"]) == ("u0", "ss-n", "fx-a")
    assert first["n_clips"] == pack.sum() + ((groups == "u0") & (truth == "ss-n")).sum()
    assert first["n_doubtful"] == pack.sum()
    answered = fitted.answer(np.flatnonzero(pack)[:2], [first["suggestion"]] * 2).packs_.set_index(["group", "label"])
    assert answered.loc[("u0", "ss-n"), "n_clips"] == first["n_clips"] - 2
    assert answered.loc[("u0", "ss-n"), "n_doubtful"] == pack.sum() - 2
    world = fitted.ranking_.set_index("position")["fits_world"]
    assert not world[np.flatnonzero(pack)].any()  # its siblings cannot speak for it there


def test_nobodys_clips_are_in_no_pack(rows):
    X, y, _, groups = rows
    for missing in (None, np.nan, pd.NA, ""):
        some = groups.astype(object).copy()
        some[groups == "u0"] = missing
        packs = audit().fit(X, y, groups=some).packs_
        assert "u0" not in set(packs["group"])
        assert not packs["group"].isna().any()
    assert audit().fit(X, y).packs_.empty
    assert audit().fit(X, y).ranking_["fits_world"].isna().all()


def test_near_duplicates_with_another_label_are_named(rows):
    X, y, truth, _ = rows
    X, y = X.copy(), truth.copy()
    X[4], y[4] = X[0], "fx-h"  # row 0 again, under another label
    table = audit().fit(X, y).ranking_.set_index("position")
    assert table.loc[4, "near_duplicate"] == "0"
    assert table.loc[0, "near_duplicate"] == "4"
    assert "almost equal 0" in table.loc[4, "reason"]


def test_the_same_bytes_twice_and_for_any_n_jobs(rows):
    X, y, _, groups = rows
    first = audit().fit(X, y, groups=groups).ranking_
    for again in (audit(), audit(n_jobs=2), clone(audit())):
        pd.testing.assert_frame_equal(again.fit(X, y, groups=groups).ranking_, first)


@pytest.mark.parametrize(
    "cv", [KFold(4), GroupKFold(4), RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0), OfficialKFold()]
)
def test_any_splitter(cv, rows):
    X, y, truth, groups = rows
    groups = np.where(groups == "u0", None, groups)
    table = LabelAudit(LogisticRegression(), cv=cv).fit(X, y, groups=groups)
    assert table.score(truth, 12) >= 8
    listed = list(cv.split(X, y)) if isinstance(cv, KFold) else None
    if listed is not None:
        again = LabelAudit(LogisticRegression(), cv=listed).fit(X, y, groups=groups)
        pd.testing.assert_frame_equal(again.ranking_, table.ranking_)


def test_bundles_and_pipelines(rows):
    X, y, truth, _ = rows
    bundle = FeatureBundle({"audio": X[:, :3].astype(np.float32), "text": X[:, 3:].astype(np.float32)})
    from skbst.features import BlockSelector

    model = make_pipeline(BlockSelector(["audio", "text"]), StandardScaler(), LogisticRegression())
    assert LabelAudit(model, random_state=0).fit(bundle, y).score(truth, 12) >= 8
    scaled = make_pipeline(StandardScaler(), LogisticRegression())
    assert LabelAudit(scaled, random_state=0).fit(pd.DataFrame(X), y).score(truth, 12) == 9


def test_bad_input_is_named(rows):
    X, y, truth, _ = rows
    with pytest.raises(DataFormatError, match="X has 159 rows and y has 160"):
        audit().fit(X[:-1], y)
    with pytest.raises(DataFormatError, match="metadata must be a DataFrame"):
        audit().fit(X, y, metadata={"title": ["a"] * 160})
    with pytest.raises(DataFormatError, match="at least 2 classes"):
        audit().fit(X, np.repeat("fx-a", 160))
    with pytest.raises(DataFormatError, match="1 of 160 labels are missing"):
        audit().fit(X, np.where(np.arange(160) == 3, None, y))
    with pytest.raises(DataFormatError, match="truth must have 160 rows"):
        audit().fit(X, y).score(truth[:5])


def test_score_by_hand():
    proba = np.array([[0.7, 0.2, 0.1], [0.2, 0.2, 0.6], [1.0, 0.0, 0.0]])
    score = label_log_ratio(proba, np.array([0, 1, 1]))
    expected = np.log([(0.7 + 1e-3) / (0.2 + 1e-3), (0.2 + 1e-3) / (0.6 + 1e-3), 1e-3 / (1 + 1e-3)])
    np.testing.assert_allclose(score, expected, rtol=1e-12)
    assert doubt_order(np.array([0.0, -1.0, 0.0]), np.array([0.5, 0.5, 1.0])).tolist() == [1, 2, 0]


def test_a_fitted_audit_pickles_and_stays(rows):
    X, y, truth, _ = rows
    fitted = audit().fit(X, y)
    before = pickle.dumps(fitted)
    fitted.score(truth)
    assert pickle.dumps(fitted) == before
    pd.testing.assert_frame_equal(pickle.loads(before).ranking_, fitted.ranking_)


def test_an_answer_ranks_what_is_left(rows):
    X, y, truth, groups = rows
    ids = pd.Index([f"s{i}" for i in range(160)])
    first = audit().fit(pd.DataFrame(X, index=ids), y, groups=groups)
    before = pickle.dumps(first)
    asked = first.ranking_.index[:3]
    second = first.answer(asked, truth[first.ranking_["position"][:3]])
    assert pickle.dumps(first) == before
    assert second.ranking_.index.symmetric_difference(ids).tolist() == sorted(asked)
    assert second.answers_.to_dict() == dict(zip(asked, truth[first.ranking_["position"][:3]]))
    assert first.answers_.empty
    assert second.score(truth, 6) == 6
    # one after the other or at once, and a later word counts
    steps = first.answer(asked[:1], ["ss-n"]).answer(asked, second.answers_[asked])
    pd.testing.assert_frame_equal(steps.ranking_, second.ranking_)


def test_answers_lift_their_kind(rows):
    """Two packs are alike doubtful; what is found out about one clip of the one brings its siblings forward."""
    X, _, truth, _ = rows
    y, groups = truth.copy(), np.array([f"u{i}" for i in range(160)], dtype=object)
    left, right = np.flatnonzero(truth == "fx-a")[:4], np.flatnonzero(truth == "fx-h")[:4]
    y[left], y[right], groups[left], groups[right] = "m-sp", "ss-n", "left", "right"
    first = audit().fit(X, y, groups=groups)
    score = first.ranking_["score"]
    lift = first.answer([left[0], right[0]], ["fx-a", "ss-n"]).ranking_["score"] - score
    assert (lift[left[1:]] < 0).all()
    assert (lift[right[1:]] > 0).all()
    unsure = first.answer([left[0]], [None])
    assert len(unsure.ranking_) == 159
    assert unsure.answers_.isna().all()
    pd.testing.assert_series_equal(unsure.ranking_["score"], score.drop(left[0]))


def test_a_corrected_label_votes_at_once(rows):
    X, y, truth, _ = rows
    X, y = X.copy(), truth.copy()
    X[4], y[4], y[0] = X[0], "fx-h", "fx-h"  # two equal clips, both labelled wrong
    first = audit(k=1).fit(X, y)
    assert first.ranking_.loc[4, "near_duplicate"] == ""
    second = first.answer([0], ["fx-a"])
    assert second.ranking_.loc[4, "near_duplicate"] == "0"
    assert second.ranking_.loc[4, "proba_label"] < first.ranking_.loc[4, "proba_label"]


@pytest.mark.parametrize(
    ("names", "labels", "message"),
    [
        ([161], ["fx-a"], "does not know"),
        ([1, 1], ["fx-a", "fx-a"], "answered twice"),
        ([1], ["fx-zz"], "no class of the audit"),
        ([1], ["fx-a", "fx-h"], "one label for each of 1 rows"),
    ],
)
def test_odd_answers_are_refused(names, labels, message, rows):
    with pytest.raises(DataFormatError, match=message):
        audit().fit(rows[0], rows[1]).answer(names, labels)


def test_lift_by_hand():
    answered = np.array([True, True, True, False, False])
    wrong = np.array([True, True, False, False, False])
    rate = (2 + 1.5) / (3 + 10)
    lift = answer_log_lift(np.array([0, 0, 1, 0, -1]), answered, wrong)
    of_kind = np.array([(2 + 8 * rate) / 10, (0 + 8 * rate) / 9])
    np.testing.assert_allclose(lift, [*np.log(of_kind[[0, 0, 1, 0]] / rate), 0], rtol=1e-12)


def test_rows_that_are_no_numbers(rows):
    """Words in a pipeline, in a vote of pipelines, and with nothing that makes numbers of them."""
    _, _, truth, _ = rows
    words = np.array(["dog barks", "door slams", "drum hit", "birds sing"])[np.arange(160) % 4]
    texts = pd.DataFrame({"title": [f"{word} {i % 7}" for i, word in enumerate(words)]})
    y = truth.copy()
    y[5] = "ss-n"
    column = ColumnTransformer([("words", CountVectorizer(), "title")])
    pipeline = make_pipeline(column, LogisticRegression())
    for model in (
        pipeline,
        VotingClassifier([("one", pipeline)], voting="soft"),
        GridSearchCV(pipeline, {"logisticregression__C": [1.0]}, cv=2),
    ):
        assert LabelAudit(model, random_state=0).fit(texts, y).ranking_.index[0] == 5
    by_models = LabelAudit(DummyClassifier(strategy="stratified", random_state=0), cv=2).fit(texts, y)
    assert by_models.similarities_.shape == (160, 20)


def test_no_label_reaches_the_neighbours(rows):
    """A step that learns from labels would draw wrong ones together; the steps before it are taken."""
    X, y, _, _ = rows
    table = pd.DataFrame(X)
    plain = LabelAudit(make_pipeline(StandardScaler(), LogisticRegression())).fit(table, y)
    taught = make_pipeline(StandardScaler(), SelectKBest(k=2), LogisticRegression())
    np.testing.assert_array_equal(LabelAudit(taught).fit(table, y).similarities_, plain.similarities_)


def test_cleanlab_reads_the_same_probabilities(rows):
    """Self-confidence by hand, by cleanlab and from the audit's own columns."""
    rank = pytest.importorskip("cleanlab.rank", exc_type=ImportError)
    X, y, truth, groups = rows
    fitted = audit().fit(X, y, groups=groups)
    label = np.searchsorted(fitted.classes_, y)
    table = fitted.ranking_.sort_values("position")
    theirs = rank.get_label_quality_scores(label, fitted.proba_, method="self_confidence")
    np.testing.assert_allclose(theirs, table["proba_pack"], rtol=1e-12)
    np.testing.assert_allclose(
        rank.get_label_quality_scores(label, fitted.proba_world_), table["proba_world"], rtol=1e-12
    )
    first = np.argsort(theirs, kind="stable")[:9]
    assert set(first) == set(np.flatnonzero(y != truth)) == set(fitted.ranking_["position"][:9])


def test_the_view_of_the_uploader_is_told_from_that_of_the_world(rows):
    X, _, truth, _ = rows
    groups = np.array([f"v{i}" for i in range(160)], dtype=object)  # everybody has one clip, but for one pack
    pack = np.flatnonzero(truth == "fx-a")[:12]
    groups[pack] = "u"
    y = truth.copy()
    y[pack] = "ss-n"
    table = audit().fit(X, y, groups=groups).ranking_.sort_values("position")
    assert table["fits_pack"].isna().tolist() == [i not in set(pack) for i in range(160)]
    assert (~table["fits_world"].iloc[pack]).all()
    assert (table["proba_world"].iloc[pack] < table["proba_pack"].iloc[pack]).all()
    assert audit().fit(X, y).ranking_["proba_world"].isna().all()


def test_groups_reach_a_step_that_takes_them(rows):
    """Under the name that a pipeline has for it."""
    X, y, truth, groups = rows
    seen = []

    class Listening(StandardScaler):
        def fit(self, X, y=None, *, groups=None):
            seen.append((len(X), None if groups is None else len(groups)))
            return super().fit(X, y)

    fitted = LabelAudit(make_pipeline(Listening(), LogisticRegression()), cv=4).fit(X, y, groups=groups)
    assert len(seen) == 8
    assert all(n_rows == n_groups for n_rows, n_groups in seen)
    assert fitted.score(truth, 12) >= 8
