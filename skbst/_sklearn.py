"""scikit-learn's developer API, imported in one place so that one file follows a rename."""

import warnings

import numpy as np
from sklearn.base import _fit_context
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils._param_validation import HasMethods, Hidden, Interval, Options, StrOptions, validate_params
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    _num_samples,
    check_is_fitted,
    validate_data,
)

__all__ = [
    "BaseSearchCV",
    "HasMethods",
    "Hidden",
    "Interval",
    "Options",
    "StrOptions",
    "_check_sample_weight",
    "_fit_context",
    "_num_samples",
    "check_class_labels",
    "check_is_fitted",
    "validate_data",
    "validate_params",
]


def check_class_labels(y):
    """Refuse what are no class labels; names are never mistaken for numbers to be regressed, however few the rows."""
    with warnings.catch_warnings():
        if np.asarray(y).dtype.kind in "OUS":
            warnings.filterwarnings("ignore", message="The number of unique classes")
        check_classification_targets(y)
