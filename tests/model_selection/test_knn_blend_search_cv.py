import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle
from skbst.metrics import hierarchical_f1_score, hierarchical_f1_scorer
from skbst.model_selection import KNNBlendSearchCV
from skbst.model_selection._blend._cells import fast_scores_of
from skbst.neighbors import KNNPriorBlender
from skbst.taxonomy import BST, Taxonomy

CODES = np.array(["fx-a", "fx-h", "m-sp", "m-si", "ss-n"])
GRID = {"alpha": [0.0, 0.3, 1.0], "k": [2, 12], "temperature": [0.05, 0.3]}


class CountingClassifier(ClassifierMixin, BaseEstimator):
    """Naive Bayes of bundles or arrays that counts its fits."""

    n_fits = 0

    def __init__(self, smoothing=1.0):
        self.smoothing = smoothing

    def fit(self, X, y, sample_weight=None):
        type(self).n_fits += 1
        self.model_ = GaussianNB(var_smoothing=self.smoothing).fit(np.asarray(X), y, sample_weight)
        self.classes_ = self.model_.classes_
        return self

    def embed(self, X):
        return np.asarray(X) ** 2

    def predict_proba(self, X):
        return self.model_.predict_proba(np.asarray(X))

    def predict(self, X):
        return self.model_.predict(np.asarray(X))


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    label = np.arange(150) % 5
    X = rng.standard_normal((150, 6)) + 0.9 * np.eye(6)[label]
    return X, CODES[label], np.arange(150) // 5 % 10


def assert_same_results(search, naive):
    """Every figure but the times."""
    times = {"mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time"}
    assert list(search.cv_results_) == list(naive.cv_results_)
    for key, values in naive.cv_results_.items():
        if key == "params":
            assert search.cv_results_[key] == values
        elif key.startswith("param_"):
            np.testing.assert_array_equal(search.cv_results_[key], values)
            assert search.cv_results_[key].dtype == values.dtype
        elif key not in times:
            np.testing.assert_allclose(search.cv_results_[key], values, rtol=0, atol=1e-9, err_msg=key)


@pytest.mark.parametrize(
    "scoring",
    [
        None,
        hierarchical_f1_scorer,
        make_scorer(hierarchical_f1_score, zero_division=0.0, top_weight=1.0),
        "neg_log_loss",
        "roc_auc_ovr",
        ["accuracy", "f1_macro"],
        {"hF": hierarchical_f1_scorer, "accuracy": "accuracy"},
    ],
    ids=["default", "hF", "hF-zero", "log-loss", "auc", "list", "dict"],
)
def test_equals_the_search_that_fits_each_cell(clips, scoring):
    X, y, _ = clips
    refit = {list: "f1_macro", dict: "hF"}.get(type(scoring), True)
    settings = {"scoring": scoring, "cv": StratifiedKFold(3, shuffle=True, random_state=0), "refit": refit}
    blender = KNNPriorBlender(CountingClassifier())
    naive = GridSearchCV(blender, GRID, return_train_score=True, **settings).fit(X, y)
    search = KNNBlendSearchCV(blender, GRID, return_train_score=True, **settings).fit(X, y)
    assert_same_results(search, naive)
    assert search.best_params_ == naive.best_params_
    assert search.best_score_ == pytest.approx(naive.best_score_, abs=1e-12)
    np.testing.assert_array_equal(search.predict_proba(X), naive.predict_proba(X))
    np.testing.assert_array_equal(search.classes_, naive.classes_)
    assert search.score(X, y) == pytest.approx(naive.score(X, y))
    assert search.multimetric_ == naive.multimetric_


def test_two_classes_and_decision_scores(clips):
    X, y, _ = clips
    two = np.isin(y, ["fx-a", "m-sp"])
    settings = {"param_grid": GRID, "scoring": "roc_auc", "cv": 3}
    naive = GridSearchCV(KNNPriorBlender(CountingClassifier()), **settings).fit(X[two], y[two])
    assert_same_results(KNNBlendSearchCV(KNNPriorBlender(CountingClassifier()), **settings).fit(X[two], y[two]), naive)


