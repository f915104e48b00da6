"""From what a caller passes as X and y to checked inputs."""

from skbst._sklearn import check_class_labels, check_no_missing_labels
from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle
from skbst.neural._rows._checks import check_bundle_labels, check_same_width
from skbst.neural._rows._inputs import ClipInputs, choose_blocks, read_bundle

__all__ = ["read_rows", "read_training"]


def read_training(X, y, *, blocks, branch, read_array):
    """Read what is trained on.

    Parameters
    ----------
    X, y : as in `fit`

    blocks, branch : as in `BranchClassifier`

    read_array : callable
        Checks a 2-D array and its labels.

    Returns
    -------
    inputs : ClipInputs

    labels : ndarray of shape (n_samples,)

    blocks : dict or None
        Names by role, see `choose_blocks`; None for a 2-D array.
    """
    check_no_missing_labels(y)
    if isinstance(X, FeatureBundle):
        y = check_bundle_labels(X, y)
        chosen = choose_blocks(X, blocks, branch=branch)
        inputs = read_bundle(X, chosen)
    elif branch is not None:
        raise DataFormatError(f"branch={branch!r} needs a FeatureBundle; got {type(X).__name__}.")
    else:
        X, y = read_array(X, y)
        chosen, inputs = None, ClipInputs(X, None)
    check_class_labels(y)
    return inputs, y, chosen


def read_rows(X, *, blocks, row_shapes, n_prior, read_array):
    """Read rows that are not trained on, which must be like those that were; see `read_training`."""
    if blocks is not None:
        inputs = read_bundle(X, blocks, n_prior=n_prior)
        check_same_width(inputs, row_shapes)
        return inputs
    if isinstance(X, FeatureBundle):
        raise DataFormatError("Fitted on a 2-D array; got a FeatureBundle. Pass one of its blocks.")
    return ClipInputs(read_array(X, reset=False), None)
