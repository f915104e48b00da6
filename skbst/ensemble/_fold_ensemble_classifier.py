"""The models of a cross-validation as one classifier."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import column_or_1d

from skbst._folds import never_test_extra_rows
from skbst._groups import groups_for_splitter, with_groups
from skbst._proba import columns_seen
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
from skbst.ensemble._decoding import DECODINGS, decode_proba
from skbst.ensemble._hierarchical_prediction import HierarchicalPredictionMixin
from skbst.ensemble._members import check_member, combine_log_proba, member_log_proba
from skbst.ensemble._out_of_fold import fit_on_folds, mean_over_tests
from skbst.metrics import hierarchical_f1_score
from skbst.neighbors import decision_scores
from skbst.taxonomy import Taxonomy

__all__ = ["FoldEnsembleClassifier"]


class FoldEnsembleClassifier(
    HierarchicalPredictionMixin, VersionedMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """Fit one clone per fold and average them.

    Each clone is trained on the training part of a fold. New clips get the average of all clones; training clips have
    out-of-fold predictions, which say how good one clone is on clips that it has not seen.

    Parameters
    ----------
    estimator : classifier
        Has ``predict_proba``; cloned for each fold.

    cv : int, splitter or iterable, default=None
        Folds; None is five, stratified, in the order of the rows. `skbst.model_selection.OfficialKFold` gives the
        challenge's.

    voting : {"logit", "soft"}, default="logit"
        Average log-probabilities (for networks: logits up to a constant per row) or probabilities.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    decode : {"leaf", "top-down", "expected-credit"}, default="leaf"
        How a class is chosen, as in `decode_proba`.

    top_weight : float in [0, 2], default=0.75
        Twice the credit of a right top level, for ``decode="expected-credit"`` and the scores.

    min_proba : float in (0, 0.1], default=1e-12
        Least probability of a clone.

    n_jobs : int, default=None
        Folds are fitted in parallel; the result does not depend on it.

    random_state : int, RandomState or None, default=None
        Seeds each clone differently; None leaves the estimator's own ``random_state``.

    verbose : int, default=0
        1 shows a bar over the folds.

    Attributes
    ----------
    estimators_ : list of classifiers
        One per fold.

    classes_ : ndarray of shape (n_classes,)
        Class labels.

    taxonomy_ : Taxonomy
        The tree cut down to ``classes_``, in their order.

    top_classes_ : ndarray of shape (n_top_classes,)
        Top-level codes.

    test_rows_ : list of ndarray of int
        Rows that each fold has tested.

    oof_rows_ : ndarray of shape (n_tested,), int
        Rows that some fold has tested: all but extra data.

    oof_proba_ : ndarray of shape (n_tested, n_classes), float64
        Their out-of-fold probabilities. A row that several folds test has their average.

    oof_predictions_ : ndarray of shape (n_tested,)
        Class labels chosen from them.

    oof_score_ : float
        hF of the out-of-fold predictions.

    fold_scores_ : ndarray of shape (n_folds,), float64
        hF of each clone on its test rows.

    n_features_in_ : int
        Number of features, where the clones know it.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of a table, where the clones know them.

    References
    ----------
    Report, section 3.3: System 3 averages the models of five folds.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbst.ensemble import FoldEnsembleClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> ensemble = FoldEnsembleClassifier(LogisticRegression(max_iter=500), cv=5).fit(X, y)
    >>> len(ensemble.estimators_), round(ensemble.oof_score_, 3)
    (5, 0.973)
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit"])],
        "cv": ["cv_object"],
        "voting": [StrOptions({"logit", "soft"})],
        "taxonomy": [Taxonomy, None],
        "decode": [StrOptions(set(DECODINGS))],
        "top_weight": [Interval(Real, 0, 2, closed="both")],
        "min_proba": [Interval(Real, 0, 0.1, closed="right")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator,
        *,
        cv=None,
        voting="logit",
        taxonomy=None,
        decode="leaf",
        top_weight=0.75,
        min_proba=1e-12,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.cv = cv
        self.voting = voting
        self.taxonomy = taxonomy
        self.decode = decode
        self.top_weight = top_weight
        self.min_proba = min_proba
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, **params):
        """Fit a clone on the training part of each fold.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Training clips.

        y : array-like of shape (n_samples,)
            Class labels.

        **params : dict
            ``groups`` go to the splitter and, like all others, to the ``fit`` of the clones, cut to their rows: to
            every part that takes groups; missing ones (None, NaN, pd.NA or "") are nobody's. Rows of ``train_only``,
            a mask of extra rows, are trained on and never tested, whatever the folds. With metadata routing, to
            whoever has requested them.

        Returns
        -------
        self : FoldEnsembleClassifier
            Fitted.
        """
        check_member("estimator", self.estimator, self.voting)
        X, y = indexable(X, y)
        y = column_or_1d(y, warn=True)
        check_class_labels(y)
        groups = params.get("groups")
        split_params, fit_params = self._route(params)
        self.classes_ = np.unique(y)
        self._learn_taxonomy()
        splits = list(check_cv(self.cv, y, classifier=True).split(X, y, **split_params))
        splits = never_test_extra_rows(splits, fit_params, groups)
        tasks = [(estimator, fit_params, *split) for estimator, split in zip(self._clones(len(splits)), splits)]
        fitted = fit_on_folds(tasks, X, y, self.classes_, self.min_proba, n_jobs=self.n_jobs, verbose=self.verbose)
        self.estimators_ = [estimator for estimator, _ in fitted]
        self.test_rows_ = [test for _, test in splits]
        self._score_out_of_fold([answer for _, answer in fitted], y)
        vars(self).update(columns_seen(self.estimators_[0]))
        return self

    def predict_proba(self, X):
        """Average probabilities of the clones.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
            In the order of ``classes_``; rows sum to 1.
        """
        check_is_fitted(self)
        return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X):
        """Logarithms of `predict_proba`; with ``voting="logit"`` the mean logits up to a constant per row."""
        check_is_fitted(self)
        answers = [
            member_log_proba(estimator, X, self.classes_, min_proba=self.min_proba) for estimator in self.estimators_
        ]
        return combine_log_proba(answers, voting=self.voting)

    def decision_function(self, X):
        """Log-probabilities (n_samples, n_classes); with two classes their difference (n_samples,)."""
        check_is_fitted(self)
        return decision_scores(self.predict_proba(X))

    def get_metadata_routing(self):
        """Get metadata routing: to the splitter's ``split`` and the clones' ``fit``."""
        return (
            MetadataRouter(owner=self)
            .add(splitter=check_cv(self.cv), method_mapping=MethodMapping().add(caller="fit", callee="split"))
            .add(estimator=self.estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit"))
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        return tags

    def _route(self, params):
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "fit", **params)
            return routed["splitter"]["split"], routed["estimator"]["fit"]
        groups = params.pop("groups", None)
        return {"groups": groups_for_splitter(groups)}, with_groups(self.estimator, groups, params)

    def _clones(self, n_folds):
        clones = [clone(self.estimator) for _ in range(n_folds)]
        if self.random_state is not None:
            rng = check_random_state(self.random_state)
            for estimator in clones:
                _set_random_states(estimator, rng)
        return clones

    def _score_out_of_fold(self, answers, y):
        self.oof_rows_ = np.unique(np.concatenate(self.test_rows_))
        log_proba = mean_over_tests(answers, self.test_rows_, len(y), len(self.classes_), voting=self.voting)
        self.oof_proba_ = np.exp(log_proba[self.oof_rows_])
        self.oof_predictions_ = self._choose(self.oof_proba_)
        self.oof_score_ = self._hf(y[self.oof_rows_], self.oof_predictions_)
        self.fold_scores_ = np.array(
            [self._hf(y[test], self._choose(np.exp(answer))) for answer, test in zip(answers, self.test_rows_)]
        )

    def _choose(self, proba):
        parent = self.taxonomy_.parent_of_leaf
        return self.classes_[decode_proba(proba, parent, decode=self.decode, top_weight=self.top_weight)]

    def _hf(self, y, predictions):
        return hierarchical_f1_score(y, predictions, taxonomy=self.taxonomy_, top_weight=self.top_weight)