def test_one_fit_per_fold(clips):
    X, y, _ = clips
    CountingClassifier.n_fits = 0
    grid = {"alpha": np.linspace(0, 1, 21), "k": list(range(1, 26)), "temperature": [0.05, 0.1]}
    search = KNNBlendSearchCV(KNNPriorBlender(CountingClassifier()), grid, cv=5, scoring=hierarchical_f1_scorer)
    search.fit(X, y)
    assert len(search.cv_results_["params"]) == 21 * 25 * 2
    assert CountingClassifier.n_fits == 6
    assert search.n_fits_ == 5
    assert search.fold_parts_[0].similarities.shape == (30, 25)


def test_costly_parameters_and_lists_of_grids(clips):
    X, y, _ = clips
    grid = [{"estimator__smoothing": [0.01, 1.0], "alpha": [0.2, 0.5]}, {"k": [3], "embedding": ["blocks", "model"]}]
    naive = GridSearchCV(KNNPriorBlender(CountingClassifier()), grid, cv=3).fit(X, y)
    CountingClassifier.n_fits = 0
    search = KNNBlendSearchCV(KNNPriorBlender(CountingClassifier()), grid, cv=3).fit(X, y)
    assert_same_results(search, naive)
    assert search.n_fits_ == 12
    assert CountingClassifier.n_fits == 13


def test_pipeline(clips):
    X, y, _ = clips
    pipe = Pipeline([("scale", StandardScaler()), ("blend", KNNPriorBlender(CountingClassifier()))])
    grid = {"blend__alpha": [0.2, 0.8], "blend__k": [2, 9], "scale__with_mean": [True, False]}
    naive = GridSearchCV(pipe, grid, cv=3).fit(X, y)
    search = KNNBlendSearchCV(pipe, grid, cv=3).fit(X, y)
    assert_same_results(search, naive)
    assert search.n_fits_ == 6
    np.testing.assert_array_equal(search.predict(X), naive.predict(X))


def test_bundles(clips):
    X, y, _ = clips
    bundle = FeatureBundle({"audio": X[:, :3], "text": X[:, 3:]})
    blender = KNNPriorBlender(CountingClassifier())
    one = KNNBlendSearchCV(blender, GRID, cv=3).fit(bundle, y)
    assert_same_results(one, GridSearchCV(blender, GRID, cv=3).fit(bundle, y))


def test_same_results_for_any_number_of_jobs(clips):
    X, y, _ = clips
    one, two = (KNNBlendSearchCV(KNNPriorBlender(GaussianNB()), GRID, cv=3, n_jobs=n).fit(X, y) for n in (1, 2))
    for key in ("mean_test_score", "split1_test_score", "rank_test_score"):
        np.testing.assert_array_equal(one.cv_results_[key], two.cv_results_[key])
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


@pytest.mark.filterwarnings("ignore:The least populated class")
def test_a_class_that_a_training_part_lacks(clips):
    X, y, _ = clips
    y = y.copy()
    y[:2] = "is-p"
    y[2] = "is-s"
    settings = {"param_grid": {"alpha": [0.2, 0.7]}, "cv": 3, "scoring": hierarchical_f1_scorer}
    naive = GridSearchCV(KNNPriorBlender(CountingClassifier()), **settings).fit(X, y)
    assert_same_results(KNNBlendSearchCV(KNNPriorBlender(CountingClassifier()), **settings).fit(X, y), naive)


def test_scorers_that_look_at_the_rows(clips):
    X, y, _ = clips

    def scorer(estimator, X, y):
        return accuracy_score(y[X[:, 0] > 0], estimator.predict(X)[X[:, 0] > 0])

    settings = {"param_grid": GRID, "scoring": scorer, "cv": 3}
    naive = GridSearchCV(KNNPriorBlender(CountingClassifier()), **settings).fit(X, y)
    assert_same_results(KNNBlendSearchCV(KNNPriorBlender(CountingClassifier()), **settings).fit(X, y), naive)


