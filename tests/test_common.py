"""One contract for every public estimator: scikit-learn's checks, and ours."""

import importlib
import inspect
import pickle
import pkgutil
import re
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.estimator_checks import parametrize_with_checks

import skbst
import skbst._versioned as versioned
from skbst.conformal import HierarchicalConformalClassifier
from skbst.curation import LabelAudit
from skbst.datasets import load_bsd, make_bst_clips
from skbst.ensemble import (
    ClassPriorClassifier,
    FoldEnsembleClassifier,
    HierarchicalDecoder,
    HierarchicalVotingClassifier,
)
from skbst.exceptions import UnsafeModelError, VersionMismatchWarning
from skbst.features import (
    AudioStatisticsFeaturizer,
    BlockSelector,
    ClapAudioFeaturizer,
    ClapTextFeaturizer,
    ClapZeroShotClassifier,
    ClassPriorFeaturizer,
    ClipFeaturizer,
    FeatureBundle,
    LLMPriorFeaturizer,
    LogMelFeaturizer,
    LogSTFTFeaturizer,
    MFCCFeaturizer,
    PrecomputedFeaturizer,
    SentenceTransformerFeaturizer,
    ShippedEmbeddingFeaturizer,
    TagRules,
    TextLSAFeaturizer,
    TransformersAudioFeaturizer,
)
from skbst.model_selection import KNNBlendSearchCV
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier, KNNDistillationClassifier, Recipe
from skbst.persistence import load_model, save_model
from skbst.sampling import MetadataQualitySampler, TeacherAgreementSampler, UploaderCapSampler
from skbst.systems import SystemPipeline
from skbst.taxonomy import taxonomy_of
from skbst.text import MetadataCleaner

METHODS = (
    "transform",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "predict_top",
    "predict_top_proba",
    "predict_set",
    "predict_node",
    "embed",
)


class AnyLength(ClapZeroShotClassifier):
    """Prompts become random vectors as long as the rows of `X`, which the checks choose."""

    def _embed_classes(self, prompts):
        seeds = [zlib.crc32("".join(group).encode()) for group in prompts]
        vectors = np.stack([np.random.default_rng(seed).normal(size=self.n_features_in_) for seed in seeds])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class AnswerAnimals:
    """What a language model may say; a function's address in the names of tests would differ between workers."""

    def __call__(self, prompt):
        return '[{"label": "fx-a", "probability": 1.0}]'

    def __repr__(self):
        return "answer_animals"

    def __deepcopy__(self, memo):
        return self  # as a function does


@dataclass(frozen=True)
class Instance:
    """A small estimator, and which of the fixture `rows` it is fitted on; with `checks` it passes scikit-learn's."""

    estimator: BaseEstimator
    rows: str = "vectors"
    checks: bool = True
    # what the folder without pickle refuses to hold
    foreign: str = ""


