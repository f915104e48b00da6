"""The tables of an audit: one row per clip, and one per uploader and class."""

import numpy as np
import pandas as pd

from skbst.curation._doubt import answer_log_lift, best_other, doubt_order, label_log_ratio

__all__ = ["Evidence", "pack_table", "ranking_table"]

# as many as a row of a table holds
_N_NEIGHBOURS_SHOWN = 5
# an answer is of up to three kinds, which say partly the same: of 0.7, 1 and 1.5 what found most real corrections
_OVERLAP = 0.7
# answers of a kind are spoken of when they shift a score by as much as doubling the odds
_SPOKEN_LIFT = np.log(2.0)


class Evidence:
    """What is known of each row when it is ranked.

    Parameters
    ----------
    label : ndarray of shape (n_samples,), int
        Position of the given label.

    current : ndarray of shape (n_samples,), int
        Position of the label after the answers.

    answered : ndarray of shape (n_samples,), bool
        Rows whose label somebody gave or confirmed.

    proba : ndarray of shape (n_samples, n_classes)
        Out-of-fold probabilities with siblings in training.

    world : ndarray of shape (n_samples, n_classes) or None
        Without them.

    prior : ndarray of shape (n_samples, n_classes)
        What the nearest neighbours say; a row of zeros where there are none.

    similar, near : ndarray of shape (n_samples, k)
        Cosines and positions of the neighbours; a cosine of -inf is none.

    near_duplicate : float
        The cosine from which on two rows are one sound.

    groups : ndarray of shape (n_samples,), int
        Number of the uploader, below 0 nobody.

    parents : ndarray of shape (n_classes,), int
        Top level of each class.
    """

    def __init__(
        self, *, label, current, answered, proba, world, prior, similar, near, near_duplicate, groups, parents
    ):
        self.label, self.current, self.answered = label, current, answered
        self.proba, self.world, self.prior = proba, world, prior
        self.similar, self.near, self.groups, self.parents = similar, near, groups, parents
        self.near_duplicate = near_duplicate
        known = prior.sum(axis=1) > 0
        self.mean = np.where(known[:, None], (proba + prior) / 2, proba)
        self.other = best_other(self.mean, label)
        self.lift = self._lift()
        self.score = label_log_ratio(self.mean, label) - self.lift
        self.cost = np.where(parents[label] == parents[self.other], 0.5, 1.0)
        self.otherwise = np.isfinite(similar) & (current[near] != label[:, None])

    def _lift(self):
        """What the answers so far say of the flow from label to suggestion, of the pack, and of the uploader."""
        if not self.answered.any():
            return np.zeros(len(self.label))
        wrong, n_classes = self.current != self.label, self.proba.shape[1]
        flow = self.label * n_classes + self.other
        pack = np.where(self.groups < 0, -1, self.groups * n_classes + self.label)
        return _OVERLAP * sum(answer_log_lift(kind, self.answered, wrong) for kind in (flow, pack, self.groups))

    def siblings(self):
        """How many other clips the uploader of each row has; 0 where it is nobody's."""
        counts = np.bincount(self.groups[self.groups >= 0], minlength=1)
        return np.where(self.groups < 0, 0, counts[np.maximum(self.groups, 0)] - 1)

    def duplicates(self, names):
        """Name of the nearest almost equal clip with another label, or ""."""
        close = self.otherwise & (self.similar >= self.near_duplicate)
        return [str(names[self.near[i][close[i]][0]]) if close[i].any() else "" for i in range(len(close))]


