"""A decision rule around any classifier."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if

from skbst._groups import with_groups
from skbst._proba import check_has_proba, columns_seen
from skbst._sklearn import HasMethods, Interval, StrOptions, _fit_context, check_is_fitted, check_no_missing_labels
from skbst._versioned import VersionedMixin
from skbst.ensemble._decoding import DECODINGS
from skbst.ensemble._hierarchical_prediction import HierarchicalPredictionMixin
from skbst.taxonomy import Taxonomy

__all__ = ["HierarchicalDecoder"]


def _estimator_has(name):
    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), name)
        return True

    return check


class HierarchicalDecoder(
    HierarchicalPredictionMixin,
    VersionedMixin,
    CallbackSupportMixin,
    ClassifierMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    """Decide by the tree instead of by the most probable class.

    Probabilities are those of the classifier inside; only the decision changes.

    Parameters
    ----------
    estimator : classifier
        Has ``predict_proba``; cloned, or taken as it is inside a `FrozenEstimator`.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    decode : {"leaf", "top-down", "expected-credit"}, default="expected-credit"
        As in `decode_proba`.

    top_weight : float in [0, 2], default=0.75
        Twice the credit of a right top level, for "expected-credit".

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone.

    classes_ : ndarray of shape (n_classes,)
        Class labels.

    taxonomy_ : Taxonomy
        The tree cut down to ``classes_``, in their order.

    top_classes_ : ndarray of shape (n_top_classes,)
        Top-level codes.

    n_features_in_ : int
        Number of features, where the classifier knows it.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of a table, where the classifier knows them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbst.ensemble import HierarchicalDecoder
    >>> X, y = np.arange(12.0)[:, None], np.repeat(["fx-a", "m-sp", "m-si"], 4)
    >>> decoder = HierarchicalDecoder(LogisticRegression()).fit(X, y)
    >>> decoder.predict([[4.0]]), decoder.predict_top([[4.0]])
    (array(['m-sp'], dtype='<U4'), array(['m'], dtype='<U2'))
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit"])],
        "taxonomy": [Taxonomy, None],
        "decode": [StrOptions(set(DECODINGS))],
        "top_weight": [Interval(Real, 0, 2, closed="both")],
    }

    def __init__(self, estimator, *, taxonomy=None, decode="expected-credit", top_weight=0.75):
        self.estimator = estimator
        self.taxonomy = taxonomy
        self.decode = decode
        self.top_weight = top_weight

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, groups=None, **fit_params):
        """Fit the classifier.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Training clips.

        y : array-like of shape (n_samples,)
            Class labels.

        groups : array-like of shape (n_samples,), default=None
            Uploader of each row, for the classifier and its parts whose ``fit`` takes groups; missing ones (None, NaN,
            pd.NA or "") are nobody's. With metadata routing, for those that have requested them.

        **fit_params : dict
            Go to the classifier's ``fit``; with metadata routing, those that it has requested.

        Returns
        -------
        self : HierarchicalDecoder
            Fitted.
        """
        check_has_proba(self.estimator, self)
        if get_config()["enable_metadata_routing"]:
            given = fit_params if groups is None else {"groups": groups, **fit_params}
            fit_params = process_routing(self, "fit", **given)["estimator"]["fit"]
        else:
            fit_params = with_groups(self.estimator, groups, fit_params)
        context = self._init_callback_context(max_subtasks=1).call_on_fit_task_begin(estimator=self, X=X, y=y)
        check_no_missing_labels(y)
        self.estimator_ = clone(self.estimator)
        with context.subcontext(task_name="fit-estimator").propagate_callback_context(self.estimator_):
            self.estimator_.fit(X, y, **fit_params)
        self.classes_ = np.asarray(self.estimator_.classes_)
        self._learn_taxonomy()
        vars(self).update(columns_seen(self.estimator_))
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def predict_proba(self, X):
        """Probabilities of the classifier inside, ndarray of shape (n_samples, n_classes)."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Log-probabilities of the classifier inside, ndarray of shape (n_samples, n_classes)."""
        check_is_fitted(self)
        return self.estimator_.predict_log_proba(X)

    @available_if(_estimator_has("embed"))
    def embed(self, X):
        """Features of the classifier inside, ndarray of shape (n_samples, n_embedding)."""
        check_is_fitted(self)
        return self.estimator_.embed(X)

    @available_if(_estimator_has("embed_predict_proba"))
    def embed_predict_proba(self, X):
        """Features and probabilities of the classifier inside, in one pass."""
        check_is_fitted(self)
        return self.estimator_.embed_predict_proba(X)

    def get_metadata_routing(self):
        """Get metadata routing: everything goes to the classifier's fit."""
        return MetadataRouter(owner=self).add(
            estimator=self.estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit")
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        return tags
