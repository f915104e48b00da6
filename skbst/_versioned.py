"""What every estimator of skbst has: its version in its state, and the address of its page."""

import warnings

from skbst._documented import DocumentedMixin
from skbst._version import __version__
from skbst.exceptions import VersionMismatchWarning

__all__ = ["VersionedMixin"]


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
        super().__setstate__({key: value for key, value in state.items() if key != "_skbst_version"})