def make_instances():
    """At least one instance of each public estimator."""
    linear, bayes = LogisticRegression(C=1), GaussianNB()
    members = [("linear", linear), ("bayes", bayes)]
    network = BranchClassifier(size="small", recipe="small", max_epochs=12, batch_size=128, lr=1e-2)
    clap = {"backend": "transformers", "n_jobs": 1}
    return [
        Instance(HierarchicalVotingClassifier(members), "table"),
        Instance(
            HierarchicalVotingClassifier([("tree", DecisionTreeClassifier(random_state=0)), members[0]], voting="hard"),
            foreign="Tree",
        ),
        Instance(FoldEnsembleClassifier(linear, cv=3), "table"),
        Instance(HierarchicalDecoder(linear), "table"),
        # its rows are distributions, which scikit-learn's checks do not draw
        Instance(ClassPriorClassifier(), "prior", checks=False),
        Instance(HierarchicalConformalClassifier(linear, cv=3), "table"),
        Instance(HierarchicalConformalClassifier(bayes, cv=3, condition="class", confidence_level=0.75)),
        # its floor names a class, which scikit-learn's checks do not have
        Instance(HierarchicalConformalClassifier(linear, cv=3, recall_floor={"fx-a": 0.9}), "table", checks=False),
        # it ranks the rows of fit and answers no others, which scikit-learn's checks ask of every estimator
        Instance(LabelAudit(linear, cv=3), "table", checks=False),
        Instance(AudioStatisticsFeaturizer(), "clips"),
        Instance(BlockSelector(), "table"),
        Instance(BlockSelector(["audio", "text"]), "bundle", checks=False),
        Instance(ClapAudioFeaturizer(**clap), "clips"),
        Instance(ClapTextFeaturizer(**clap), "clips"),
        Instance(AnyLength(), "table", foreign="AnyLength"),
        Instance(ClipFeaturizer([("audio", PrecomputedFeaturizer()), ("text", BlockSelector())]), "table"),
        Instance(
            ClipFeaturizer([("text", TextLSAFeaturizer()), ("mfcc", MFCCFeaturizer(duration=0.1))]),
            "clips",
            checks=False,
        ),
        Instance(LogSTFTFeaturizer(duration=0.05), "clips"),
        Instance(LogMelFeaturizer(duration=0.05), "clips"),
        Instance(MFCCFeaturizer(), "waveforms"),
        Instance(PrecomputedFeaturizer(), "table"),
        Instance(ShippedEmbeddingFeaturizer(), "clips"),
        Instance(TextLSAFeaturizer(), "clips"),
        Instance(SentenceTransformerFeaturizer("minilm", n_jobs=1), "clips"),
        Instance(ClassPriorFeaturizer(TagRules()), "clips"),
        Instance(LLMPriorFeaturizer(AnswerAnimals()), "clips", foreign="AnswerAnimals"),
        Instance(TagRules(), "clips"),
        Instance(TransformersAudioFeaturizer("tiny", n_jobs=1), "clips"),
        # as scikit-learn's own searches are checked: an error of a fit is the search's
        Instance(
            KNNBlendSearchCV(KNNPriorBlender(linear), {"alpha": [0.0, 0.4], "k": [3, 5]}, cv=2, error_score="raise"),
            "table",
        ),
        Instance(KNNPriorBlender(linear), "table"),
        # as any Pipeline it fits its steps in place, which scikit-learn's checks forbid
        Instance(
            SystemPipeline([("scale", StandardScaler()), ("classifier", KNNPriorBlender(linear))]),
            "table",
            checks=False,
        ),
        Instance(KNNPriorBlender(linear, alpha=1.0, k=3, temperature=0.5)),
        Instance(network),
        Instance(BranchClassifier("mfcc", "lcl", size="small", max_epochs=2), "bundle", checks=False),
        # epochs of its folds, then everything: what it learns of them is an attribute that others lack
        Instance(BranchClassifier(size="small", recipe=Recipe(refit=True), max_epochs=3), "bundle", checks=False),
        Instance(KNNDistillationClassifier(network, teacher=bayes)),
        Instance(MetadataQualitySampler(), "clips"),
        Instance(TeacherAgreementSampler(cv=2), "table"),
        Instance(UploaderCapSampler(cap=3), "clips"),
        Instance(MetadataCleaner(), "clips"),
        Instance(MetadataCleaner("title+tags"), "clips"),
    ]


def public_estimators():
    """The estimators that the public sub-packages name in `__all__`."""
    found = set()
    for module in pkgutil.iter_modules(skbst.__path__):
        if not module.name.startswith("_"):
            package = importlib.import_module(f"skbst.{module.name}")
            found |= {getattr(package, name) for name in getattr(package, "__all__", ())}
    classes = [
        item for item in found if inspect.isclass(item) and issubclass(item, BaseEstimator) and hasattr(item, "fit")
    ]
    return sorted(classes, key=lambda cls: cls.__name__)