def test_sample_weight_reaches_fit_and_scorer(clips):
    X, y, _ = clips
    weight = np.random.default_rng(0).uniform(0.1, 3, 150)
    settings = {"param_grid": GRID, "cv": 3, "scoring": hierarchical_f1_scorer}
    naive = GridSearchCV(KNNPriorBlender(CountingClassifier()), **settings).fit(X, y, sample_weight=weight)
    search = KNNBlendSearchCV(KNNPriorBlender(CountingClassifier()), **settings).fit(X, y, sample_weight=weight)
    assert_same_results(search, naive)


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
def test_own_group_is_left_out_of_every_cell(clips):
    X, y, groups = clips
    blender = KNNPriorBlender(CountingClassifier(), exclude_own_group=True)
    cv = StratifiedKFold(3)
    search = KNNBlendSearchCV(blender, {"alpha": [0.4, 1.0], "k": [3, 7]}, cv=cv).fit(X, y, groups=groups)
    for i, cell in enumerate(search.cv_results_["params"]):
        for split, (train, test) in enumerate(cv.split(X, y)):
            fitted = blender.set_params(**cell).fit(X[train], y[train], groups=groups[train])
            expected = fitted.score(X[test], y[test], groups=groups[test])
            assert search.cv_results_[f"split{split}_test_score"][i] == pytest.approx(expected, abs=1e-12)
    assert (search.best_estimator_.bank_groups_ == groups).all()


def test_groups_reach_the_splitter(clips):
    X, y, groups = clips
    search = KNNBlendSearchCV(KNNPriorBlender(CountingClassifier()), {"alpha": [0.4]}, cv=GroupKFold(3))
    search.fit(X, y, groups=groups)
    for parts in search.fold_parts_:
        assert not set(groups[parts.rows]) & set(np.delete(groups, parts.rows))


def assert_own_group_left_out(search, X, y, groups):
    """Neighbours of the test rows against a slow search that skips the row's own group."""
    unit = np.asarray(X) / np.linalg.norm(X, axis=1, keepdims=True)
    classes = np.unique(y)
    for parts in search.fold_parts_:
        train = np.setdiff1d(np.arange(len(y)), parts.rows)
        for i, row in enumerate(parts.rows):
            others = train[groups[train] != groups[row]]
            assert len(others) < len(train)
            nearest = others[np.argsort(-(unit[others] @ unit[row]))[: parts.similarities.shape[1]]]
            np.testing.assert_array_equal(classes[parts.labels[i]], y[nearest])
            np.testing.assert_allclose(parts.similarities[i], unit[nearest] @ unit[row], atol=1e-5)


@pytest.mark.parametrize("name", ["groups", "uploader"])
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_metadata_routing(clips, name, in_pipeline):
    X, y, groups = clips
    weight = np.random.default_rng(0).uniform(0.1, 3, 150)
    request = True if name == "groups" else name
    with sklearn.config_context(enable_metadata_routing=True):
        inner = CountingClassifier().set_fit_request(sample_weight=True)
        blender = KNNPriorBlender(inner, exclude_own_group=True, embedding="blocks").set_fit_request(groups=request)
        blender.set_score_request(groups=request, sample_weight=True)
        model = Pipeline([("keep", "passthrough"), ("blend", blender)]) if in_pipeline else blender
        grid = {"blend__alpha" if in_pipeline else "alpha": [0.4, 1.0]}
        search = KNNBlendSearchCV(model, grid, cv=StratifiedKFold(3), return_train_score=True)
        search.fit(X, y, **{name: groups}, sample_weight=weight)
        naive = GridSearchCV(model, grid, cv=StratifiedKFold(3), return_train_score=True)
        naive.fit(X, y, **{name: groups}, sample_weight=weight)
    assert_own_group_left_out(search, X, y, groups)
    assert_same_results(search, naive)
    best = search.best_estimator_[-1] if in_pipeline else search.best_estimator_
    np.testing.assert_array_equal(best.bank_groups_, groups)
    plain = KNNBlendSearchCV(KNNPriorBlender(CountingClassifier()), {"alpha": [0.4]}, cv=StratifiedKFold(3)).fit(X, y)
    assert not np.allclose(search.fold_parts_[0].p_model, plain.fold_parts_[0].p_model)


