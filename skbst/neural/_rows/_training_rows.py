"""Rows as a weighted set: no order, no repetitions, no row of weight zero."""

import hashlib
from dataclasses import dataclass

import numpy as np

from skbst._groups import own_group_codes
from skbst.exceptions import DataFormatError

__all__ = ["TrainingRows", "make_training_rows"]


@dataclass
class TrainingRows:
    """The distinct rows of a training set, in an order that depends on their content alone.

    Attributes
    ----------
    rows : ndarray of shape (n_distinct,), int
        Position of each in the caller's data.

    target : ndarray of shape (n_distinct,), int
        Class index.

    weight : ndarray of shape (n_distinct,), float
        Sum of the weights of equal rows, above zero.

    train_only : ndarray of shape (n_distinct,), bool
        Rows that never join the validation part.

    groups : ndarray of shape (n_distinct,), int, or None
        Group index.

    soft_targets : ndarray of shape (n_distinct, n_classes), float32, or None
        Mean of the soft targets of equal rows.

    class_prior : ndarray of shape (n_distinct, n_prior), float32, or None
        Mean of the class priors of equal rows.
    """

    rows: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    train_only: np.ndarray
    groups: np.ndarray | None
    soft_targets: np.ndarray | None
    class_prior: np.ndarray | None = None


def make_training_rows(inputs, target, weight, *, groups=None, train_only=None, soft_targets=None):
    """Drop rows of weight zero, merge equal rows, and put them in the order of a hash of their content.

    So a row of weight 2 is the same as the row twice, and neither the order of the rows nor a repeated clip
    that would fall on both sides of the inner split changes what is learnt.

    Parameters
    ----------
    inputs : ClipInputs
        The features.

    target : ndarray of shape (n_samples,), int
        Class index.

    weight : ndarray of shape (n_samples,), float
        Weights, at least one above zero.

    groups : array-like of shape (n_samples,), default=None
        Group labels; a row of nobody is a group of its own.

    train_only : array-like of shape (n_samples,), bool, default=None
        Rows kept out of validation.

    soft_targets : array-like of shape (n_samples, n_classes), default=None
        Target distributions.

    Returns
    -------
    training_rows : TrainingRows
    """
    n_samples = len(inputs)
    train_only = _check_train_only(train_only, n_samples)
    groups = None if groups is None else own_group_codes(groups, n_samples)
    kept = np.flatnonzero(weight > 0)
    extras = np.column_stack([target, train_only, np.zeros(n_samples) if groups is None else groups]).astype(np.int64)
    first, member = _equal_rows(inputs, kept, extras)
    rows = kept[first]
    merged = np.bincount(member, weights=weight[kept])
    soft_targets, class_prior = (
        None if values is None else _means(values[kept], weight[kept], member)
        for values in (soft_targets, inputs.prior)
    )
    own_groups = None if groups is None else groups[rows]
    return TrainingRows(rows, target[rows], merged, train_only[rows], own_groups, soft_targets, class_prior)


def _means(values, weight, member):
    """Weighted means of the rows of each class of equal ones, float32."""
    total = np.zeros((member.max() + 1, values.shape[1]))
    np.add.at(total, member, values * weight[:, None])
    return (total / np.bincount(member, weights=weight)[:, None]).astype(np.float32)


def _equal_rows(inputs, kept, extras):
    """Positions in `kept` of one member of each class of equal rows, and the class of each row."""
    digests = [_digest(inputs, row, extras) for row in kept]
    if inputs.frames is not None:
        _, member, count = np.unique(digests, return_inverse=True, return_counts=True)
        for position in np.flatnonzero(count[member] > 1):
            frames, lengths = inputs.read_frames(kept[position : position + 1])
            digests[position] += _hash(frames.numpy(), lengths.numpy())
    _, first, member = np.unique(digests, return_index=True, return_inverse=True)
    return first, member


def _digest(inputs, row, extras):
    return _hash(extras[row], *(values[row] for values in inputs.embeddings.values()))


def _hash(*arrays):
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(np.ascontiguousarray(array + 0).data)
    return digest.hexdigest()


def _check_train_only(train_only, n_samples):
    if train_only is None:
        return np.zeros(n_samples, dtype=bool)
    train_only = np.asarray(train_only)
    if train_only.shape != (n_samples,) or train_only.dtype != bool:
        raise DataFormatError(
            f"train_only must be a boolean mask of shape ({n_samples},); got {train_only.dtype} of shape "
            f"{train_only.shape}."
        )
    return train_only
