"""Which classes the safe format may build: estimators of skbst and scikit-learn, and a short list of their helpers."""

import importlib
import re

from sklearn.base import BaseEstimator

from skbst.exceptions import UnsafeModelError

__all__ = ["class_of_name", "function_of_name", "name_of_class", "name_of_function"]

_NAME = re.compile(r"(sklearn|skbst)(\.[A-Za-z_][A-Za-z0-9_]*)+")
_CLOSED = {"tests", "externals", "conftest", "datasets", "discovery"}

_METRICS = ("skbst.metrics", "sklearn.metrics")

# plain classes that fitted estimators hold
_HELPERS = {
    "skbst.features._bundle.FeatureBundle",
    "skbst.taxonomy._taxonomy.Taxonomy",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils._bunch.Bunch",
}
# splitters are parameters of searches and ensembles
_HELPER_MODULES = {"sklearn.model_selection._split", "skbst.model_selection"}


def name_of_class(cls):
    """Full name of a class that may be stored; UnsafeModelError for any other."""
    name = f"{cls.__module__}.{cls.__qualname__}"
    _check(name, cls)
    return name


def class_of_name(name):
    """Class of a stored name; UnsafeModelError if it is none that may be built."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or _CLOSED & set(name.split(".")):
        raise UnsafeModelError(
            f"The model asks for {name!r}; only estimators of skbst and scikit-learn are built. It was not loaded."
        )
    module_name, _, class_name = name.rpartition(".")
    try:
        cls = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise UnsafeModelError(
            f"The model asks for {name!r}, which these versions of skbst and scikit-learn do not have."
        ) from error
    _check(name, cls)
    return cls


def name_of_function(function):
    """Name of a metric of skbst or scikit-learn, such as scorers hold; None for any other function."""
    name = getattr(function, "__name__", None)
    for package in _METRICS:
        module = importlib.import_module(package)
        if name in module.__all__ and getattr(module, name) is function:
            return f"{package}.{name}"
    return None


def function_of_name(name):
    """Metric of a stored name; UnsafeModelError if it is no public metric."""
    package, _, function = str(name).rpartition(".")
    if package not in _METRICS or function not in importlib.import_module(package).__all__:
        raise UnsafeModelError(f"The model asks for the function {name!r}; only metrics of skbst and scikit-learn are.")
    return getattr(importlib.import_module(package), function)


def _check(name, cls):
    if not isinstance(cls, type) or f"{cls.__module__}.{cls.__qualname__}" != name or not _may_build(name, cls):
        raise UnsafeModelError(
            f"{name} is no estimator of skbst or scikit-learn, so the safe format neither stores nor builds it. "
            "Use joblib.dump for models with parts of your own."
        )


def _may_build(name, cls):
    if not _NAME.fullmatch(name) or _CLOSED & set(name.split(".")):
        return False
    own_module = any(cls.__module__ == known or cls.__module__.startswith(known + ".") for known in _HELPER_MODULES)
    return issubclass(cls, BaseEstimator) or name in _HELPERS or own_module
