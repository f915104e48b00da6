"""What outlasts a version: the version in a state, the names that parameters had before, a page's address."""

import functools
import os
import warnings

from skbst._version import __version__
from skbst.exceptions import VersionMismatchWarning

__all__ = ["DocumentedMixin", "VersionedMixin", "docs_address", "renamed_parameter"]

# where the pages stand once they are published; until then, and offline, SKBST_DOCS names a build of one's own
_ADDRESS = "https://skbst.readthedocs.io/en/latest"
# name of before -> name now, in the states that older versions saved
_RENAMED = {"memory_map": "store"}


def docs_address():
    """Address of the documentation, without a slash at its end.

    The environment variable SKBST_DOCS, such as ``file:///home/ann/skbst/docs/_build/html``, takes the place of the
    published one.

    Examples
    --------
    >>> from skbst._versioned import docs_address
    >>> docs_address().endswith("/")
    False
    """
    return (os.environ.get("SKBST_DOCS") or _ADDRESS).rstrip("/")


class DocumentedMixin:
    """Tells scikit-learn, whose ``_repr_html_`` it is, where the page of an estimator stands.

    Stands before ``BaseEstimator`` among the bases. Classes of other packages that inherit from ours get no link.
    """

    _doc_link_module = "skbst"

    @property
    def _doc_link_template(self):
        return docs_address().replace("{", "{{").replace("}", "}}") + "/api/generated/{page}.html"

    def _doc_link_url_param_generator(self):
        # public classes are documented under the room's name, whatever private file they stand in
        cls = type(self)
        parts = cls.__module__.split(".")
        private = next((i for i, part in enumerate(parts) if part.startswith("_")), len(parts))
        return {"page": ".".join([*parts[:private], cls.__name__])}


class VersionedMixin(DocumentedMixin):
    """Writes the version into an estimator's state and compares it when the state comes back.

    Stands before ``BaseEstimator`` among the bases, and brings the link to the estimator's page along.
    """

    def __getstate__(self):
        return {**super().__getstate__(), "_skbst_version": __version__}

    def __setstate__(self, state):
        saved = state.get("_skbst_version", __version__)
        if saved != __version__:
            warnings.warn(
                f"This {type(self).__name__} was saved by skbst {saved} and is loaded by {__version__}; "
                "its answers may differ. Compare them before you rely on it.",
                VersionMismatchWarning,
                stacklevel=2,
            )
        super().__setstate__(_with_names_of_now({k: v for k, v in state.items() if k != "_skbst_version"}))


def renamed_parameter(old):
    """Take a parameter by the name of before as well, with a FutureWarning.

    Parameters
    ----------
    old : str
        The name of before; what it is called now is the same for all who had it.

    Returns
    -------
    decorate : callable
        A decorator of a function or an ``__init__``, whose signature stays without the name of before.

    Examples
    --------
    >>> import warnings
    >>> from skbst._versioned import renamed_parameter
    >>> @renamed_parameter("memory_map")
    ... def keep(store=None):
    ...     return store
    >>> with warnings.catch_warnings(action="ignore"):
    ...     keep(memory_map="frames")
    'frames'
    """
    new = _RENAMED[old]

    def decorate(function):
        @functools.wraps(function)
        def taking_both(*args, **kwargs):
            if old in kwargs:
                warnings.warn(f"{old}= is the name of before: pass {new}=.", FutureWarning, stacklevel=2)
                value = kwargs.pop(old)
                if value is not None and kwargs.get(new) is not None:
                    raise TypeError(f"{old} is the older name of {new}: pass {new} alone.")
                kwargs[new] = kwargs.get(new) if value is None else value
            return function(*args, **kwargs)

        return taking_both

    return decorate


def _with_names_of_now(state):
    """State of an estimator that may have been saved when a parameter had another name."""
    for old, new in _RENAMED.items():
        if old in state:
            value = state.pop(old)
            state[new] = value if state.get(new) is None else state[new]
    return state