INSTANCES = make_instances()
ESTIMATORS = public_estimators()
each_class = pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
each_instance = pytest.mark.parametrize(
    "instance",
    INSTANCES,
    ids=[f"{type(item.estimator).__name__}-{item.rows}-{number}" for number, item in enumerate(INSTANCES)],
)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Rows and labels of every kind that estimators take, by name."""
    rng = np.random.default_rng(0)
    y = np.array(["fx-a", "m-sp", "ss-n"])[np.arange(48) % 3]
    vectors = (rng.standard_normal((48, 6)) + 2 * np.eye(3, 6)[np.arange(48) % 3]).astype(np.float32)
    root = tmp_path_factory.mktemp("clips")
    options = {"n_clips": 12, "max_duration": 0.2, "n_empty_files": 0, "label_noise": 0, "random_state": 0}
    clips = load_bsd(make_bst_clips(root, with_embeddings=True, sample_rate=16000, **options))
    return {
        "vectors": (vectors, y),
        "table": (pd.DataFrame(vectors, columns=list("abcdef")), y),
        "waveforms": (rng.uniform(-1, 1, (6, 1600)).astype(np.float32), None),
        "clips": (clips.data, clips.target),
        "prior": (FeatureBundle({"prior": rng.dirichlet(np.ones(3), 48)}), y),
        "bundle": (
            FeatureBundle({"audio": vectors, "text": vectors[:, :4], "mfcc": rng.standard_normal((48, 20, 13))}),
            y,
        ),
    }


def ready(estimator, request):
    """A clone with a seed, and with random weights where it needs a checkpoint."""
    estimator = clone(estimator)
    if isinstance(estimator, TransformersAudioFeaturizer):
        estimator.set_params(model=request.getfixturevalue("tiny_audio_encoder"))
    if isinstance(estimator, SentenceTransformerFeaturizer):
        estimator.set_params(model=request.getfixturevalue("minilm"))
    if "checkpoint" in estimator.get_params(deep=False):
        estimator.set_params(checkpoint=str(request.getfixturevalue("tiny_clap")))
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=0)
    return estimator


@pytest.fixture(scope="module")
def fitted(rows):
    """Fits each instance once."""
    done = {}

    def fit(instance, request):
        if id(instance) not in done:
            X, y = rows[instance.rows]
            done[id(instance)] = ready(instance.estimator, request).fit(X, y)
        return done[id(instance)]

    return fit


def plain(value):
    """Type, shape and bytes of an answer."""
    if isinstance(value, FeatureBundle):
        return {name: plain(value[name]) for name in value.names}
    if isinstance(value, (pd.DataFrame, pd.Series)):
        return value.to_csv()
    value = np.asarray(value)
    content = repr(value.tolist()) if value.dtype == object else value.tobytes()
    return value.dtype.str, value.shape, content


def answers(estimator, X):
    """What a fitted estimator says about `X`, and which rows a sampler chose."""
    said = {method: plain(getattr(estimator, method)(X)) for method in METHODS if hasattr(estimator, method)}
    if hasattr(estimator, "sample_indices_"):
        said["sample_indices_"] = plain(estimator.sample_indices_)
    if hasattr(estimator, "ranking_"):
        said["ranking_"] = estimator.ranking_.to_csv()
    assert said
    return said


def documented(cls, section):
    """The names that a section of a numpydoc docstring describes."""
    text = inspect.getdoc(cls)
    body = re.search(rf"^{section}\n-+\n(.*?)(?=^\S[^\n]*\n-{{3,}}\n|\Z)", text, re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^(\w.*?)(?: : .*)?$", body[1], re.MULTILINE) if body else []
    return {name.strip() for line in lines for name in line.split(",")}


def fitted_names(estimator):
    """Names of public fitted attributes: those in the instance, and properties that have a value."""
    names = {name for name in dir(type(estimator)) if isinstance(getattr(type(estimator), name, None), property)}
    names = {name for name in names if name.endswith("_") and hasattr(estimator, name)} | set(vars(estimator))
    return {name for name in names if name.endswith("_") and not name.startswith("_")}


def parameters(cls):
    return list(inspect.signature(cls).parameters)


@each_class
def test_there_is_an_instance(cls):
    """A new public estimator belongs into `make_instances`."""
    assert any(isinstance(item.estimator, cls) for item in INSTANCES), f"{cls.__name__} has no instance in {__file__}"


@parametrize_with_checks([item.estimator for item in INSTANCES if item.checks])
def test_sklearn_checks(estimator, check, request):
    """No failure is expected."""
    estimator = (
        ready(estimator, request) if hasattr(estimator, "checkpoint") or hasattr(estimator, "model") else estimator
    )
    check(estimator)


@each_class
def test_docstring(cls):
    assert documented(cls, "Parameters") == set(parameters(cls))
    assert re.search(r"^Examples\n-+\n.*>>> ", inspect.getdoc(cls), re.MULTILINE | re.DOTALL)


@each_class
def test_init_only_stores(cls):
    values = {name: object() for name in parameters(cls)}
    assert cls(**values).get_params(deep=False) == values


@each_instance
def test_clones_and_prints_shortly(instance, fitted, request):
    """Printing needs neither weights nor a fit, and shows no fitted numbers."""
    copy = clone(instance.estimator)
    assert repr(copy) == repr(instance.estimator)
    assert copy.get_params(deep=False).keys() == instance.estimator.get_params(deep=False).keys()
    assert len(repr(copy)) < 400
    assert "checkpoint" not in repr(copy)
    model = fitted(instance, request)
    assert repr(clone(model)) == repr(model)
    assert model._repr_html_().startswith("<style")


@each_instance
def test_fitted_attributes_are_documented(instance, fitted, request):
    model = fitted(instance, request)
    cls = next(cls for cls in type(model).__mro__ if cls in ESTIMATORS)
    assert fitted_names(model) <= documented(cls, "Attributes")


@each_class
def test_documented_attributes_are_set(cls, fitted, request):
    """At least by one of the instances."""
    names = set()
    for item in INSTANCES:
        if isinstance(item.estimator, cls):
            names |= fitted_names(fitted(item, request))
    assert documented(cls, "Attributes") - names <= {"n_features_in_", "feature_names_in_"}


@each_class
def test_every_parameter_is_validated(cls, rows, request):
    instance = next(item for item in INSTANCES if isinstance(item.estimator, cls))
    X, y = rows[instance.rows]
    for name in parameters(cls):
        estimator = ready(instance.estimator, request)
        setattr(estimator, name, type("Unheard", (), {})())
        with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of {type(estimator).__name__}"):
            estimator.fit(X, y)


@each_instance
@pytest.mark.parametrize("way", ["pickle", "joblib", "deepcopy", "folder"])
def test_saved_models_answer_the_same(instance, way, rows, fitted, request, tmp_path):
    model, X = fitted(instance, request), rows[instance.rows][0]
    if way == "joblib":
        joblib.dump(model, tmp_path / "model.joblib")
        again = joblib.load(tmp_path / "model.joblib")
    elif way == "folder":
        if instance.foreign:
            with pytest.raises(UnsafeModelError, match=instance.foreign):
                save_model(model, tmp_path / "model")
            return
        again = load_model(save_model(model, tmp_path / "model"))
    else:
        again = pickle.loads(pickle.dumps(model)) if way == "pickle" else deepcopy(model)
    assert answers(again, X) == answers(model, X)
    assert fitted_names(again) == fitted_names(model)


@pytest.mark.filterwarnings("ignore::skbst.exceptions.VersionMismatchWarning")  # of its parts
@each_instance
def test_models_of_another_version_warn(instance, fitted, request, tmp_path, monkeypatch):
    name = type(instance.estimator).__name__
    joblib.dump(fitted(instance, request), tmp_path / "model.joblib")
    monkeypatch.setattr(versioned, "__version__", "99.0")
    with pytest.warns(VersionMismatchWarning, match=rf"This {name} was saved by skbst .* loaded by 99\.0"):
        joblib.load(tmp_path / "model.joblib")


@each_instance
def test_two_fits_are_the_same(instance, rows, fitted, request):
    X, y = rows[instance.rows]
    again = ready(instance.estimator, request).fit(X, y)
    assert answers(again, X) == answers(fitted(instance, request), X)


@each_instance
def test_the_top_level_is_that_of_the_class(instance, rows, fitted, request):
    """On every classifier, and sums of the second level are its probabilities (but for the GC head's own layer)."""
    if not is_classifier(instance.estimator):
        pytest.skip("no classifier")
    X, model = rows[instance.rows][0], fitted(instance, request)
    tree = taxonomy_of(model)
    assert tree.leaves.tolist() == model.classes_.tolist()
    assert model.predict_top(X).tolist() == [code.split("-")[0] for code in model.predict(X).tolist()]
    if hasattr(model, "predict_proba"):
        proba = model.predict_proba(X)
        sums = np.stack([proba[:, tree.parent_of_leaf == top].sum(axis=1) for top in range(tree.n_tops)], axis=1)
        np.testing.assert_allclose(model.predict_top_proba(X), sums, atol=1e-6)


# answering methods beside those that all share
MORE_METHODS = (
    "score",
    "kneighbors",
    "neighbour_proba",
    "proba_and_neighbours",
    "explain",
    "embed_predict_proba",
    "predict_nodes",
    "predict_p_values",
    "predict_reason",
    "answer",
    "abstains",
    "class_prior",
    "texts",
    "prompts",
    "records",
    "estimate",
    "transform_frames",
    "transform_with_problems",
)
WITHOUT_ROWS = (
    "leave_one_out_proba",
    "shared_modules",
    "get_feature_names_out",
    "get_params",
    "get_metadata_routing",
    "__sklearn_tags__",
    "__repr__",
    "_repr_html_",
)
# those that take something of their own beside the rows, or instead
ASKED_ALONE = {
    "HierarchicalConformalClassifier": {
        "predict_floor": lambda model, X, y: model.recall_floor and model.predict_floor(X, "fx-a")
    },
    "HierarchicalVotingClassifier": {
        "search_weights": lambda model, X, y: model.search_weights(X, y, cv=2, n_bootstrap=2, step=0.5)
    },
    "KNNPriorBlender": {"correct": lambda model, X, y: model.correct([0], ["ss-n"])},
    "SystemPipeline": {"correct": lambda model, X, y: model.correct([0], ["ss-n"])},
    "KNNBlendSearchCV": {"score_cells": lambda model, X, y: model.score_cells({"alpha": [0.1]})},
    "LabelAudit": {
        "score": lambda model, X, y: model.score(y),
        "answer": lambda model, X, y: model.answer([0], ["ss-n"]),
    },
}
# what changes an object is named so, and the rest that scikit-learn's bases bring asks the fitted part, which has none
CHANGING = ("fit", "set_", "partial_fit")
NOT_OURS = {"inverse_transform", "score_samples"}


def ask(model, method, X, y):
    """Call a method if the model has it, on all rows and on a few."""
    if not callable(getattr(model, method, None)):
        return
    if method in WITHOUT_ROWS:
        with suppress(AttributeError):  # a classifier at the end has no names
            getattr(model, method)()
        return
    alone = ASKED_ALONE.get(type(model).__name__, {})
    if method in alone:
        alone[method](model, X, y)
        return
    few = _safe_indexing(X, np.arange(3))
    asked = [(X, y), (few, None if y is None else _safe_indexing(y, np.arange(3)))]
    if isinstance(X, pd.DataFrame) and "audio" in X:
        asked.append((few.assign(audio="no/such/sound.wav"), asked[1][1]))
    for rows, labels in asked:
        getattr(model, method)(*((rows, labels) if method == "score" else (rows,)))


@each_class
def test_every_answering_method_is_asked(cls):
    """A new one belongs into `METHODS`, `MORE_METHODS`, `WITHOUT_ROWS` or `ASKED_ALONE`."""
    public = {name for name in dir(cls) if name[0] != "_" and callable(getattr(cls, name, None))}
    asked = {*METHODS, *MORE_METHODS, *WITHOUT_ROWS, *ASKED_ALONE.get(cls.__name__, ())}
    assert {name for name in public - asked - NOT_OURS if not name.startswith(CHANGING)} == set()


@each_instance
@pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning", "ignore:.*embedding")
def test_answers_change_nothing(instance, rows, fitted, request):
    """The pickle has the same bytes before and after each answering method."""
    X, y = rows[instance.rows]
    model = fitted(instance, request)
    for method in (*METHODS, *MORE_METHODS, *WITHOUT_ROWS, *ASKED_ALONE.get(type(model).__name__, ())):
        before = pickle.dumps(model)
        ask(model, method, X, y)
        assert pickle.dumps(model) == before, f"{type(model).__name__}.{method} changes the fitted object"


@each_instance
def test_eight_threads_answer_as_one(instance, rows, fitted, request, tmp_path):
    """A fresh model, an unpickled one and a loaded one."""
    X, _ = rows[instance.rows]
    models = [fitted(instance, request), pickle.loads(pickle.dumps(fitted(instance, request)))]
    if not instance.foreign:
        models.append(load_model(save_model(models[0], tmp_path / "model")))
    for model in models:
        alone = answers(model, X)
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda _, model=model: answers(model, X), range(8)))
        assert all(answer == alone for answer in together)
