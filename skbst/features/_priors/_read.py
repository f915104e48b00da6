"""The block "prior" of a bundle, in the order of a classifier's classes."""

import numpy as np

from skbst._block_names import PRIOR_BLOCK
from skbst.exceptions import DataFormatError
from skbst.taxonomy import BST

__all__ = ["class_prior"]

# half precision keeps a sum of some dozen numbers to about 1e-3
_TOLERANCE = 1e-2


def class_prior(X, classes, *, taxonomy=None):
    """Read what is known of the classes of each row from the block "prior".

    Parameters
    ----------
    X : FeatureBundle or anything else
        The clips.

    classes : array-like of shape (n_classes,)
        Labels of a classifier.

    taxonomy : Taxonomy, default=None
        The whole tree, where the block has a column for each of its leaves and the classifier knows fewer; None takes
        BST where all classes are BST codes.

    Returns
    -------
    prior : ndarray of shape (n_samples, n_classes), float64, or None
        Rows sum to 1, or are 0 where nothing is known; None where `X` has no such block. What the block says of
        classes that the classifier does not know is left out.

    Raises
    ------
    DataFormatError
        If rows are no distributions, or the block has neither a column for each class nor one for each leaf of the
        tree. Columns are those classes, sorted, as `ClassPriorFeaturizer` makes them.

    Examples
    --------
    >>> from skbst.features import FeatureBundle, class_prior
    >>> bundle = FeatureBundle({"prior": [[0.25, 0.75], [0.0, 0.0]]})
    >>> class_prior(bundle, ["m-m", "fx-a"])
    array([[0.75, 0.25],
           [0.  , 0.  ]])
    >>> class_prior([[1.0, 2.0]], ["m-m", "fx-a"]) is None
    True
    """
    if not hasattr(X, "block_shape") or PRIOR_BLOCK not in X:
        return None
    prior = np.asarray(X[PRIOR_BLOCK], dtype=np.float64)
    classes = np.asarray(classes)
    columns = _columns(prior, classes, taxonomy)
    _check_rows(prior)
    known = prior[:, np.searchsorted(columns, classes)]
    sums = known.sum(axis=1, keepdims=True)
    return known / np.where(sums > 0, sums, 1)


def _columns(prior, classes, taxonomy):
    """Labels of the columns, sorted."""
    tree = BST if taxonomy is None else taxonomy
    leaves = np.unique(tree.leaves)
    if prior.ndim == 2 and prior.shape[1] == len(classes):
        return np.sort(classes)
    if prior.ndim == 2 and prior.shape[1] == len(leaves) and np.isin(classes, leaves).all():
        return leaves
    raise DataFormatError(
        f"The block {PRIOR_BLOCK!r} has rows of shape {prior.shape[1:]}; it needs a column for each of the "
        f"{len(classes)} classes (sorted), or for each leaf of the tree."
    )


def _check_rows(prior):
    sums = prior.sum(axis=1)
    good = np.isfinite(prior).all(axis=1) & (prior >= 0).all(axis=1) & ((sums == 0) | (abs(sums - 1) <= _TOLERANCE))
    bad = np.flatnonzero(~good)
    if len(bad):
        raise DataFormatError(
            f"{len(bad)} of {len(prior)} rows of the block {PRIOR_BLOCK!r} are neither distributions nor 0 throughout "
            f"(first: row {bad[0]}, of sum {sums[bad[0]]:.4g}). Divide rows by their sum."
        )
