import numpy as np
import pytest

from skbst.exceptions import DataFormatError
from skbst.neighbors import blend, neighbour_prior, neighbour_weights


def test_weights_by_hand():
    weights = neighbour_weights([[0.9, 0.7]], 0.1)
    np.testing.assert_allclose(weights, [[np.e**2 / (1 + np.e**2), 1 / (1 + np.e**2)]])


def test_weights_sum_to_one_and_do_not_overflow():
    weights = neighbour_weights([[1.0, -1.0], [-1.0, -1.0]], 1e-4)
    np.testing.assert_allclose(weights, [[1, 0], [0.5, 0.5]])


def test_infinite_temperature_counts_heads():
    np.testing.assert_allclose(neighbour_weights([[0.9, 0.1, -np.inf]], np.inf), [[0.5, 0.5, 0]])


def test_prior_against_a_loop():
    rng = np.random.default_rng(0)
    similarities, labels = rng.uniform(-1, 1, (30, 8)), rng.integers(0, 5, (30, 8))
    prior = neighbour_prior(similarities, labels, 5, 0.2)
    for i in range(30):
        weights = np.exp(similarities[i] / 0.2) / np.exp(similarities[i] / 0.2).sum()
        expected = [weights[labels[i] == c].sum() for c in range(5)]
        np.testing.assert_allclose(prior[i], expected, rtol=1e-12)


def test_missing_neighbours_count_nothing():
    prior = neighbour_prior([[0.5, -np.inf], [-np.inf, -np.inf]], [[1, -1], [-1, -1]], 2, 0.1)
    np.testing.assert_array_equal(prior, [[0, 1], [0, 0]])


def test_no_rows_and_no_columns():
    assert neighbour_prior(np.empty((0, 3)), np.empty((0, 3), int), 4, 0.1).shape == (0, 4)
    np.testing.assert_array_equal(neighbour_prior(np.empty((2, 0)), np.empty((2, 0), int), 2, 0.1), 0)


def test_blend_ends():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(4), (2, 9))
    np.testing.assert_array_equal(blend(p, q, 0), p)
    np.testing.assert_array_equal(blend(p, q, 1), q)
    np.testing.assert_allclose(blend(p, q, 0.3).sum(axis=1), 1)
    np.testing.assert_allclose(blend(p, q, 0.3), 0.7 * p + 0.3 * q)


def test_blend_without_neighbours_keeps_the_model():
    np.testing.assert_array_equal(blend([[0.2, 0.8]], [[0.0, 0.0]], 1.0), [[0.2, 0.8]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: neighbour_weights([[0.5]], 0), "temperature must be above 0"),
        (lambda: neighbour_prior([[0.5]], [[3]], 2, 0.1), r"must lie in \[0, 2\)"),
        (lambda: neighbour_prior([[0.5]], [[0, 1]], 2, 0.1), "shape"),
        (lambda: blend([[1.0]], [[1.0]], 1.5), r"alpha must lie in \[0, 1\]"),
        (lambda: blend([[1.0]], [[0.5, 0.5]], 0.5), "differ in shape"),
    ],
)
def test_bad_numbers_are_refused(call, message):
    with pytest.raises(DataFormatError, match=message):
        call()
