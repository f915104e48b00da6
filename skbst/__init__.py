"""skbst: sort real-world sound into the Broad Sound Taxonomy with scikit-learn estimators.

Sub-packages are imported by name (``from skbst.metrics import hierarchical_f1_score``). Importing
``skbst`` itself loads neither torch nor any model.
"""

import importlib

from skbst._version import __version__

_SUBPACKAGES = (
    "audio",
    "conformal",
    "curation",
    "datasets",
    "ensemble",
    "features",
    "library",
    "metrics",
    "model_selection",
    "neighbors",
    "neural",
    "nn",
    "persistence",
    "plotting",
    "sampling",
    "submission",
    "systems",
    "taxonomy",
    "text",
)

__all__ = ["__version__", *_SUBPACKAGES]


def __getattr__(name):
    if name in _SUBPACKAGES:
        return importlib.import_module(f"skbst.{name}")
    raise AttributeError(f"module 'skbst' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
