"""The estimator: its promise, its edges, and whatever it is put around."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skbst.conformal import (
    HierarchicalConformalClassifier,
    class_p_values,
    class_thresholds,
    coverage_score,
    lac_scores,
    node_answer_report,
)
from skbst.conformal._unlike import is_unlike, unlike_bank
from skbst.datasets import make_bst_table
from skbst.exceptions import CalibrationWarning, DataFormatError
from skbst.features import ClipFeaturizer, FeatureBundle, TextLSAFeaturizer
from skbst.neighbors import KNNPriorBlender
from skbst.persistence import load_model, save_model
from skbst.taxonomy import Taxonomy

CLASSES = np.array(["fx-a", "fx-h", "fx-n", "ss-n"])
CENTRES = np.array([[0, 0], [2, 0], [1, 2], [5, 5]])


def draw(n, seed, classes=CLASSES, centres=CENTRES):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, len(classes), n)
    return rng.normal(size=(n, 2)) + centres[label], classes[label]


def covered(model, X, y):
    return coverage_score(y, model.predict_set(X), classes=model.classes_)


@pytest.mark.parametrize("condition", [None, "class", "top"])
@pytest.mark.parametrize("cv", ["prefit", 4])
def test_coverage_of_exchangeable_draws(condition, cv):
    """Mean over draws of the coverage of new rows; the band is four standard errors. Cross-fitting may give more."""
    found = []
    for seed in range(60):
        X, y = draw(260, seed)
        model = GaussianNB()
        if cv == "prefit":
            model.fit(X[:60], y[:60])
            X, y = X[60:], y[60:]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CalibrationWarning)
            fitted = HierarchicalConformalClassifier(model, confidence_level=0.8, condition=condition, cv=cv)
            fitted.fit(X[:100], y[:100])
        found.append(covered(fitted, X[100:], y[100:]))
    error = 4 * np.std(found) / len(found) ** 0.5
    assert np.mean(found) >= 0.8 - error
    # the likeliest class is in the set whatever its score, so the sets of easy classes hold more
    assert np.mean(found) <= 0.8 + error + (0.07 if condition else 0.03)


def test_new_groups_are_covered_where_folds_are_by_group():
    """Each group has a habit of its own; random folds learn the habits and promise too much."""
    plain, grouped = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(60), 10)
        habit = 4 * rng.normal(size=(60, 2))
        y = CLASSES[:2][np.repeat(rng.integers(0, 2, 60), 10)]
        X = np.c_[0.5 * rng.normal(size=(600, 2)) + habit[groups], (y == "fx-a") + 2 * rng.normal(size=600)]
        old = groups < 40
        for found, given in ((plain, None), (grouped, groups[old])):
            model = HierarchicalConformalClassifier(KNeighborsClassifier(15), random_state=0)
            found.append(covered(model.fit(X[old], y[old], groups=given), X[~old], y[~old]))
    assert np.mean(plain) < 0.8
    assert np.mean(grouped) > np.mean(plain) + 0.1
    assert np.mean(grouped) > 0.86


def test_missing_groups_are_nobodys():
    """None, NaN and "" are no common group, so any number of folds can be made of them."""
    X, y = draw(60, 0)
    groups = np.array([None, np.nan, "", pd.NA] * 15, dtype=object)
    model = HierarchicalConformalClassifier(GaussianNB(), cv=5).fit(X, y, groups=groups)
    assert model.calibration_report_["groups"] == 60
    with pytest.warns(UserWarning, match=r"cv=5, but there are 2 groups"):
        HierarchicalConformalClassifier(GaussianNB(), cv=5).fit(X, y, groups=np.arange(60) % 2)
    with pytest.raises(ValueError, match="All rows are of one group"):
        HierarchicalConformalClassifier(GaussianNB(), cv=5).fit(X, y, groups=["ann"] * 60)


def test_prefit_is_split_conformal():
    """Thresholds and p-values are those of the pure functions on the probabilities of the rows given."""
    (X, y), (X_cal, y_cal), (new, _) = draw(80, 0), draw(200, 1), draw(50, 2)
    fitted = LogisticRegression().fit(X, y)
    model = HierarchicalConformalClassifier(fitted, cv="prefit", condition="class").fit(X_cal, y_cal)
    assert model.estimator_ is fitted
    place = np.searchsorted(CLASSES, y_cal)
    scores, parent = lac_scores(fitted.predict_proba(X_cal), place), np.array([0, 0, 0, 1])
    limits, sources = class_thresholds(scores, place, parent, 0.9, condition="class")
    np.testing.assert_array_equal(model.thresholds_, limits)
    expected = class_p_values(scores, place, parent, fitted.predict_proba(new), sources)
    np.testing.assert_array_equal(model.predict_p_values(new), expected)
    np.testing.assert_array_equal(model.predict(new), fitted.predict(new))
    np.testing.assert_array_equal(model.predict_proba(new), fitted.predict_proba(new))


@pytest.mark.parametrize("condition", [None, "class", "top"])
def test_higher_levels_have_larger_sets(condition):
    (X, y), (new, _) = draw(200, 0), draw(300, 1)
    last = np.zeros((300, 4), dtype=bool)
    for level in (0.3, 0.6, 0.8, 0.9, 0.95, 0.97, 0.99):
        model = HierarchicalConformalClassifier(GaussianNB(), confidence_level=level, condition=condition, cv=4)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CalibrationWarning)
            sets = model.fit(X, y).predict_set(new)
        assert (sets >= last).all()
        assert sets[np.arange(300), model.predict_proba(new).argmax(axis=1)].all()
        last = sets


def test_class_that_calibration_lacks():
    """Its top level's rows decide, and the report says so."""
    (X, y), (X_cal, y_cal) = draw(200, 0), draw(200, 1)
    fitted = GaussianNB().fit(X, y)
    kept = y_cal != "fx-n"
    model = HierarchicalConformalClassifier(fitted, cv="prefit", condition="class")
    with pytest.warns(CalibrationWarning, match=r"1 of 4 classes .*fx-n \(0\)"):
        model.fit(X_cal[kept], y_cal[kept])
    row = model.calibration_report_["classes"]["fx-n"]
    assert (row["rows"], row["decided_by"]) == (0, "top")
    assert np.isnan(row["coverage"])
    with pytest.raises(DataFormatError, match=r"1 of 3 labels are no class .*'m-sp'"):
        HierarchicalConformalClassifier(fitted, cv="prefit").fit(X_cal[:3], ["fx-a", "m-sp", "fx-a"])


