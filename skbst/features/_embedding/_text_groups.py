"""Texts of one shape side by side, with the bytes that each has alone."""

from collections import defaultdict

import numpy as np

__all__ = ["embed_together", "group_by_shape"]


def group_by_shape(shapes, size):
    """Put texts of one shape together, in groups of one size; the rest stay alone.

    Parameters
    ----------
    shapes : dict of int to hashable
        What texts of one group have in common; None where a text stays alone.

    size : int
        Texts of a group.

    Returns
    -------
    groups : list of list of int
        Keys of `shapes`.
    """
    by_shape, groups = defaultdict(list), []
    for i, shape in shapes.items():
        by_shape[shape].append(i)
    for shape, same in by_shape.items():
        n_whole = 0 if shape is None else len(same) - len(same) % size
        groups += [same[i : i + size] for i in range(0, n_whole, size)]
        groups += [[i] for i in same[n_whole:]]
    return groups


def embed_together(embed, group, shape, alike):
    """Embed texts of one shape.

    Whether a text comes out with the same bytes alone and in a group depends on the processor's matrix product. The
    first group of each shape is compared with its first and last text alone; where they differ, texts of this shape are
    embedded alone from then on.

    Parameters
    ----------
    embed : callable
        Gets a list of texts, returns a list of vectors.

    group : list
        One text, or a whole group from `group_by_shape`.

    shape : hashable
        What the texts have in common.

    alike : dict
        What was found for each shape; written to.

    Returns
    -------
    vectors : list of ndarray of shape (n_features,), float32
    """
    vectors = embed(group)
    if len(group) == 1:
        return vectors
    if shape not in alike:
        alone = [embed([group[i]])[0] for i in (0, -1)]
        alike[shape] = all(np.array_equal(vectors[i], vector) for i, vector in zip((0, -1), alone))
    return vectors if alike[shape] else [embed([text])[0] for text in group]