def test_routed_groups_reach_the_splitter(clips):
    X, y, groups = clips
    with sklearn.config_context(enable_metadata_routing=True):
        blender = KNNPriorBlender(CountingClassifier(), exclude_own_group=True)
        blender.set_fit_request(groups="uploader").set_score_request(groups="uploader")
        cv = GroupKFold(3).set_split_request(groups="uploader")
        search = KNNBlendSearchCV(blender, {"alpha": [0.4]}, cv=cv).fit(X, y, uploader=groups)
    for parts in search.fold_parts_:
        assert not set(groups[parts.rows]) & set(np.delete(groups, parts.rows))


def test_groups_of_the_blender_alone_in_a_pipeline(clips):
    X, y, groups = clips
    model = Pipeline([("blend", KNNPriorBlender(CountingClassifier(), exclude_own_group=True, embedding="blocks"))])
    search = KNNBlendSearchCV(model, {"blend__alpha": [0.4]}, cv=StratifiedKFold(3)).fit(X, y, blend__groups=groups)
    assert_own_group_left_out(search, X, y, groups)


def test_more_cells_without_a_fit(clips):
    X, y, _ = clips
    blender = KNNPriorBlender(CountingClassifier())
    search = KNNBlendSearchCV(
        blender, {"alpha": [0.1], "k": [15]}, cv=3, scoring=["accuracy", "neg_log_loss"], refit=False
    )
    search.fit(X, y)
    CountingClassifier.n_fits = 0
    cells = {"alpha": [0.3, 0.9], "k": [4, 15]}
    table = search.score_cells(cells)
    assert CountingClassifier.n_fits == 0
    naive = GridSearchCV(blender, cells, cv=3, scoring=["accuracy", "neg_log_loss"], refit=False).fit(X, y)
    assert table["k"].tolist() == [4, 15, 4, 15]
    for name in ("mean_test_accuracy", "std_test_accuracy", "mean_test_neg_log_loss"):
        np.testing.assert_allclose(table[name], naive.cv_results_[name], atol=1e-9)
    with pytest.raises(ValueError, match="kept 15 neighbours"):
        search.score_cells({"k": [16]})


def test_out_of_fold_parts_give_the_probabilities(clips):
    X, y, _ = clips
    search = KNNBlendSearchCV(KNNPriorBlender(CountingClassifier()), {"alpha": [0.35], "k": [6]}, cv=3).fit(X, y)
    test = search.fold_parts_[1].rows
    train = np.setdiff1d(np.arange(150), test)
    blender = KNNPriorBlender(CountingClassifier(), alpha=0.35, k=6).fit(X[train], y[train])
    proba = search.fold_parts_[1].proba(alpha=0.35, k=6, temperature=0.1)
    np.testing.assert_array_equal(proba, blender.predict_proba(X[test]))


def test_short_cut_is_taken_only_where_it_is_the_same():
    bst, ints = np.array(["fx-a", "m-sp"]), np.array([0, 1, 2])
    tree = Taxonomy({"a": "x", "b": "x"})
    assert fast_scores_of(hierarchical_f1_scorer, bst) is not None
    assert fast_scores_of(hierarchical_f1_scorer, ints) is not None
    assert fast_scores_of(make_scorer(hierarchical_f1_score, taxonomy=BST), bst) is not None
    assert fast_scores_of(make_scorer(hierarchical_f1_score, taxonomy=tree), np.array(["a", "b"])) is not None
    assert fast_scores_of(hierarchical_f1_scorer, np.array(["fx-a", "dog"])) is None
    assert fast_scores_of(make_scorer(hierarchical_f1_score, average="weighted"), bst) is None
    assert fast_scores_of(make_scorer(hierarchical_f1_score, greater_is_better=False), bst) is None
    assert fast_scores_of(make_scorer(accuracy_score), bst) is None
    assert fast_scores_of(accuracy_score, bst) is None


