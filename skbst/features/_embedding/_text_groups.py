"""Texts of one shape side by side, with the bytes that each has alone."""

from collections import defaultdict

import numpy as np

__all__ = ["embed_together", "group_by_shape"]

# so many texts cost as much alone as a whole group does, or this share of a group of long ones: MiniLM, one thread, ms
# of a text alone and of a group of 256 tokens: 20 and 105 with 8 tokens, 26 and 104 with 24, 40 and 102 with 64
_WORTH_FILLING, _SHARE_WORTH_FILLING = 5, 0.6


def group_by_shape(shapes, size):
    """Put texts of one shape together, in groups of one size; of the rest, many share a group and few stay alone.

    Parameters
    ----------
    shapes : dict of int to hashable
        What texts of one group have in common; None where a text stays alone.

    size : callable
        Gets a shape; returns how many texts make a whole group.

    Returns
    -------
    groups : list of list of int
        Keys of `shapes`.
    """
    by_shape, groups = defaultdict(list), []
    for i, shape in shapes.items():
        by_shape[shape].append(i)
    for shape, same in by_shape.items():
        whole = 1 if shape is None else size(shape)
        n_grouped = len(same) - len(same) % whole
        if len(same) - n_grouped >= min(_WORTH_FILLING, _SHARE_WORTH_FILLING * whole):
            n_grouped = len(same)
        groups += [same[i : min(i + whole, n_grouped)] for i in range(0, n_grouped, whole)]
        groups += [[i] for i in same[n_grouped:]]
    return groups


def embed_together(embed, group, shape, alike, size):
    """Embed texts of one shape.

    Whether a text comes out with the same bytes alone and in a group depends on the processor's matrix product. The
    first group of each shape is compared with its first and last text alone; where they differ, texts of this shape are
    embedded alone from then on. What is compared is a whole group: a smaller one is filled with its last text.

    Parameters
    ----------
    embed : callable
        Gets a list of texts, returns a list of vectors.

    group : list
        From `group_by_shape`.

    shape : hashable
        What the texts have in common.

    alike : dict
        What was found for each shape; written to.

    size : int
        Texts of a whole group.

    Returns
    -------
    vectors : list of ndarray of shape (n_features,), float32
    """
    if len(group) == 1:
        return embed(group)
    if alike.get(shape, True):
        vectors = embed(group + group[-1:] * (size - len(group)))
        if shape not in alike:
            alone = [embed([group[i]])[0] for i in (0, -1)]
            alike[shape] = all(np.array_equal(vectors[i], vector) for i, vector in zip((0, -1), alone))
        if alike[shape]:
            return vectors[: len(group)]
    return [embed([text])[0] for text in group]