def test_recall_floor_and_its_price():
    X, y = draw(1200, 0)
    model = HierarchicalConformalClassifier(GaussianNB(), recall_floor={"fx-h": 0.99}, random_state=0).fit(X, y)
    new, truth = draw(20000, 1)
    flagged = model.predict_floor(new, "fx-h")
    price = flagged[truth != "fx-h"].mean()
    assert flagged[truth == "fx-h"].mean() > 0.98
    said = model.calibration_report_["floors"]["fx-h"]
    assert said["others_flagged"] == pytest.approx(price, abs=0.05)
    assert said["recall"] > 0.97
    assert (model.predict_set(new)[:, 1] >= flagged).all()
    with pytest.raises(DataFormatError, match="'fx-a' has no recall floor"):
        model.predict_floor(new, "fx-a")
    for floor in ({"fx": 0.9}, {"fx-h": 1.0}):
        with pytest.raises(DataFormatError, match="recall_floor"):
            HierarchicalConformalClassifier(GaussianNB(), recall_floor=floor).fit(X, y)
    with pytest.warns(CalibrationWarning, match=r"'fx-h': \d+ rows are too few for 0.99 \(99 are needed\)"):
        model.fit(X[:200], y[:200])
    assert model.predict_floor(new, "fx-h").all()


def test_answers_are_one_story():
    """Node, set, nodes and reason of a clip do not contradict each other; a far clip is refused although it is sure."""
    X, y = draw(600, 0)
    model = HierarchicalConformalClassifier(LogisticRegression(), max_nodes=2, random_state=0).fit(X, y)
    new = np.r_[draw(300, 1)[0], [[-60, -60]]]
    answers = model.answer(new)
    assert answers.proba[-1].max() > 0.99
    assert (answers.node[-1], answers.reason[-1]) == ("?", "unlike the calibration clips")
    for method, name in (("predict_set", "set"), ("predict_node", "node"), ("predict_reason", "reason")):
        np.testing.assert_array_equal(getattr(model, method)(new), answers[name])
    assert model.predict_nodes(new) == answers.nodes
    assert max(map(len, answers.nodes)) <= 2
    named = np.isin(answers.node, CLASSES)
    assert ((answers.reason == "") == named).all()
    assert (answers.node[named] == model.predict(new)[named]).all()
    assert set(answers.node) == {*CLASSES, "fx", "?"}
    assert np.mean(answers.unlike[:300]) < 0.04


