"""Find labels that are probably wrong."""

from numbers import Integral
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import _num_samples

from skbst._groups import group_codes, own_group_codes, with_groups
from skbst._sklearn import HasMethods, Interval, _fit_context, check_is_fitted
from skbst._versioned import VersionedMixin
from skbst.conformal import cross_fit, fold_rows
from skbst.curation._doubt import best_other, doubt_order, label_log_ratio
from skbst.exceptions import DataFormatError
from skbst.features import FeatureBundle
from skbst.neighbors import neighbour_prior, retrieval_embedding, top_k_cosine
from skbst.taxonomy import Taxonomy, resolve_taxonomy

__all__ = ["LabelAudit"]

# the report's temperature of the neighbours, which is KNNPriorBlender's default too
_TEMPERATURE = 0.1
# above this cosine two clips are one recording twice, or parts of one
_NEAR_DUPLICATE = 0.98
_N_NEIGHBOURS_SHOWN = 5


class LabelAudit(VersionedMixin, BaseEstimator):
    """Rank rows by how doubtful their label is.

    Two witnesses that have not seen a row say what it is: a classifier, cross-fitted over folds in which the siblings
    of a clip (same uploader) may help, and its nearest neighbours. A label that both find unlikely stands first. A
    second cross-fit by whole uploaders says whether an uploader's clips fit the world.

    Parameters
    ----------
    estimator : estimator
        Any classifier with ``predict_proba``; a Pipeline from clips too.

    cv : int, splitter or iterable, default=5
        Folds of the first view; a number means stratified folds.

    k : int, default=20
        Number of neighbours.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    n_jobs : int, default=None
        Folds that are fitted at once.

    random_state : int, RandomState or None, default=None
        Shuffles the folds; None takes them in the order of the rows.

    Attributes
    ----------
    ranking_ : DataFrame of shape (n_samples, ...)
        Index of the rows of X, most doubtful first: ``label``, ``suggestion``, ``proba_label`` and
        ``proba_suggestion`` (mean of both witnesses), ``score`` (log of their ratio, the lower the more doubtful),
        ``cost`` (1 for another top level, 0.5 within one), ``neighbours`` (names of the nearest that say otherwise),
        ``fits_pack`` (the first view agrees), ``fits_world`` (the view by whole uploaders agrees; missing without
        groups), ``near_duplicate`` (name of an almost equal clip with another label, or ""), ``reason`` (a sentence)
        and ``position`` (row of X).

    packs_ : DataFrame
        One row per uploader and class with at least two clips of which some are doubtful: ``group``, ``label``,
        ``n_clips``, ``n_doubtful``, ``suggestion`` (the most frequent), ``mean_score``; most doubtful first.

    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.

    taxonomy_ : Taxonomy
        The tree cut down to ``classes_``.

    Notes
    -----
    The score is the log-ratio of the mean of both witnesses, one of a handful that were tried; the user guide says
    which, and what each finds of the corrections that BSD10k's makers made.

    References
    ----------
    Northcutt et al., "Confident learning", JAIR 70, 2021 (self-confidence and margin of out-of-fold probabilities).

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbst.curation import LabelAudit
    >>> X, y = make_blobs(90, centers=3, cluster_std=0.5, random_state=0)
    >>> y[7] = (y[7] + 1) % 3
    >>> audit = LabelAudit(LogisticRegression(), random_state=0).fit(X, y)
    >>> int(audit.ranking_.index[0])
    7
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "cv": ["cv_object"],
        "k": [Interval(Integral, 1, None, closed="left")],
        "taxonomy": [Taxonomy, None],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    def __init__(self, estimator, *, cv=5, k=20, taxonomy=None, n_jobs=None, random_state=None):
        self.estimator = estimator
        self.cv = cv
        self.k = k
        self.taxonomy = taxonomy
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, groups=None, metadata=None):
        """Cross-fit, look at neighbours, and rank the rows.

        Parameters
        ----------
        X : DataFrame, FeatureBundle or array-like of shape (n_samples, n_features)
            Rows as the estimator takes them. Neighbours are found in the blocks of a bundle or the columns of an
            array; of a Pipeline from clips, in what its first steps make of them.

        y : array-like of shape (n_samples,)
            Given labels.

        groups : array-like of shape (n_samples,), default=None
            Who uploaded each row; missing is nobody's.

        metadata : DataFrame of shape (n_samples, ...), default=None
            Its columns are joined to `ranking_`, for a person to read.

        Returns
        -------
        self : LabelAudit

        Raises
        ------
        DataFormatError
            If lengths differ or there are fewer than two classes.
        """
        y = column_or_1d(y, warn=True)
        _check_lengths(X, y, metadata)
        self.classes_, label = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataFormatError(f"An audit needs labels of at least 2 classes; got {self.classes_.tolist()}.")
        self.taxonomy_ = resolve_taxonomy(self.taxonomy, self.classes_).reorder(self.classes_)
        codes = None if groups is None else group_codes(groups, len(y))
        views = self._views(X, y, groups, codes)
        found = _neighbours(_vectors(self.estimator, X, y), label, self.k, len(self.classes_))
        table = self._table(label, views, found, _names(X, len(y)))
        order = doubt_order(table["score"].to_numpy(), table["cost"].to_numpy())
        self.packs_ = _packs(table, codes, groups)
        if metadata is not None:
            table = table.join(metadata.set_axis(table.index).add_prefix("metadata_"))
        self.ranking_ = table.iloc[order]
        return self

    def score(self, truth, n=None):
        """How many of the real corrections lie in the first rows of the ranking.

        Parameters
        ----------
        truth : array-like of shape (n_samples,)
            Labels after correction, in the order of X; missing where nobody knows.

        n : int or sequence of int, default=None
            How many rows are looked at; None takes 100, 250, 500, 1000 and all, as far as there are so many.

        Returns
        -------
        found : int, or Series indexed by the number of rows looked at
            Rows whose label was changed.
        """
        check_is_fitted(self)
        truth = np.asarray(truth, dtype=object)
        if len(truth) != len(self.ranking_):
            raise DataFormatError(f"truth must have {len(self.ranking_)} rows, as X; got {len(truth)}.")
        ordered = truth[self.ranking_["position"]]
        changed = ~pd.isna(ordered) & (ordered != self.ranking_["label"].to_numpy())
        if isinstance(n, Integral):
            return int(changed[:n].sum())
        looked = [100, 250, 500, 1000, len(changed)] if n is None else list(n)
        looked = sorted({min(int(number), len(changed)) for number in looked})
        return pd.Series([int(changed[:number].sum()) for number in looked], index=looked, name="found")

    def _views(self, X, y, groups, codes):
        """Out-of-fold probabilities with siblings in training, and without them (None where nobody has siblings)."""
        seed = None if self.random_state is None else check_random_state(self.random_state).randint(2**31)
        params = {"groups": groups} if groups is not None and with_groups(self.estimator, groups, {}) else {}
        fit = {"classes": self.classes_, "n_jobs": self.n_jobs, "fit_params": params}
        pack = cross_fit(self.estimator, X, y, fold_rows(self.cv, X, y, random_state=seed), **fit)
        if len(pack.rows) != len(y):
            raise DataFormatError(f"cv must test every row; {len(y) - len(pack.rows)} of {len(y)} are never tested.")
        if codes is None or len(np.unique(codes[codes >= 0])) < 2:
            return pack.proba, None
        n_folds = self.cv if isinstance(self.cv, Integral) else 5
        splits = fold_rows(n_folds, X, y, groups=own_group_codes(groups, len(y)), random_state=seed)
        return pack.proba, cross_fit(self.estimator, X, y, splits, **fit).proba

    def _table(self, label, views, found, names):
        similar, near, prior = found
        pack, world = views
        known = prior.sum(axis=1) > 0
        proba = np.where(known[:, None], (pack + prior) / 2, pack)
        rows, other = np.arange(len(label)), best_other(proba, label)
        parents = self.taxonomy_.parent_of_leaf
        says_otherwise = np.isfinite(similar) & (label[near] != label[:, None])
        table = pd.DataFrame(
            {
                "label": self.classes_[label],
                "suggestion": self.classes_[other],
                "proba_label": proba[rows, label],
                "proba_suggestion": proba[rows, other],
                "score": label_log_ratio(proba, label),
                "cost": np.where(parents[label] == parents[other], 0.5, 1.0),
                "neighbours": [
                    names[near[i][says_otherwise[i]][:_N_NEIGHBOURS_SHOWN]].tolist() for i in range(len(label))
                ],
                "fits_pack": pack.argmax(axis=1) == label,
                "fits_world": pd.array([None] * len(label), dtype="boolean")
                if world is None
                else pd.array(world.argmax(axis=1) == label, dtype="boolean"),
                "near_duplicate": _near_duplicates(similar, near, says_otherwise, names),
                "position": rows,
            },
            index=names,
        )
        table.insert(len(table.columns) - 1, "reason", [_sentence(row, self.k) for row in table.itertuples()])
        return table


def _check_lengths(X, y, metadata):
    for what, part in (("X", X), ("metadata", metadata)):
        if part is not None and _num_samples(part) != len(y):
            raise DataFormatError(f"{what} has {_num_samples(part)} rows and y has {len(y)} labels.")
    if pd.isna(y).any():
        raise DataFormatError(f"{int(pd.isna(y).sum())} of {len(y)} labels are missing. Drop these rows.")


def _names(X, n_rows):
    return X.index if isinstance(X, (pd.DataFrame, pd.Series)) else pd.RangeIndex(n_rows)


def _vectors(estimator, X, y):
    """What neighbours are found in: the blocks or columns themselves, or what a pipeline makes of clips."""
    if hasattr(estimator, "steps") and isinstance(X, pd.DataFrame) and len(estimator.steps) > 1:
        X = clone(estimator[:-1]).fit(X, y).transform(X)
    if not isinstance(X, FeatureBundle):
        X = np.asarray(X, dtype=np.float32)
    return retrieval_embedding(X)


def _neighbours(vectors, label, k, n_classes):
    similar, near = top_k_cosine(vectors, vectors, min(k, len(label) - 1), exclude_self=True)
    return similar, near, neighbour_prior(similar, label[near], n_classes, _TEMPERATURE)


def _near_duplicates(similar, near, says_otherwise, names):
    close = says_otherwise & (similar >= _NEAR_DUPLICATE)
    return [str(names[near[i][close[i]][0]]) if close[i].any() else "" for i in range(len(near))]


def _sentence(row, k):
    """Why a row stands where it does, in words."""
    if row.score >= 0:
        return f"Nothing speaks against {row.label}."
    parts = [
        f"{row.suggestion} is likelier than {row.label} ({row.proba_suggestion:.0%} against {row.proba_label:.0%})"
    ]
    if row.neighbours:
        parts.append(f"of its {k} nearest neighbours at least {len(row.neighbours)} have another label")
    if row.near_duplicate:
        parts.append(f"the almost equal {row.near_duplicate} has another label")
    if row.fits_pack is False and row.fits_world is True:
        parts.append("it is labelled otherwise than its uploader's other clips")
    if row.cost == 1.0:
        parts.append("the top level would change")
    return "; ".join(parts) + "."


def _packs(table, codes, groups):
    """One row per uploader and class in which clips are doubtful."""
    columns = ["group", "label", "n_clips", "n_doubtful", "suggestion", "mean_score"]
    if codes is None:
        return pd.DataFrame(columns=columns)
    named = table.assign(group=np.asarray(groups, dtype=object))[codes >= 0]
    rows = []
    for (group, label), pack in named.groupby(["group", "label"], sort=True):
        doubtful = pack[pack["score"] < 0]
        if len(pack) > 1 and len(doubtful):
            suggestion = doubtful["suggestion"].mode().iloc[0]
            rows.append((group, label, len(pack), len(doubtful), suggestion, pack["score"].mean()))
    return pd.DataFrame(rows, columns=columns).sort_values("mean_score", kind="stable", ignore_index=True)