def ranking_table(evidence, classes, names, *, left):
    """Rows that are left, most doubtful first."""
    label, other, rows = evidence.label, evidence.other, np.arange(len(evidence.label))
    world = evidence.world
    alone = evidence.siblings() == 0
    table = pd.DataFrame(
        {
            "label": classes[label],
            "suggestion": classes[other],
            "proba_label": evidence.mean[rows, label],
            "proba_suggestion": evidence.mean[rows, other],
            "score": evidence.score,
            "cost": evidence.cost,
            "neighbours": [
                names[near[says]][:_N_NEIGHBOURS_SHOWN].tolist()
                for near, says in zip(evidence.near, evidence.otherwise)
            ],
            "n_otherwise": evidence.otherwise.sum(axis=1),
            "fits_pack": _maybe(evidence.proba.argmax(axis=1) == label, alone),
            "fits_world": _maybe(rows < 0 if world is None else world.argmax(axis=1) == label, world is None),
            "proba_pack": evidence.proba[rows, label],
            "proba_world": np.nan if world is None else world[rows, label],
            "near_duplicate": evidence.duplicates(names),
            "position": rows,
        },
        index=names,
    )
    # zip reads a table's columns; a loop over the rows of a table is fifty times slower
    reasons = [_sentence(*row) for row in zip(*(table[name] for name in _TOLD), evidence.lift)]
    table.insert(len(table.columns) - 1, "reason", reasons)
    order = doubt_order(evidence.score, evidence.cost)
    return table.iloc[order[left[order]]]


def pack_table(evidence, classes, groups, *, left):
    """One row per uploader and class in which clips that are left are doubtful."""
    columns = ["group", "label", "suggestion", "n_clips", "n_doubtful", "proba_label", "proba_suggestion", "score"]
    columns += ["cost", "reason"]
    world = evidence.mean if evidence.world is None else evidence.world
    doubtful = (evidence.score < 0) | (world.argmax(axis=1) != evidence.label)
    named = np.flatnonzero((evidence.groups >= 0) & left)
    rows = []
    pairs = pd.Series(named).groupby([evidence.groups[named], evidence.label[named]], sort=True)
    for (_, label), members in pairs:
        pack = members.to_numpy()
        if len(pack) < 2 or not doubtful[pack].any():
            continue
        mean, given = world[pack].mean(axis=0, keepdims=True), np.array([label])
        other = best_other(mean, given)[0]
        cost = 0.5 if evidence.parents[label] == evidence.parents[other] else 1.0
        figures = (len(pack), int(doubtful[pack].sum()), mean[0, label], mean[0, other])
        score = label_log_ratio(mean, given)[0]
        why = _pack_sentence(classes[label], classes[other], *figures)
        rows.append((groups[pack[0]], classes[label], classes[other], *figures, score, cost, why))
    table = pd.DataFrame(rows, columns=columns)
    order = doubt_order(table["score"].to_numpy(float), table["cost"].to_numpy(float))
    return table.iloc[order].reset_index(drop=True)


_TOLD = ("label", "suggestion", "proba_label", "proba_suggestion", "score", "cost", "n_otherwise", "neighbours")
_TOLD += ("fits_pack", "fits_world", "near_duplicate")


def _sentence(label, other, p, q, score, cost, n_otherwise, neighbours, pack, world, duplicate, lift):
    """Why a row stands where it does, in words."""
    parts = []
    if q > p:
        parts.append(f"{other} is likelier than {label} ({q:.0%} against {p:.0%})")
    if n_otherwise and (q > p or duplicate):
        parts.append(f"{n_otherwise} of its nearest neighbours have another label (first: {neighbours[0]})")
    if duplicate:
        parts.append(f"the almost equal {duplicate} has another label")
    if pack is False and world is True:
        parts.append("it does not fit its uploader's other clips")
    if pack is True and world is False:
        parts.append("it fits its uploader's other clips, but these do not fit everybody else's")
    if pack is False and world is False:
        parts.append("it fits neither its uploader's other clips nor everybody else's")
    if abs(lift) > _SPOKEN_LIFT:
        parts.append(f"labels of its kind were {'often' if lift > 0 else 'seldom'} changed")
    if parts and cost == 1.0 and q > p:
        parts.append("the top level would change")
    return "; ".join(parts) + "." if parts else f"Nothing speaks against {label}."


def _pack_sentence(label, other, n_clips, n_doubtful, p, q):
    likelier = f"; of all of them {other} is likelier ({q:.0%} against {p:.0%})" if q > p else ""
    return f"{n_doubtful} of {n_clips} clips labelled {label} are doubtful{likelier}."


def _maybe(values, missing):
    return pd.arrays.BooleanArray(np.asarray(values, dtype=bool), np.broadcast_to(missing, len(values)).copy())