def test_report():
    X, y = draw(500, 0)
    groups = np.array(["big"] * 100 + [f"u{i // 5}" for i in range(400)])
    model = HierarchicalConformalClassifier(GaussianNB(), random_state=0).fit(X, y, groups=groups)
    report = model.calibration_report_
    assert (report["rows"], report["groups"]) == (500, 81)
    assert report["effective_groups"] == pytest.approx(500**2 / (100**2 + 80 * 25))
    assert sum(row["rows"] for row in report["classes"].values()) == 500
    assert report["top_levels"]["ss"]["rows"] == report["classes"]["ss-n"]["rows"]
    assert report["coverage"] == pytest.approx(0.9, abs=0.03)
    assert report["worst_group"]["group"] == "big"
    assert report["nodes"]["leaf"] + report["nodes"]["top"] + report["nodes"]["refused"] == pytest.approx(1)
    answers = node_answer_report(*[draw(4000, 1)[1], model.predict_node(draw(4000, 1)[0])])
    assert answers["wrong"] < 0.125
    assert report["warnings"] == []


def test_weights():
    """Rows of weight 0 calibrate nothing; weights reach the estimator; equal ones change nothing."""
    X, y = draw(240, 0)
    plain = HierarchicalConformalClassifier(GaussianNB(), cv=3).fit(X, y)
    equal = HierarchicalConformalClassifier(GaussianNB(), cv=3).fit(X, y, sample_weight=np.full(240, 2.0))
    np.testing.assert_allclose(equal.thresholds_, plain.thresholds_)
    weight = np.r_[np.ones(200), np.zeros(40)]
    spoilt = np.where(np.arange(240) < 200, y, "fx-a")
    model = HierarchicalConformalClassifier(GaussianNB(), cv=3).fit(X, spoilt, sample_weight=weight)
    assert model.calibration_rows_.max() == 199
    np.testing.assert_allclose(model.estimator_.theta_, GaussianNB().fit(X[:200], y[:200]).theta_)
    # of one that takes none they weigh the calibration alone
    heavy = np.where(y == "ss-n", 50.0, 0.1)
    knn = HierarchicalConformalClassifier(KNeighborsClassifier(20), cv=3)
    assert knn.fit(X, y, sample_weight=heavy).thresholds_[0] < knn.fit(X, y).thresholds_[0]


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(20, random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression()),
        CalibratedClassifierCV(LinearSVC(), cv=3),
        KNNPriorBlender(GaussianNB(), k=3),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_around_any_classifier(estimator):
    (X, y), (new, truth) = draw(300, 0), draw(300, 1)
    model = HierarchicalConformalClassifier(estimator, cv=3).fit(X, y)
    assert covered(model, new, truth) > 0.83
    again = HierarchicalConformalClassifier(estimator, cv=3).fit(X, y)
    np.testing.assert_array_equal(model.predict_set(new), again.predict_set(new))
    with pytest.raises(ValueError, match="needs an estimator with predict_proba"):
        HierarchicalConformalClassifier(LinearSVC()).fit(X, y)


@pytest.mark.parametrize("cv", [None, KFold(3), StratifiedKFold(4), GroupKFold(3), [(range(100, 300), range(100))]])
def test_splitters(cv):
    """A row that no fold tests calibrates nothing."""
    X, y = draw(300, 0)
    model = HierarchicalConformalClassifier(GaussianNB(), cv=cv).fit(X, y, groups=np.arange(300) % 12)
    assert len(model.calibration_rows_) == (100 if isinstance(cv, list) else 300)


def test_two_classes_flat_trees_and_only_children():
    X, y = draw(200, 0)
    two = HierarchicalConformalClassifier(LogisticRegression()).fit(X[:, :1], np.where(y == "ss-n", 7, 3))
    assert set(two.predict_node(X[:, :1])) <= {"3", "7", "?"}
    assert two.predict_set(X[:, :1]).shape == (200, 2)
    assert two.predict_nodes([[9.0]]) == [("7",)]
    tree = Taxonomy.from_mapping({"far": ["ss-n"], "near": ["fx-a", "fx-h", "fx-n"]})
    child = HierarchicalConformalClassifier(LogisticRegression(), taxonomy=tree).fit(X, y)
    assert child.predict_node([[5, 5], [1.0, 0.5]]).tolist() == ["ss-n", "near"]
    with pytest.raises(DataFormatError, match="not leaves"):
        HierarchicalConformalClassifier(LogisticRegression(), taxonomy=Taxonomy.flat("abc")).fit(X, y)


