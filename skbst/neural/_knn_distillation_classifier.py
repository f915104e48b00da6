"""Neighbours as teachers: a student network trained on the labels of similar clips."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, column_or_1d, has_fit_parameter

from skbst._groups import read_groups, with_groups
from skbst._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
    _set_random_states,
    check_class_labels,
    check_is_fitted,
)
from skbst._versioned import VersionedMixin
from skbst.neighbors import counted_rows, fit_with_bank, leave_one_out_prior
from skbst.neural._branch_classifier import BranchClassifier
from skbst.taxonomy import TopLevelMixin, taxonomy_of

__all__ = ["KNNDistillationClassifier"]


def _student_has(name):
    def check(self):
        getattr(getattr(self, "student_", self._student()), name)
        return True

    return check


class KNNDistillationClassifier(
    TopLevelMixin, VersionedMixin, CallbackSupportMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    r"""Train a network on its labels and on the labels of each clip's neighbours.

    A teacher is fitted and gives the features by which neighbours are found in the training set. The labels of each
    row's neighbours, **the row itself left out**, are its target distribution; a student of the same architecture
    learns from both:

    .. math:: L = L_{CE} + \lambda\, D_{KL}(p_{neighbour} \,\|\, p_{student})

    With the row itself in, its own label would come back as the strongest part of its target.

    Parameters
    ----------
    estimator : classifier, default=None
        The student, and the teacher where none is given. Its ``fit`` takes ``soft_targets``; None is
        ``BranchClassifier()``.

    k : int, default=10
        Number of neighbours.

    temperature : float, default=0.1
        Divisor of the cosines before the softmax.

    distillation_weight : float or None, default=1.0
        The weight (lambda) of the divergence, set on the student; None leaves the student's own.

    teacher : classifier, default=None
        Gives the embeddings by its ``embed``; None fits a clone of ``estimator`` on the labels alone. A
        `FrozenEstimator` saves that fit, but one that has seen a test fold leaks it.

    embedding, blocks : str, or list of str, default="auto"
        What neighbours are found by, as in `skbst.neighbors.KNNPriorBlender`.

    exclude_own_group : bool, default=False
        Whether a clip's whole group (its uploader) is left out of its neighbours; needs ``groups`` in ``fit``.

    random_state : int, RandomState or None, default=None
        Seeds teacher and student; None leaves their own ``random_state``.

    Attributes
    ----------
    student_ : classifier
        The fitted student, which makes all predictions. The teacher is not kept.

    classes_ : ndarray of shape (n_classes,)
        Class labels.

    top_classes_ : ndarray of shape (n_top_classes,)
        Top-level codes, the columns of `predict_top_proba`.

    neighbour_targets_ : ndarray of shape (n_samples, n_classes), float32
        Target distribution of each training row, columns in the order of ``np.unique(y)``. A row without any
        neighbour, or of weight 0, has zeros: it is trained on its label alone.

    n_features_in_ : int
        Number of features, where the student knows it.

    References
    ----------
    Report, section 2.3, equation 7. Z. Yang, R. Sun, X. Wan, "Nearest neighbor knowledge distillation for neural
    machine translation", NAACL 2022.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skbst.neural import BranchClassifier, KNNDistillationClassifier
    >>> X, y = make_blobs(90, centers=3, random_state=0)
    >>> network = BranchClassifier(size="small", max_epochs=5, random_state=0)
    >>> student = KNNDistillationClassifier(network, k=5).fit(X, y)
    >>> student.neighbour_targets_.shape
    (90, 3)
    """

    # under metadata routing groups come without being asked for
    __metadata_request__fit: ClassVar = {"groups": True}

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit"]), None],
        "k": [Interval(Integral, 1, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "distillation_weight": [Interval(Real, 0, None, closed="left"), None],
        "teacher": [HasMethods(["fit"]), None],
        "embedding": [StrOptions({"auto", "model", "blocks", "both"})],
        "blocks": [StrOptions({"auto"}), list, tuple],
        "exclude_own_group": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        k=10,
        temperature=0.1,
        distillation_weight=1.0,
        teacher=None,
        embedding="auto",
        blocks="auto",
        exclude_own_group=False,
        random_state=None,
    ):
        self.estimator = estimator
        self.k = k
        self.temperature = temperature
        self.distillation_weight = distillation_weight
        self.teacher = teacher
        self.embedding = embedding
        self.blocks = blocks
        self.exclude_own_group = exclude_own_group
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, groups=None, **fit_params):
        """Fit the teacher, look up the neighbours, and fit the student.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Training clips.

        y : array-like of shape (n_samples,)
            Class labels.

        groups : array-like of shape (n_samples,), default=None
            Uploader of each row, for ``exclude_own_group``, and for teacher and student and their parts whose ``fit``
            takes groups; a missing value (None, NaN, pd.NA or "") is nobody's.

        **fit_params : dict
            Go to the ``fit`` of teacher and student; with metadata routing, to whoever has requested them.

        Returns
        -------
        self : KNNDistillationClassifier
            Fitted.
        """
        teacher, student = self._make_members()
        if self.exclude_own_group and groups is None:
            raise ValueError("exclude_own_group=True needs groups; pass fit(X, y, groups=uploaders).")
        y = column_or_1d(y, warn=True)
        check_class_labels(y)
        check_consistent_length(X, y, groups)
        teacher_params, student_params = self._route(groups, fit_params)
        counts = counted_rows(y, student_params.get("sample_weight"))
        context = self._init_callback_context(max_subtasks=2).call_on_fit_task_begin(estimator=self, X=X, y=y)
        _, bank, _ = fit_with_bank(
            teacher,
            X,
            y,
            teacher_params,
            embedding=self.embedding,
            blocks=self.blocks,
            context=context.subcontext(task_name="fit-teacher"),
        )
        self.neighbour_targets_ = self._targets(bank, y, groups, counts)
        with context.subcontext(task_name="fit-student").propagate_callback_context(student):
            self.student_ = student.fit(X, y, **student_params, soft_targets=self.neighbour_targets_)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(student, name):
                setattr(self, name, getattr(student, name))
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    @property
    def classes_(self):
        """Class labels, ndarray of shape (n_classes,)."""
        return self.student_.classes_

    @property
    def top_classes_(self):
        """Top-level codes, the columns of `predict_top_proba`."""
        check_is_fitted(self)
        return taxonomy_of(self).tops

    def predict(self, X):
        """Predict the class of each row of `X` by the student, ndarray of shape (n_samples,)."""
        check_is_fitted(self)
        return self.student_.predict(X)

    @available_if(_student_has("predict_proba"))
    def predict_proba(self, X):
        """Probabilities of the student, ndarray of shape (n_samples, n_classes), in the order of ``classes_``."""
        check_is_fitted(self)
        return self.student_.predict_proba(X)

    @available_if(_student_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Log-probabilities of the student, ndarray of shape (n_samples, n_classes)."""
        check_is_fitted(self)
        return self.student_.predict_log_proba(X)

    @available_if(_student_has("decision_function"))
    def decision_function(self, X):
        """Logits of the student, (n_samples, n_classes), or (n_samples,) with two classes."""
        check_is_fitted(self)
        return self.student_.decision_function(X)

    @available_if(_student_has("predict_top_proba"))
    def predict_top_proba(self, X):
        """Top-level probabilities of the student, ndarray of shape (n_samples, n_top_classes)."""
        check_is_fitted(self)
        return self.student_.predict_top_proba(X)

    @available_if(_student_has("embed"))
    def embed(self, X):
        """Features of the student, ndarray of shape (n_samples, n_embedding), float32."""
        check_is_fitted(self)
        return self.student_.embed(X)

    @available_if(_student_has("embed_predict_proba"))
    def embed_predict_proba(self, X):
        """Features and probabilities of the student, in one pass."""
        check_is_fitted(self)
        return self.student_.embed_predict_proba(X)

    def get_metadata_routing(self):
        """Get metadata routing: ``groups`` are used here; teacher and student may request more for their fit."""
        mapping = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(estimator=self._student(), method_mapping=mapping)
        if self.teacher is not None:
            router.add(teacher=self.teacher, method_mapping=mapping)
        return router

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags

    def _student(self):
        return BranchClassifier() if self.estimator is None else self.estimator

    def _make_members(self):
        student = clone(self._student())
        if not has_fit_parameter(student, "soft_targets"):
            raise ValueError(
                f"KNNDistillationClassifier needs an estimator whose fit takes soft_targets; that of "
                f"{type(student).__name__} does not. Take BranchClassifier, and put a Pipeline around the "
                "KNNDistillationClassifier, not inside it."
            )
        if self.distillation_weight is not None and "distillation_weight" in student.get_params(deep=False):
            student.set_params(distillation_weight=self.distillation_weight)
        teacher = clone(self._student() if self.teacher is None else self.teacher)
        if self.random_state is not None:
            rng = check_random_state(self.random_state)
            for member in (teacher, student):
                _set_random_states(member, rng)
        return teacher, student

    def _route(self, groups, fit_params):
        if not get_config()["enable_metadata_routing"]:
            teacher = self.estimator if self.teacher is None else self.teacher
            return with_groups(teacher, groups, fit_params), with_groups(self._student(), groups, fit_params)
        own = {} if groups is None else {"groups": groups}
        routed = process_routing(self, "fit", **own, **fit_params)
        return routed["estimator" if self.teacher is None else "teacher"]["fit"], routed["estimator"]["fit"]

    def _targets(self, bank, y, groups, counts):
        classes, labels = np.unique(y, return_inverse=True)
        targets = np.zeros((len(y), len(classes)), dtype=np.float32)
        targets[counts] = leave_one_out_prior(
            bank[counts],
            labels[counts],
            len(classes),
            k=self.k,
            temperature=self.temperature,
            groups=read_groups(groups)[counts] if self.exclude_own_group else None,
        )
        return targets
