"""How much a view counts beside others, by rows that neither has seen."""

import numpy as np
from scipy.special import log_softmax

from skbst.neural._training._late_fusion import cautious_share


def make(n_samples, signal, seed=0):
    rng = np.random.default_rng(seed)
    target = np.arange(n_samples) % 3
    others = log_softmax(1.5 * np.eye(3)[target] + rng.normal(size=(n_samples, 3)), axis=1)
    own = log_softmax(signal * np.eye(3)[target] + rng.normal(size=(n_samples, 3)), axis=1)
    return others, own, target, np.ones(n_samples)


def lost(share, others, own, target, weight):
    """How much less likely the labels are than under the likeliest share, in standard errors."""
    rows, shares = np.arange(len(target)), np.linspace(0, 3, 601)
    losses = [-log_softmax(others + s * own, axis=1)[rows, target] * weight for s in [share, *shares]]
    best = min(losses[1:], key=np.mean)
    beyond = losses[0] - best
    return beyond.mean() / (beyond.std() / np.sqrt(len(rows)))


def test_what_tells_nothing_is_left_out():
    assert cautious_share(*make(300, 0.0)) == 0


def test_the_smallest_share_that_is_not_measurably_worse():
    view = make(300, 1.0)
    share = cautious_share(*view)
    assert 0 < share < 1
    assert lost(share, *view) < 2.0
    assert lost(share / 1.3, *view) > 1.96


def test_more_rows_allow_less_caution():
    assert cautious_share(*make(60, 1.0)) < cautious_share(*make(3000, 1.0))


def test_rows_of_no_weight_do_not_count():
    others, own, target, weight = make(300, 1.0)
    weight[150:] = 0
    wrong = np.where(np.arange(300)[:, None] < 150, own, -own)
    assert cautious_share(others, wrong, target, weight) > 0
    assert cautious_share(others, wrong, target, np.ones(300)) == 0


def test_what_is_known_from_elsewhere_decides_where_rows_cannot_tell():
    view = make(60, 1.0)
    smallest, largest = cautious_share(*view), cautious_share(*view, trusted=10)
    assert 0 < smallest < 0.4 < 0.6 < largest < 10
    assert cautious_share(*view, trusted=0.5) == 0.5
    assert lost(largest, *view) < 2.0 < lost(1.3 * largest, *view)


def test_rows_that_speak_against_what_is_known_decide():
    others, own, target, weight = make(300, 1.0)
    assert cautious_share(others, -own, target, weight, trusted=0.25) == 0
    assert cautious_share(others, own, target, weight, trusted=0.01) > 0.05
