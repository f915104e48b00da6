"""scikit-learn's developer API, imported in one place so that one file follows a rename."""

import warnings

import numpy as np
import pandas as pd
from sklearn.base import _fit_context
from sklearn.ensemble._base import _set_random_states
from sklearn.metrics._scorer import _BaseScorer, _MultimetricScorer, _PassthroughScorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import _safe_indexing
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from sklearn.utils._param_validation import (
    HasMethods,
    Hidden,
    Interval,
    Options,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils._user_interface import _print_elapsed_time
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import _get_threadpool_controller
from sklearn.utils.validation import (
    _check_feature_names_in,
    _check_method_params,
    _check_sample_weight,
    _num_samples,
    check_is_fitted,
    validate_data,
)

from skbst.exceptions import DataFormatError

__all__ = [
    "BaseSearchCV",
    "HasMethods",
    "Hidden",
    "Interval",
    "Options",
    "StrOptions",
    "_BaseComposition",
    "_BaseScorer",
    "_MultimetricScorer",
    "_PassthroughScorer",
    "_VisualBlock",
    "_check_feature_names_in",
    "_check_method_params",
    "_check_sample_weight",
    "_fit_context",
    "_get_threadpool_controller",
    "_num_samples",
    "_openmp_effective_n_threads",
    "_print_elapsed_time",
    "_safe_indexing",
    "_set_random_states",
    "check_class_labels",
    "check_is_fitted",
    "check_no_missing_labels",
    "validate_data",
    "validate_parameter_constraints",
    "validate_params",
]


def check_class_labels(y):
    """Refuse what are no class labels; names are never mistaken for numbers to be regressed, however few the rows."""
    check_no_missing_labels(y)
    with warnings.catch_warnings():
        if np.asarray(y).dtype.kind in "OUS":
            warnings.filterwarnings("ignore", message="The number of unique classes")
        check_classification_targets(y)


def check_no_missing_labels(y):
    """Refuse labels of which some are missing, where sorting them would only say that it cannot."""
    labels = np.asarray(y)
    if labels.dtype.kind != "O" or labels.ndim == 0:
        return
    missing = np.flatnonzero(pd.isna(labels.ravel()))
    if len(missing):
        raise DataFormatError(
            f"{len(missing)} of {labels.size} labels are missing (first: row {missing[0]}). Leave these rows out."
        )
