"""A classifier whose answers come with a promise: sets of classes, or the deepest node that can be vouched for."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import column_or_1d

from skbst._folds import aligned_proba, fold_rows
from skbst._groups import own_group_codes, read_groups
from skbst._proba import check_has_proba, columns_seen
from skbst._sklearn import HasMethods, Interval, StrOptions, _fit_context, check_class_labels, check_is_fitted
from skbst._versioned import VersionedMixin
from skbst.conformal._calibration import calibrate
from skbst.conformal._fit_checks import checked_floors, known_floor, label_positions, routed_params, seeded_clone
from skbst.conformal._nodes import UNKNOWN, node_answers, node_cover, node_reasons
from skbst.conformal._sets import class_p_values, lac_scores, prediction_sets
from skbst.conformal._unlike import is_unlike, proba_and_vectors
from skbst.conformal._unseen import unseen_answers
from skbst.exceptions import CalibrationWarning
from skbst.taxonomy import Taxonomy, TopLevelMixin, resolve_taxonomy

__all__ = ["HierarchicalConformalClassifier"]


class HierarchicalConformalClassifier(
    TopLevelMixin, VersionedMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """Sets of classes and backed-off answers around any classifier with probabilities.

    ``fit`` lets clones of the classifier answer for rows that they have not seen (folds of whole groups, where groups
    are given), learns thresholds from these answers, and fits one clone on everything. A new clip of the same kind then
    gets a set that holds its class with the promised probability, or the deepest node of the tree that can be vouched
    for. Nothing is randomised.

    Parameters
    ----------
    estimator : classifier
        Has ``predict_proba``: any of scikit-learn's, a Pipeline, a system that takes clips.

    confidence_level : float in (0, 1), default=0.9
        Least share of clips whose class is in its set, and of answers of `predict_node` that are not wrong.

    condition : {None, "class", "top"}, default=None
        Whether the promise of the sets is made for all clips together, or for each class or top level alone. Classes
        with too few rows take the rows of their top level, then all; ``calibration_report_`` says which.

    recall_floor : dict of str to float, default=None
        Classes that must not be missed, such as ``{"sp-s": 0.99}``: they join the set, and `predict_floor` flags the
        clip, often enough that so much of the class is flagged.

    max_nodes : int, default=None
        Most nodes in an answer of `predict_nodes`; None sets no limit.

    cv : int, splitter or "prefit", default=5
        Folds of the calibration: a number means stratified folds, of whole groups where there are any. "prefit" takes
        a fitted estimator and calibrates on the rows given, which it must not have seen.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    n_jobs : int, default=None
        Folds are fitted in parallel; the result does not depend on it.

    random_state : int, RandomState or None, default=None
        Shuffles numbered folds and seeds the clones; None keeps the order of the rows and the estimator's own seed.

    Attributes
    ----------
    estimator_ : classifier
        Fitted on all rows, or the one that was given fitted.

    classes_ : ndarray of shape (n_classes,)
        Class labels.

    taxonomy_ : Taxonomy
        The tree cut down to ``classes_``, in their order.

    thresholds_ : ndarray of shape (n_classes,), float64
        Highest 1 - probability with which a class is in the set.

    node_threshold_ : float
        Confidence that a named node exceeds.

    bank_ : dict or None
        Up to 1000 calibration rows and the distance that one in a hundred exceeds; None where the classifier, or the
        last step of its pipeline, is given no vectors.

    floor_thresholds_ : dict of str to float
        Highest 1 - probability with which a class of ``recall_floor`` is flagged.

    calibration_proba_ : ndarray of shape (n_calibration, n_classes), float64
        Probabilities of the calibration rows by models that have not seen them.

    calibration_rows_, calibration_labels_, calibration_weight_ : ndarray of shape (n_calibration,)
        Positions of these rows (those that some fold tests and whose weight is positive), positions of their classes
        in ``classes_``, and their weights, 1 where none were given.

    calibration_report_ : dict
        ``rows``, ``groups``, ``effective_groups`` (as many groups of equal size), ``coverage`` and ``mean_set_size``;
        ``classes``, a row for each with rows, groups, threshold, whose rows decided it and coverage; ``top_levels``;
        ``worst_group``, of those with ten rows or more; ``nodes``, shares of leaf, top level, refused and wrong
        answers; ``floors``, recall and price of ``recall_floor``; ``warnings``. What was realised is measured on
        groups that no threshold was learnt from.

    n_features_in_ : int
        Number of features, where the classifier knows it.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of a table, where the classifier knows them.

    Notes
    -----
    The promise is for clips that are exchangeable with the calibration rows: of the same uploaders where the folds are
    random, of new ones where they are by group. It is exact with "prefit"; cross-fitted, the models of the folds stand
    for the one fitted on everything (Vovk 2015).

    References
    ----------
    Sadinle, Lei & Wasserman 2019 (scores); Angelopoulos et al. 2208.02814 (risk control); Mortier et al. 2501.19038,
    den Hengst et al. 2508.13288 (sets on a tree); Dunn, Wasserman & Ramdas 1809.07441 (groups).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbst.conformal import HierarchicalConformalClassifier
    >>> label = np.arange(300) % 3
    >>> y = np.array(["fx-a", "fx-h", "ss-n"])[label]
    >>> X = np.random.default_rng(0).normal(size=(300, 2)) + np.array([[0, 0], [2, 0], [0, 4]])[label]
    >>> model = HierarchicalConformalClassifier(LogisticRegression(), confidence_level=0.95).fit(X, y)
    >>> new = [[-1, 0], [1, 0], [0, 5], [0.5, 2]]
    >>> model.predict_node(new).tolist()
    ['fx-a', 'fx', 'ss-n', '?']
    >>> model.predict_set(new)[1]
    array([ True,  True, False])
    >>> model.predict_nodes(new)
    [('fx-a',), ('fx',), ('ss-n',), ('fx-a', 'ss-n')]
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit"])],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "condition": [StrOptions({"class", "top"}), None],
        "recall_floor": [dict, None],
        "max_nodes": [Interval(Integral, 1, None, closed="left"), None],
        "cv": ["cv_object", StrOptions({"prefit"})],
        "taxonomy": [Taxonomy, None],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator,
        *,
        confidence_level=0.9,
        condition=None,
        recall_floor=None,
        max_nodes=None,
        cv=5,
        taxonomy=None,
        n_jobs=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.confidence_level = confidence_level
        self.condition = condition
        self.recall_floor = recall_floor
        self.max_nodes = max_nodes
        self.cv = cv
        self.taxonomy = taxonomy
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, groups=None, **params):
        """Calibrate on rows that the model has not seen, and fit it on everything.

        Parameters
        ----------
        X : FeatureBundle, DataFrame or array-like of shape (n_samples, n_features)
            Clips.

        y : array-like of shape (n_samples,)
            Class labels.

        groups : array-like of shape (n_samples,), default=None
            Who uploaded each clip; a missing one is nobody's. No group is on both sides of a fold, so that the promise
            is for new uploaders. Handed to the estimator where its ``fit`` takes groups.

        **params : dict
            For the estimator's ``fit`` (with metadata routing, those that it has requested). ``sample_weight`` also
            weighs the calibration rows; rows of weight 0 calibrate nothing.

        Returns
        -------
        self : HierarchicalConformalClassifier
            Fitted.
        """
        check_has_proba(self.estimator, self)
        X, y = indexable(X, y)
        y = column_or_1d(y, warn=True)
        check_class_labels(y)
        weight, split_params, fit_params = routed_params(self, groups, params, len(y))
        numbers, names = (None, None) if groups is None else (own_group_codes(groups, len(y)), read_groups(groups))
        prefit = self.cv == "prefit"
        estimator = self.estimator if prefit else seeded_clone(self.estimator, self.random_state)
        if prefit:
            check_is_fitted(estimator)
        self.classes_ = np.asarray(estimator.classes_) if prefit else np.unique(y)
        self.taxonomy_ = resolve_taxonomy(self.taxonomy, self.classes_).reorder(self.classes_)
        settings = {"confidence_level": self.confidence_level, "condition": self.condition}
        settings["recall_floor"] = checked_floors(self.recall_floor, self.taxonomy_)
        folds = {"groups": numbers, "random_state": self.random_state, "split_params": split_params}
        splits = None if prefit else fold_rows(self.cv, X, y, **folds)
        self.estimator_, unseen, vectors = unseen_answers(
            estimator, X, y, self.classes_, splits=splits, fit_params=fit_params, n_jobs=self.n_jobs
        )
        kept = {"groups": numbers, "names": names, "vectors": vectors, "sample_weight": weight}
        learnt = calibrate(unseen, label_positions(y, self.classes_), self.taxonomy_, settings, **kept)
        vars(self).update({f"{name}_": value for name, value in learnt.items()})
        vars(self).update(columns_seen(self.estimator_))
        for sentence in self.calibration_report_["warnings"]:
            warnings.warn(sentence, CalibrationWarning, stacklevel=3)
        return self

    def predict_proba(self, X):
        """The estimator's own probabilities (n_samples, n_classes), in the order of ``classes_``."""
        check_is_fitted(self)
        return aligned_proba(self.estimator_, X, self.classes_)

    def predict(self, X):
        """The estimator's own class labels (n_samples,)."""
        check_is_fitted(self)
        return self.estimator_.predict(X)

    def predict_set(self, X):
        """Predict which classes a clip may be of.

        Returns bool (n_samples, n_classes), in the order of ``classes_``; never empty, always with the likeliest class.
        """
        check_is_fitted(self)
        return prediction_sets(self.predict_proba(X), self.thresholds_)

    def predict_p_values(self, X):
        """p-value of each class, among the rows that decided its threshold.

        Returns an array (n_samples, n_classes), in (0, 1], without smoothing: the share of these rows, the clip itself
        among them, that are as strange or stranger.
        """
        check_is_fitted(self)
        sources = [row["decided_by"] for row in self.calibration_report_["classes"].values()]
        scores = lac_scores(self.calibration_proba_, self.calibration_labels_)
        known = scores, self.calibration_labels_, self.taxonomy_.parent_of_leaf
        return class_p_values(*known, self.predict_proba(X), sources, sample_weight=self.calibration_weight_)

    def predict_node(self, X):
        """Predict the deepest node that can be vouched for.

        Returns str (n_samples,): a class code such as "fx-a", a top level such as "fx", or "?". At most 1 -
        ``confidence_level`` of all rows get a wrong node; a class under the right top level is right only if it is the
        right class.
        """
        check_is_fitted(self)
        return self.answer(X).node

    def predict_nodes(self, X):
        """Cover each set by at most ``max_nodes`` nodes of the tree.

        Returns
        -------
        nodes : list of tuple of str
            In the order of the tree; as few other classes as possible are let in.
        """
        check_is_fitted(self)
        return node_cover(self.predict_set(X), self.taxonomy_, max_nodes=self.max_nodes)

    def predict_floor(self, X, code):
        """Flag the clips that may be of a class which must not be missed.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        code : str
            A class of ``recall_floor``.

        Returns
        -------
        flagged : ndarray of shape (n_samples,), bool
            True for the promised share of that class and for others: ``calibration_report_["floors"]`` says how many.
        """
        check_is_fitted(self)
        return self.answer(X).floors[known_floor(code, self.floor_thresholds_)]

    def predict_reason(self, X):
        """Say why `predict_node` did not name a class.

        Returns
        -------
        reasons : ndarray of shape (n_samples,), str
            "" where it did, "only the top level is sure", "no node is sure enough" or "unlike the calibration clips".
        """
        check_is_fitted(self)
        return self.answer(X).reason

    def answer(self, X):
        """All answers for the price of one prediction.

        Returns
        -------
        answers : Bunch
            ``proba``, ``set``, ``node``, ``nodes``, ``reason`` and ``floors`` (a dict by class), as the methods give
            them, and ``unlike``: clips farther from the calibration rows than all but 1 % of these.
        """
        check_is_fitted(self)
        proba, vectors = proba_and_vectors(self.estimator_, X, self.classes_)
        sets = prediction_sets(proba, self.thresholds_)
        strangers = is_unlike(vectors, self.bank_, len(proba))
        node = np.where(strangers, UNKNOWN, node_answers(proba, self.taxonomy_, self.node_threshold_))
        column = {code: int(self.taxonomy_.leaf_index([code])[0]) for code in self.floor_thresholds_}
        return Bunch(
            proba=proba,
            set=sets,
            node=node,
            nodes=node_cover(sets, self.taxonomy_, max_nodes=self.max_nodes),
            unlike=strangers,
            reason=node_reasons(node, self.taxonomy_, strangers),
            floors={code: 1 - proba[:, column[code]] <= limit for code, limit in self.floor_thresholds_.items()},
        )

    def get_metadata_routing(self):
        """Get metadata routing: to the splitter's ``split`` and the classifier's ``fit``."""
        router = MetadataRouter(owner=self).add_self_request(self)
        if not isinstance(self.cv, str):
            router.add(splitter=check_cv(self.cv), method_mapping=MethodMapping().add(caller="fit", callee="split"))
        return router.add(estimator=self.estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit"))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator).input_tags
        tags.input_tags.sparse, tags.input_tags.allow_nan = inner.sparse, inner.allow_nan
        return tags
