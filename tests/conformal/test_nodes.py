"""Nodes: answers by risk control, and covers against all possible ones."""

from itertools import combinations, pairwise
from math import inf

import numpy as np
import pytest

from skbst.conformal import node_answers, node_cover, node_threshold
from skbst.taxonomy import BST, Taxonomy

TREE = Taxonomy.from_mapping({"a": ["a1", "a2", "a3"], "b": ["b1", "b2"], "c": ["c1"], "d": ["d1", "d2", "d3"]})


def members_of(tree):
    members = {str(leaf): {str(leaf)} for leaf in tree.leaves}
    members.update({str(top): set(tree.children(top).tolist()) for top in tree.tops})
    return {**members, "?": set(tree.leaves.tolist())}


def best_cover(wanted, tree, max_nodes):
    """Fewest classes covered, then fewest nodes, among all sets of nodes."""
    members = members_of(tree)
    costs = []
    for size in range(1, max_nodes + 1):
        for nodes in combinations(members, size):
            covered = set().union(*(members[node] for node in nodes))
            if wanted <= covered:
                costs.append((len(covered), size))
    return min(costs)


@pytest.mark.parametrize("max_nodes", [1, 2, 3, 9])
def test_cover_is_the_smallest(max_nodes):
    rng = np.random.default_rng(0)
    sets = rng.random((40, TREE.n_leaves)) < rng.uniform(0.1, 0.9, (40, 1))
    sets[np.arange(40), rng.integers(0, TREE.n_leaves, 40)] = True
    members = members_of(TREE)
    for row, nodes in zip(sets, node_cover(sets, TREE, max_nodes=max_nodes)):
        wanted = set(TREE.leaves[row].tolist())
        covered = set().union(*(members[node] for node in nodes))
        assert wanted <= covered
        limit = min(max_nodes, 4)
        expected = best_cover(wanted, TREE, limit) if max_nodes <= 4 else (len(wanted), None)
        assert len(covered) == expected[0]
        assert len(nodes) == expected[1] or max_nodes > 4


def test_a_leaf_without_siblings_keeps_its_name():
    assert node_cover(np.eye(9, dtype=bool)[[5]], TREE) == [("c1",)]
    flat = Taxonomy.flat(["x", "y", "z"])
    assert node_cover([[True, True, False]], flat) == [("x", "y")]
    assert node_cover([[True, True, False]], flat, max_nodes=1) == [("?",)]
    assert node_cover(np.zeros((0, 3), dtype=bool), flat) == []


def wrong_share(nodes, y, tree):
    leaf = np.isin(nodes, tree.leaves)
    right = np.where(leaf, nodes == tree.leaves[y], nodes == tree.tops[tree.parent_of_leaf[y]])
    return np.mean(~right & (nodes != "?"))


def made(n, seed, tree=TREE, sharpness=1.5):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, tree.n_leaves, n)
    logits = rng.normal(size=(n, tree.n_leaves)) + sharpness * np.eye(tree.n_leaves)[y]
    logits += sharpness / 2 * (tree.parent_of_leaf == tree.parent_of_leaf[y][:, None])
    proba = np.exp(logits)
    return proba / proba.sum(axis=1, keepdims=True), y


@pytest.mark.parametrize("level", [0.75, 0.8, 0.9, 0.99])
def test_threshold_is_the_least_that_risk_control_allows(level):
    """Every lower threshold that changes an answer has (wrong + 1) / (n + 1) above the risk."""
    proba, y = made(300, 1)
    threshold = node_threshold(proba, y, TREE.parent_of_leaf, level)
    n_wrong = round(wrong_share(node_answers(proba, TREE, threshold), y, TREE) * 300)
    assert (n_wrong + 1) / 301 <= 1 - level + 1e-12
    lower = np.nextafter(threshold, -1)
    n_wrong = round(wrong_share(node_answers(proba, TREE, lower), y, TREE) * 300)
    assert (n_wrong + 1) / 301 > 1 - level


def test_risk_is_kept_on_exchangeable_rows():
    """Mean over draws; the band is four standard errors of it."""
    risks = []
    for seed in range(300):
        proba, y = made(120, seed)
        threshold = node_threshold(proba[:80], y[:80], TREE.parent_of_leaf, 0.9)
        risks.append(wrong_share(node_answers(proba[80:], TREE, threshold), y[80:], TREE))
    assert 0.1 - 1 / 81 - 4 * np.std(risks) / 300**0.5 <= np.mean(risks) <= 0.1 + 4 * np.std(risks) / 300**0.5


def test_higher_levels_say_less():
    proba, y = made(400, 3)
    depth = []
    for level in (0.5, 0.7, 0.9, 0.95, 0.99):
        nodes = node_answers(proba, TREE, node_threshold(proba, y, TREE.parent_of_leaf, level))
        depth.append(np.where(np.isin(nodes, TREE.leaves), 2, np.where(nodes == "?", 0, 1)))
    assert all((higher <= lower).all() for lower, higher in pairwise(depth))


def test_too_few_and_all_right():
    proba, y = np.eye(23)[[0, 1, 2]], np.array([0, 1, 2])
    assert node_threshold(proba, y, BST.parent_of_leaf, 0.9) == inf
    assert node_answers(proba, BST, inf).tolist() == ["?"] * 3
    assert node_threshold(proba, y, BST.parent_of_leaf, 0.7) == -inf
    assert node_answers(proba, BST, -inf).tolist() == BST.leaves[:3].tolist()