def test_progress_and_callbacks(clips, capfd):
    X, y, _ = clips

    class Recorder:
        events = ()

        def setup(self, estimator, context):
            self.events = [context.task_name]

        def on_fit_task_begin(self, estimator, context, **kwargs):
            self.events.append(context.task_name)

        def on_fit_task_end(self, estimator, context, **kwargs):
            pass

        def teardown(self, estimator, context):
            self.events.append("teardown")

    recorder = Recorder()
    search = KNNBlendSearchCV(KNNPriorBlender(CountingClassifier()), {"alpha": [0.1]}, cv=3, verbose=1)
    search.set_callbacks(recorder).fit(X, y)
    assert recorder.events == ["fit", "fit", "search", "fold", "fold", "fold", "refit-with-best-params", "teardown"]
    assert "3/3" in capfd.readouterr().err


def test_pickles(clips):
    X, y, _ = clips
    search = KNNBlendSearchCV(KNNPriorBlender(LogisticRegression()), {"alpha": [0.1, 0.2]}, cv=3).fit(X, y)
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict_proba(X), search.predict_proba(X))
    assert again.score_cells({"alpha": [0.1]}).equals(search.score_cells({"alpha": [0.1]}))


@pytest.mark.parametrize(
    ("estimator", "grid", "message"),
    [
        (LogisticRegression(), {"C": [1]}, "Take GridSearchCV for other estimators"),
        (KNNPriorBlender(LogisticRegression()), {"alpha": [2.0]}, "alpha"),
        (KNNPriorBlender(LogisticRegression()), {"k": [0]}, "'k'"),
        (KNNPriorBlender(LogisticRegression()), {"beta": [0]}, "beta"),
    ],
)
def test_bad_searches_are_refused(clips, estimator, grid, message):
    X, y, _ = clips
    with pytest.raises(ValueError, match=message):
        KNNBlendSearchCV(estimator, grid, cv=3).fit(X, y)


SOLVERS = {"alpha": [0.0, 0.3], "estimator__solver": ["lbfgs", "liblinear"]}  # liblinear takes two classes only


def test_a_setting_that_cannot_be_fitted_ends_no_search(clips):
    X, y, _ = clips
    with pytest.warns(FitFailedWarning, match=r"(?s)3 of 6 fits failed.*'estimator__solver': 'liblinear'.*multiclass"):
        search = KNNBlendSearchCV(KNNPriorBlender(LogisticRegression()), SOLVERS, cv=3).fit(X, y)
    with pytest.warns(FitFailedWarning):
        naive = GridSearchCV(KNNPriorBlender(LogisticRegression()), SOLVERS, cv=3).fit(X, y)
    for name in ("mean_test_score", "std_test_score", "split1_test_score", "rank_test_score"):
        np.testing.assert_allclose(search.cv_results_[name], naive.cv_results_[name])
    assert search.best_params_ == naive.best_params_
    assert len(search.fold_parts_) == 3
    assert np.isfinite(search.score_cells({"alpha": [0.1, 0.2]})["mean_test_score"]).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore:One or more of the")
def test_error_score_is_what_the_user_says(clips):
    X, y, _ = clips
    blender = KNNPriorBlender(LogisticRegression())
    with pytest.raises(ValueError, match="multiclass"):
        KNNBlendSearchCV(blender, SOLVERS, cv=3, error_score="raise").fit(X, y)
    search = KNNBlendSearchCV(blender, SOLVERS, cv=3, error_score=-1.0, return_train_score=True).fit(X, y)
    assert search.cv_results_["mean_test_score"][1::2].tolist() == [-1, -1]
    assert search.cv_results_["mean_train_score"][1::2].tolist() == [-1, -1]
    several = {"scoring": ["accuracy", "f1_macro"], "refit": "accuracy"}
    search = KNNBlendSearchCV(blender, SOLVERS, cv=3, **several).fit(X, y)
    assert np.isnan(search.cv_results_["mean_test_f1_macro"][1::2]).all()
    assert np.isfinite(search.cv_results_["mean_test_f1_macro"][::2]).all()


