"""A voting classifier whose members know the tree."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.ensemble import VotingClassifier
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d

from skbst._sklearn import (
    Interval,
    StrOptions,
    _check_feature_names_in,
    _fit_context,
    check_class_labels,
    check_is_fitted,
)
from skbst._versioned import VersionedMixin
from skbst.ensemble._decoding import DECODINGS
from skbst.ensemble._fit_members import fit_members, params_of_members
from skbst.ensemble._hierarchical_prediction import HierarchicalPredictionMixin
from skbst.ensemble._members import check_member, combine_log_proba, hard_shares, member_log_proba, member_votes
from skbst.ensemble._out_of_fold import out_of_fold_log_proba
from skbst.ensemble._weight_search import search_weights
from skbst.neighbors import decision_scores
from skbst.taxonomy import Taxonomy

__all__ = ["HierarchicalVotingClassifier"]


def _votes_by_proba(self):
    if self.voting == "hard":
        raise AttributeError(f"predict_proba is not available when voting={self.voting!r}")
    return True


class HierarchicalVotingClassifier(HierarchicalPredictionMixin, VersionedMixin, VotingClassifier):
    """Average classifiers and decide on the tree.

    As scikit-learn's `VotingClassifier`, with three differences. Members are fitted on the class codes themselves, not
    on integers, so that each of them finds its place in the tree (``BranchClassifier(head="lcl")``), and so that frozen
    members trained elsewhere fit in. The default is the report's: weighted logits are averaged. One decision gives
    both levels.

    Parameters
    ----------
    estimators : list of (str, classifier)
        The members: networks, scikit-learn classifiers, pipelines, frozen ones; ``"drop"`` leaves one out. A member
        that needs other blocks of a bundle is a ``Pipeline([BlockSelector(...), classifier])``. A member whose
        probabilities of a row are all 0 abstains there: `ClassPriorClassifier`, where nothing is known.

    voting : {"logit", "soft", "hard"}, default="logit"
        Average log-probabilities (for networks: logits up to a constant per row), average probabilities, or count
        votes.

    weights : array-like of shape (n_members,), default=None
        One per entry of ``estimators``, not negative; only their ratios count. `search_weights` proposes some.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    decode : {"leaf", "top-down", "expected-credit"}, default="leaf"
        How a class is chosen, as in `decode_proba`.

    top_weight : float in [0, 2], default=0.75
        Twice the credit of a right top level, for ``decode="expected-credit"``.

    min_proba : float in (0, 0.1], default=1e-12
        Least probability of a member, so that none can rule a class out for all (a forest says 0 easily).

    n_jobs : int, default=None
        Members are fitted in parallel.

    flatten_transform : bool, default=True
        Shape of `transform`: (n_samples, n_members * n_classes), or (n_members, n_samples, n_classes).

    verbose : bool, default=False
        Whether the time of each fit is printed.

    Attributes
    ----------
    estimators_ : list of classifiers
        The fitted members, without dropped ones.

    named_estimators_ : Bunch
        The same by name.

    classes_ : ndarray of shape (n_classes,)
        Class labels.

    taxonomy_ : Taxonomy
        The tree cut down to ``classes_``, in their order.

    top_classes_ : ndarray of shape (n_top_classes,)
        Top-level codes.

    le_ : LabelEncoder
        Positions of the labels.

    n_features_in_ : int
        Number of features, where the first member knows it.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of a table, where the first member knows them.

    References
    ----------
    Report, section 3.3: Systems 2 to 4 average the logits of several models with weights.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skbst.ensemble import HierarchicalVotingClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> members = [("linear", LogisticRegression(max_iter=500)), ("bayes", GaussianNB())]
    >>> voting = HierarchicalVotingClassifier(members, weights=[0.7, 0.3]).fit(X, y)
    >>> voting.predict_proba(X[70:71]).round(2)
    array([[0.  , 0.34, 0.66]])
    """

    _parameter_constraints: ClassVar[dict] = {
        **VotingClassifier._parameter_constraints,
        "voting": [StrOptions({"logit", "soft", "hard"})],
        "taxonomy": [Taxonomy, None],
        "decode": [StrOptions(set(DECODINGS))],
        "top_weight": [Interval(Real, 0, 2, closed="both")],
        "min_proba": [Interval(Real, 0, 0.1, closed="right")],
        "n_jobs": [None, Integral],
    }

    def __init__(
        self,
        estimators,
        *,
        voting="logit",
        weights=None,
        taxonomy=None,
        decode="leaf",
        top_weight=0.75,
        min_proba=1e-12,
        n_jobs=None,
        flatten_transform=True,
        verbose=False,
    ):
        super().__init__(
            estimators,
            voting=voting,
            weights=weights,
            n_jobs=n_jobs,
            flatten_transform=flatten_transform,
            verbose=verbose,
        )
        self.taxonomy = taxonomy
        self.decode = decode
        self.top_weight = top_weight
        self.min_proba = min_proba

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, groups=None, **fit_params):
        """Fit the members on the class codes.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Training clips.

        y : array-like of shape (n_samples,)
            Class labels.

        groups : array-like of shape (n_samples,), default=None
            Uploader of each row, for the members and their parts whose ``fit`` takes groups; missing ones (None, NaN,
            pd.NA or "") are nobody's. With metadata routing, for those that have requested them.

        **fit_params : dict
            ``sample_weight``, ``train_only`` and whatever else is given goes to all members; with metadata routing,
            each gets what it has requested.

        Returns
        -------
        self : HierarchicalVotingClassifier
            Fitted.
        """
        y = column_or_1d(y, warn=True)
        check_class_labels(y)
        self._check_weights()
        self._validate_estimators()
        names, members = self._kept()
        for name, member in zip(names, members):
            check_member(name, member, self.voting)
        params = params_of_members(self, names, members, fit_params, groups)
        self.le_ = LabelEncoder().fit(y)
        self.classes_ = self.le_.classes_
        self._learn_taxonomy()
        # not VotingClassifier.fit, which hands integers to the members and leaves out what is no sample_weight
        messages = [self._log_message(name, i + 1, len(names)) for i, name in enumerate(names)]
        self.estimators_ = fit_members(members, X, y, params, n_jobs=self.n_jobs, messages=messages)
        self.named_estimators_ = Bunch(**dict(self.estimators) | dict(self._active()))
        if hasattr(self.estimators_[0], "feature_names_in_"):
            self.feature_names_in_ = self.estimators_[0].feature_names_in_
        return self

    @available_if(_votes_by_proba)
    def predict_proba(self, X):
        """Probabilities of the ensemble.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
            In the order of ``classes_``; rows sum to 1.
        """
        return np.exp(self.predict_log_proba(X))

    @available_if(_votes_by_proba)
    def predict_log_proba(self, X):
        """Logarithms of `predict_proba`; with ``voting="logit"`` the weighted logits up to a constant per row."""
        check_is_fitted(self)
        return combine_log_proba(self._log_probas(X), self._weights_not_none, voting=self.voting)

    @available_if(_votes_by_proba)
    def decision_function(self, X):
        """Log-probabilities (n_samples, n_classes); with two classes their difference (n_samples,)."""
        check_is_fitted(self)
        return decision_scores(self.predict_proba(X))

    def transform(self, X):
        """Return what each member says.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        Returns
        -------
        answers : ndarray
            Log-probabilities ("logit") or probabilities ("soft") of shape (n_samples, n_members * n_classes), or
            (n_members, n_samples, n_classes) without ``flatten_transform``; positions in ``classes_`` of the votes,
            (n_samples, n_members), for "hard".
        """
        check_is_fitted(self)
        if self.voting == "hard":
            return self._votes(X)
        answers = self._log_probas(X) if self.voting == "logit" else np.exp(self._log_probas(X))
        return np.hstack(answers) if self.flatten_transform else answers

    def get_feature_names_out(self, input_features=None):
        """Names of the columns of `transform`.

        Parameters
        ----------
        input_features : None
            Not used.

        Returns
        -------
        names : ndarray of str, object
        """
        check_is_fitted(self)
        if self.voting != "hard" and not self.flatten_transform:
            raise ValueError("get_feature_names_out needs flatten_transform=True, or voting='hard'.")
        if hasattr(self, "n_features_in_"):
            _check_feature_names_in(self, input_features, generate_names=False)
        prefix = type(self).__name__.lower()
        names = [f"{prefix}_{name}" for name in self._kept()[0]]
        if self.voting != "hard":
            names = [f"{name}_{label}" for name in names for label in self.classes_]
        return np.asarray(names, dtype=object)

    def search_weights(self, X, y, *, cv=None, groups=None, **options):
        """Propose weights from out-of-fold predictions, and say how far they can be trusted.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Training clips.

        y : array-like of shape (n_samples,)
            Class labels.

        cv : int, splitter or iterable, default=None
            Folds; the members are fitted on each training part.

        groups : array-like of shape (n_samples,), default=None
            Uploader of each row, for the splitter and for the members and their parts whose ``fit`` takes groups.

        **options
            ``step``, ``n_bootstrap``, ``zero_division`` ... of `skbst.ensemble.search_weights`.

        Returns
        -------
        result : WeightSearchResult
            ``result.weights`` is for ``set_params(weights=...)``; nothing is set here.
        """
        names, members = self._kept()
        found = out_of_fold_log_proba(
            members, X, y, cv=cv, groups=groups, min_proba=self.min_proba, n_jobs=self.n_jobs, verbose=self.verbose
        )
        options = {"voting": "soft" if self.voting == "soft" else "logit", "decode": self.decode, **options}
        return search_weights(
            found.log_proba,
            found.y,
            classes=found.classes,
            taxonomy=self.taxonomy,
            folds=found.folds,
            names=names,
            top_weight=self.top_weight,
            **options,
        )

    def _leaf_shares(self, X):
        if self.voting != "hard":
            return self.predict_proba(X)
        return hard_shares(self._votes(X), len(self.classes_), self._weights_not_none)

    def _check_weights(self):
        if self.weights is None:
            return
        if len(self.weights) != len(self.estimators):
            raise ValueError(
                f"Number of `estimators` and weights must be equal; got {len(self.weights)} weights, "
                f"{len(self.estimators)} estimators"
            )
        kept = np.asarray(self._weights_not_none, dtype=np.float64)
        if (kept < 0).any() or not np.isfinite(kept).all() or kept.sum() == 0:
            raise ValueError(f"weights must be finite, not negative and not all 0; got {list(self.weights)}.")

    def _kept(self):
        """Names and members without dropped ones."""
        return tuple(zip(*((name, member) for name, member in self.estimators if not isinstance(member, str))))

    def _active(self):
        return zip(self._kept()[0], self.estimators_)

    def _votes(self, X):
        return np.column_stack([member_votes(name, member, X, self.classes_) for name, member in self._active()])

    def _log_probas(self, X):
        return np.stack(
            [member_log_proba(member, X, self.classes_, min_proba=self.min_proba) for member in self.estimators_]
        )
