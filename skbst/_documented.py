"""The page of each estimator, which its HTML representation links to."""

import os

__all__ = ["DocumentedMixin", "docs_address"]

# where the pages stand once they are published; until then, and offline, SKBST_DOCS names a build of one's own
_ADDRESS = "https://skbst.readthedocs.io/en/latest"


def docs_address():
    """Address of the documentation, without a slash at its end.

    The environment variable SKBST_DOCS, such as ``file:///home/ann/skbst/docs/_build/html``, takes the place of the
    published one.

    Examples
    --------
    >>> from skbst._documented import docs_address
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
