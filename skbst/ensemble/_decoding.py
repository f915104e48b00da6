"""From second-level probabilities to one class."""

import numpy as np

from skbst.exceptions import DataFormatError
from skbst.taxonomy import aggregate_to_top, credit_matrix

__all__ = ["DECODINGS", "decode_proba"]

#: Names that `decode_proba` knows.
DECODINGS = ("leaf", "top-down", "expected-credit")


def decode_proba(proba, parent_of_leaf, *, decode="leaf", top_weight=0.75):
    """Choose a second-level class for each row.

    Parameters
    ----------
    proba : array-like of shape (..., n_leaves)
        Probabilities, or shares of votes.

    parent_of_leaf : array-like of shape (n_leaves,), int
        Index of the top level of each leaf.

    decode : {"leaf", "top-down", "expected-credit"}, default="leaf"
        The most probable leaf; the most probable leaf under the most probable top level; or the leaf p with the highest
        expected credit, ``sum_g P(g) C[g, p]`` with C of `skbst.taxonomy.credit_matrix`. The last is the decision that
        wins most hierarchical accuracy if the probabilities are right.

    top_weight : float in [0, 2], default=0.75
        Of the credit: 0 is the same as "leaf".

    Returns
    -------
    leaf : ndarray of shape (...), int
        Positions; equal values go to the lower one.

    Raises
    ------
    DataFormatError
        If a probability is no number.

    Examples
    --------
    >>> from skbst.ensemble import decode_proba
    >>> proba = [[0.4, 0.3, 0.3]]
    >>> [int(decode_proba(proba, [0, 1, 1], decode=name)[0]) for name in ("leaf", "top-down", "expected-credit")]
    [0, 1, 1]
    """
    proba, parent = np.asarray(proba), np.asarray(parent_of_leaf)
    if not np.isfinite(proba).all():
        raise DataFormatError(
            "Probabilities to decode are NaN or infinite, and would be the first class without a word."
        )
    if decode == "expected-credit":
        return (proba @ credit_matrix(parent, top_weight=top_weight)).argmax(axis=-1)
    if decode == "top-down":
        top = aggregate_to_top(proba, parent).argmax(axis=-1)
        return np.where(parent == top[..., None], proba, -np.inf).argmax(axis=-1)
    if decode == "leaf":
        return proba.argmax(axis=-1)
    raise ValueError(f"decode must be one of {DECODINGS}; got {decode!r}.")
