"""Which classes the safe format may build: estimators of skbst and scikit-learn, and a short list of their helpers.

Files hold public names (``skbst.neighbors.KNNPriorBlender``), so that a private file can be renamed without breaking a
saved model. Older files hold private ones, whose private parts are passed over.
"""

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
    "skbst.features.FeatureBundle",
    "skbst.model_selection.FoldParts",
    "skbst.taxonomy.Taxonomy",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils.Bunch",
}
# splitters are parameters of searches and ensembles
_SPLITTERS = re.compile(r"(sklearn|skbst)\.model_selection\.[A-Za-z]+")


def name_of_class(cls):
    """Public name of a class that may be stored; UnsafeModelError for any other."""
    name = _public_name(cls)
    _check(name, cls)
    return name


def class_of_name(name):
    """Class of a stored name; UnsafeModelError if it is none that may be built."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or _CLOSED & set(name.split(".")):
        raise UnsafeModelError(
            f"The model asks for {str(name)[:200]!r}; only estimators of skbst and scikit-learn are built. It was not "
            "loaded."
        )
    cls = _find(name)
    if cls is None:
        raise UnsafeModelError(
            f"The model asks for {name!r}, which these versions of skbst and scikit-learn do not have. Load it with "
            "the versions in its README.md and save it anew."
        )
    _check(_public_name(cls), cls)
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


def _public_name(cls):
    """Name under which everybody imports a class; where there is none, that of the file it stands in."""
    module, name = getattr(cls, "__module__", ""), getattr(cls, "__qualname__", "")
    public = f"{_public_part(module)}.{name}"
    return public if _find_exactly(public) is cls else f"{module}.{name}"


def _public_part(module):
    """The package around a private file: ``skbst.neighbors`` of ``skbst.neighbors._search``."""
    parts = module.split(".")
    private = next((i for i, part in enumerate(parts) if part.startswith("_")), len(parts))
    return ".".join(parts[:private])


def _find(name):
    """Class of a public name, or of a private one of an older file wherever it stands now; None if there is none."""
    module, _, class_name = name.rpartition(".")
    public = f"{_public_part(module)}.{class_name}"
    found = _find_exactly(public)
    return _find_exactly(name) if found is None else found


def _find_exactly(name):
    module, _, class_name = name.rpartition(".")
    if not _NAME.fullmatch(name) or "." not in name:
        return None
    try:
        found = getattr(importlib.import_module(module), class_name)
    except (ImportError, AttributeError):
        return None
    return found if isinstance(found, type) else None


def _check(name, cls):
    if not isinstance(cls, type) or not _may_build(name, cls):
        raise UnsafeModelError(
            f"{name} is no estimator of skbst or scikit-learn, so the safe format neither stores nor builds it. "
            "Use joblib.dump for models with parts of your own."
        )


def _may_build(name, cls):
    if not _NAME.fullmatch(name) or _CLOSED & set(name.split(".")) or _find_exactly(name) is not cls:
        return False
    if name.startswith("skbst.") and "._" in name:
        return False  # a saved model must not depend on where a private file lies
    splitter = _SPLITTERS.fullmatch(name) is not None and hasattr(cls, "get_n_splits")
    return issubclass(cls, BaseEstimator) or name in _HELPERS or splitter