def test_nothing_that_can_be_fitted(clips):
    X, y, _ = clips
    with pytest.raises(ValueError, match=r"(?s)All the 3 fits failed.*liblinear"):
        KNNBlendSearchCV(KNNPriorBlender(LogisticRegression(solver="liblinear")), {"alpha": [0.1]}, cv=3).fit(X, y)


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
@pytest.mark.parametrize("several", [False, True])
def test_a_scorer_that_raises_scores_nan(clips, several):
    X, y, _ = clips

    def picky(estimator, X, y):
        if estimator.predict_proba(X).max() > 0.9999:
            raise RuntimeError("too sure")
        return 0.5

    scoring = {"picky": picky} if several else picky
    grid = {"alpha": [0.0, 1.0], "k": [1]}  # one neighbour alone is sure
    blender = KNNPriorBlender(LogisticRegression(C=1e-3))
    with pytest.warns(UserWarning, match="too sure"):
        search = KNNBlendSearchCV(blender, grid, cv=2, scoring=scoring, refit="picky" if several else True).fit(X, y)
    assert search.best_params_["alpha"] == 0.0
    means = search.cv_results_["mean_test_picky" if several else "mean_test_score"]
    assert means[0] == 0.5
    assert np.isnan(means[1])
    with pytest.raises(RuntimeError, match="too sure"):
        KNNBlendSearchCV(blender, grid, cv=2, scoring=picky, error_score="raise").fit(X, y)


class _Odd(LogisticRegression):
    """Gives probabilities that are none."""

    def __init__(self, how="well", C=1.0):
        super().__init__(C=C)
        self.how = how

    def predict_proba(self, X):
        proba = super().predict_proba(X)
        if self.how == "nothing":
            return None
        if self.how == "a column less":
            return proba[:, 1:]
        if self.how != "well":
            proba[0, 0] = float(self.how)
        return proba


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
@pytest.mark.parametrize("how", ["nan", "inf", "nothing", "a column less"])
def test_probabilities_that_are_none_are_a_setting_that_failed(clips, how):
    X, y, _ = clips
    with pytest.warns(FitFailedWarning, match="(?s)2 of 4 fits failed.*DataFormatError"):
        search = KNNBlendSearchCV(KNNPriorBlender(_Odd()), {"estimator__how": [how, "well"]}, cv=2).fit(X, y)
    assert search.best_params_ == {"estimator__how": "well"}
    with pytest.raises(DataFormatError, match=r"[Pp]robabilities"):
        KNNPriorBlender(_Odd(how)).fit(X, y).predict(X)


@pytest.mark.parametrize("grid", [{"alpha": [0.1], "estimator__gone": [1]}, {"alpha": [0.1, 7]}, {"k": [3, 0]}])
def test_mistakes_in_the_grid_are_no_failed_settings(clips, grid):
    X, y, _ = clips
    fits = []

    class Counted(LogisticRegression):
        def fit(self, X, y):
            fits.append(len(y))
            return super().fit(X, y)

    with pytest.raises(ValueError, match=r"Invalid parameter 'gone'|'alpha' parameter|'k' parameter"):
        KNNBlendSearchCV(KNNPriorBlender(Counted()), grid, cv=2).fit(X, y)
    assert fits == []


@pytest.mark.parametrize("score", [None, "high", [1.0], {"a": None}])
def test_a_scorer_that_gives_no_number(clips, score):
    X, y, _ = clips
    with pytest.raises(ValueError, match="scoring must return a number"):
        KNNBlendSearchCV(
            KNNPriorBlender(LogisticRegression()), {"alpha": [0.1]}, cv=2, scoring=lambda *rest: score, refit="a"
        ).fit(X, y)