def test_nan_probabilities_are_refused():
    X, y = draw(60, 0)

    class Broken(GaussianNB):
        def predict_proba(self, X):
            return np.full((len(X), 4), np.nan)

    with pytest.raises(DataFormatError, match="rows of probabilities are NaN or infinite"):
        HierarchicalConformalClassifier(Broken(), cv=2).fit(X, y)


def test_clips_in_and_bundles_in(tmp_path):
    """A pipeline from a table of clips, one from a FeatureBundle; saved without pickle, answers stay."""
    table = make_bst_table(400, random_state=0).set_index("sound_id")
    words, y = table[["title", "tags", "description"]], table["class"].to_numpy()
    featurizer = ClipFeaturizer([("text", TextLSAFeaturizer(24, random_state=0))])
    pipeline = make_pipeline(featurizer, KNNPriorBlender(GaussianNB()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = HierarchicalConformalClassifier(pipeline, cv=3, random_state=0)
        model.fit(words, y, groups=table.get("uploader"))
    nodes = model.predict_node(words[:50])
    assert model.bank_["rows"].shape[1] == 24
    save_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_node(words[:50]), nodes)
    assert again.predict_nodes(words[:50]) == model.predict_nodes(words[:50])
    X, y = draw(200, 0)
    bundle = FeatureBundle({"audio": X, "text": X[:, :1]})
    on_bundle = HierarchicalConformalClassifier(KNNPriorBlender(GaussianNB(), blocks=["audio"])).fit(bundle, y)
    assert on_bundle.predict_set(bundle).any(axis=1).all()
    assert on_bundle.bank_["rows"].shape[1] == 3


def test_text_alone_has_no_distance():
    table = make_bst_table(300, random_state=0)
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = HierarchicalConformalClassifier(pipeline, cv=3).fit(table["title"], table["class"])
    assert model.bank_ is None
    assert not model.answer(table["title"][:9]).unlike.any()


def test_metadata_routing():
    """Groups reach the splitter, and weights an estimator that has asked for them."""
    X, y = draw(200, 0)
    groups = np.arange(200) % 20
    with config_context(enable_metadata_routing=True):
        linear = LogisticRegression().set_fit_request(sample_weight=True)
        model = HierarchicalConformalClassifier(linear, cv=GroupKFold(4))
        model.fit(X, y, groups=groups, sample_weight=np.r_[np.ones(150), np.zeros(50)])
        assert len(model.calibration_rows_) == 150
        assert model.calibration_report_["groups"] == 20
        scored = HierarchicalConformalClassifier(GaussianNB()).set_fit_request(groups=True)
        assert cross_val_score(scored, X, y, params={"groups": groups}, cv=GroupKFold(3)).min() > 0.6


def test_distance_is_the_mean_of_the_five_nearest_of_others():
    """Against a slow loop; a row is never measured against its own group."""
    rng = np.random.default_rng(0)
    vectors, groups = rng.normal(size=(120, 3)).astype(np.float32), np.arange(120) // 4
    bank = unlike_bank(vectors, groups)
    rows = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0) / 3**0.5
    np.testing.assert_allclose(bank["rows"], rows, atol=1e-5)
    distances = [np.sort(np.linalg.norm(rows[groups != groups[i]] - rows[i], axis=1))[:5].mean() for i in range(120)]
    assert bank["threshold"] == pytest.approx(sorted(distances)[119], rel=1e-4)  # of 120, one in a hundred is the last
    far = np.array([[0, 0, 0], [0, 0, 30]], dtype=np.float32)
    assert is_unlike(far, bank, 2).tolist() == [False, True]
    assert not is_unlike(None, bank, 2).any()
    assert unlike_bank(None, groups) is None
    constant = unlike_bank(np.c_[vectors, np.full(120, 0.1, dtype=np.float32)], groups)
    assert np.isfinite(constant["rows"]).all()
