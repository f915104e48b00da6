"""What an answer about one clip is expected to bring to the clips around it."""

import numpy as np

__all__ = ["ask_in_turn", "expected_gain"]

# credit of a leaf whose top level alone is right, as in the metric
_TOP_CREDIT = 0.375
# how far an equal clip's answer moves a distribution, and how fast that falls with the cosine: of a handful what needed
# the fewest labels on three folds of BSD10k's texts
_MOST_MOVED, _TEMPERATURE = 0.5, 0.4
# what is learnt of the clip itself counts less than what its answer teaches about others
_OWN_WEIGHT = 0.1
# answers less likely than the first few are left out: they would cost much and count little
_N_ANSWERS = 6
# rows whose neighbours are looked at together, so that memory does not grow with the clips
_CHUNK = 4096


def expected_gain(proba, similar, near, parents):
    """Expected gain in hierarchical credit at each neighbour, if a person answered for each row.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        What the model says.

    similar, near : ndarray of shape (n_rows, k)
        Cosines and positions of the nearest rows.

    parents : ndarray of shape (n_classes,), int
        Top level of each class.

    Returns
    -------
    own : ndarray of shape (n_rows,), float64
        At the row itself, with its weight.

    gains : ndarray of shape (n_rows, k), float64
        At least 0: by answering for the row, at its neighbour.
    """
    credit = np.where(parents[:, None] == parents[None, :], _TOP_CREDIT, 0.0)
    np.fill_diagonal(credit, 1.0)
    expected = proba @ credit
    gains = np.empty(similar.shape)
    for start in range(0, len(proba), _CHUNK):
        rows = slice(start, start + _CHUNK)
        gains[rows] = _gains_around(proba[rows], answer_weight(similar[rows]), expected[near[rows]], credit)
    return _OWN_WEIGHT * (1 - expected.max(axis=1)), gains


def _gains_around(proba, moved, around, credit):
    """Of rows with their neighbours' expected credits (n_rows, k, n_classes): shape (n_rows, k)."""
    stays = around.argmax(axis=2)
    gains = np.zeros(moved.shape)
    for answer in np.argsort(-proba, axis=1, kind="stable")[:, :_N_ANSWERS].T:
        after = (1 - moved)[:, :, None] * around + moved[:, :, None] * credit[answer][:, None, :]
        kept = np.take_along_axis(after, stays[:, :, None], axis=2)[:, :, 0]
        gains += proba[np.arange(len(proba)), answer][:, None] * (after.max(axis=2) - kept)
    return gains


def answer_weight(similar):
    """How far an answer moves the distribution of a clip with this cosine, from 0 to 0.5."""
    return _MOST_MOVED * np.exp((np.minimum(similar, 1.0) - 1) / _TEMPERATURE)


def ask_in_turn(own, gains, similar, near, n, *, vectors, told, near_duplicate, groups, max_per_group):
    """Choose rows one after the other; what an earlier one settles does not count again.

    Parameters
    ----------
    own : ndarray of shape (n_rows,)
        As `expected_gain` has it.

    gains, similar, near : ndarray of shape (n_rows, k)
        As `expected_gain` has them.

    n : int
        How many to choose.

    vectors : ndarray of shape (n_rows, n_dimensions)
        Of norm 1.

    told : ndarray of shape (n_told, n_dimensions)
        Of clips that have a label.

    near_duplicate : float
        The cosine from which on two of them are one sound.

    groups : ndarray of shape (n_rows,), int
        Number of the uploader, below 0 nobody.

    max_per_group : int or None
        At most so many of one.

    Returns
    -------
    chosen : ndarray of shape (at most n,), int
        Rows, the best first; of equal ones the first.

    gain : ndarray of shape (at most n,), float64
        What each was expected to bring when it was chosen.
    """
    can = np.ones(len(vectors), dtype=bool)
    for start in range(0, len(told), 1024):
        can &= (vectors @ told[start : start + 1024].T < near_duplicate).all(axis=1)
    unsettled, asked = np.ones(len(vectors)), {}
    share = answer_weight(similar) / _MOST_MOVED
    chosen, gain = [], []
    while len(chosen) < n and can.any():
        now = np.where(can, own * unsettled + (gains * unsettled[near]).sum(axis=1), -1.0)
        # sums of other orders differ in the last digits; rounded they are equal
        row = int(now.round(12).argmax())
        chosen.append(row)
        gain.append(now[row])
        unsettled[row] = 0
        unsettled[near[row]] *= 1 - share[row]
        can &= vectors @ vectors[row] < near_duplicate
        can[row] = False
        group = groups[row]
        asked[group] = asked.get(group, 0) + 1
        if group >= 0 and max_per_group is not None and asked[group] >= max_per_group:
            can &= groups != group
    return np.array(chosen, dtype=int), np.array(gain)
