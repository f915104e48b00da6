"""Find labels that are probably wrong."""

from copy import copy
from numbers import Integral
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.metadata_routing import get_routing_for_object

from skbst._folds import cross_fit, fold_rows
from skbst._groups import group_codes, groups_for_splitter, own_group_codes, stored_groups, with_groups
from skbst._sklearn import HasMethods, Interval, _fit_context, _num_samples, check_is_fitted
from skbst._versioned import VersionedMixin
from skbst.curation._neighbour_vectors import neighbour_vectors
from skbst.curation._ranking import Evidence, pack_table, ranking_table
from skbst.exceptions import DataFormatError
from skbst.neighbors import neighbour_prior, top_k_cosine
from skbst.taxonomy import Taxonomy, resolve_taxonomy

__all__ = ["LabelAudit"]

# of 0.05 and 0.1, with few voters
_TEMPERATURE = 0.05
# of 5, 10, 20 and 50 the one that found most of the real corrections in the first 100, over four draws of the folds
_N_VOTERS = 5
# state of an answer: a class from 0, or
_UNSURE, _NOT_ASKED = -1, -2


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
        Number of neighbours that are looked at; the nearest five vote.

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
        ``cost`` (1 for another top level, 0.5 within one; the higher first among equals), ``neighbours`` (names of the
        nearest that say otherwise) and ``n_otherwise`` (how many of the k do), ``fits_pack`` (the first view, which
        knows the uploader's other clips, agrees; missing where there are none), ``fits_world`` (the view by whole
        uploaders agrees; missing without groups), ``proba_pack`` and ``proba_world`` (the given label's in either),
        ``near_duplicate`` (name of an almost equal clip with another label, or ""), ``reason`` (a sentence) and
        ``position`` (row of X).

    packs_ : DataFrame
        One row per uploader and class with at least two clips of which some are doubtful to either view: ``group``,
        ``label``, ``suggestion``, ``n_clips``, ``n_doubtful``, ``proba_label`` and ``proba_suggestion`` (means over the
        clips, by models that know no clip of this uploader), ``score``, ``cost`` and ``reason``; most doubtful first.

    answers_ : Series of shape (n_answers,)
        What `answer` was told, by the names of the rows; missing where somebody was unsure.

    proba_, proba_world_ : ndarray of shape (n_samples, n_classes)
        Out-of-fold probabilities of both views, rows as in X; the second is None without groups.

    neighbours_, similarities_ : ndarray of shape (n_samples, k)
        Positions and cosines of the nearest rows.

    groups_ : ndarray of shape (n_samples,) or None
        Uploaders, if given.

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
        self.groups_ = None if groups is None else stored_groups(groups, len(y))
        self._label, self._codes = label, codes
        self._names, self._metadata = _names(X, len(y)), metadata
        self.proba_, self.proba_world_ = self._views(X, y, groups, codes)
        vectors, self._near_duplicate = neighbour_vectors(self.estimator, X, self.proba_)
        self.similarities_, self.neighbours_ = top_k_cosine(
            vectors, vectors, min(self.k, len(y) - 1), exclude_self=True
        )
        self._rank(np.full(len(y), _NOT_ASKED))
        return self

    def answer(self, rows, labels):
        """Take answers about some rows and rank what is left; nothing is trained.

        Answers count in three ways: as labels of neighbours, and as the rate at which labels of the same kind turned
        out wrong: of the same label and suggestion, of the same uploader and label, and of the same uploader.

        Parameters
        ----------
        rows : array-like of shape (n_answers,)
            Names of rows, as the index of `ranking_` has them (for an array as X: their positions).

        labels : array-like of shape (n_answers,)
            What a person says they are, the given label where it is right; missing for one who is unsure.

        Returns
        -------
        audit : LabelAudit
            A new one: its `ranking_` holds the rows that nobody answered, its `answers_` all answers so far. This one
            stays as it is.

        Raises
        ------
        DataFormatError
            If a row is not known or answered twice in one call, or a label is none of ``classes_``. A later answer
            replaces an earlier one.

        Examples
        --------
        >>> from sklearn.datasets import make_blobs
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skbst.curation import LabelAudit
        >>> X, y = make_blobs(90, centers=3, cluster_std=0.5, random_state=0)
        >>> y[7] = (y[7] + 1) % 3
        >>> audit = LabelAudit(LogisticRegression(), random_state=0).fit(X, y)
        >>> first = audit.ranking_.iloc[0]
        >>> again = audit.answer([first.name], [first["suggestion"]])
        >>> len(audit.ranking_), len(again.ranking_), again.answers_.index.tolist()
        (90, 89, [7])
        """
        check_is_fitted(self)
        places, codes = _answered(self._names, rows, labels, self.classes_)
        given = self._given.copy()
        given[places] = codes
        audit = copy(self)
        audit._rank(given)
        return audit

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
        if len(truth) != len(self._label):
            raise DataFormatError(f"truth must have {len(self._label)} rows, as X; got {len(truth)}.")
        ordered = truth[self.ranking_["position"]]
        changed = ~pd.isna(ordered) & (ordered != self.ranking_["label"].to_numpy())
        if isinstance(n, Integral):
            return int(changed[:n].sum())
        looked = [100, 250, 500, 1000, len(changed)] if n is None else list(n)
        looked = sorted({min(int(number), len(changed)) for number in looked})
        return pd.Series([int(changed[:number].sum()) for number in looked], index=looked, name="found")

    def _rank(self, given):
        """Make the tables from the evidence of `fit` and the answers so far; called while the audit is being made."""
        self._given = given
        current, answered = np.where(given >= 0, given, self._label), given >= 0
        # of k neighbours that are looked at the nearest few vote
        similar, near = self.similarities_[:, :_N_VOTERS], self.neighbours_[:, :_N_VOTERS]
        evidence = Evidence(
            label=self._label,
            current=current,
            answered=answered,
            proba=self.proba_,
            world=self.proba_world_,
            prior=neighbour_prior(similar, current[near], len(self.classes_), _TEMPERATURE),
            similar=self.similarities_,
            near=self.neighbours_,
            near_duplicate=self._near_duplicate,
            groups=np.full(len(current), -1) if self._codes is None else self._codes,
            parents=self.taxonomy_.parent_of_leaf,
        )
        left = given == _NOT_ASKED
        ranking = ranking_table(evidence, self.classes_, self._names, left=left)
        if self._metadata is not None:
            told = self._metadata.iloc[ranking["position"]].set_axis(ranking.index).add_prefix("metadata_")
            ranking = pd.concat([ranking, told], axis=1)
        self.ranking_ = ranking
        self.packs_ = pack_table(evidence, self.classes_, self.groups_, left=left)
        asked = np.flatnonzero(~left)
        said = np.where(given[asked] >= 0, self.classes_.astype(object)[given[asked]], None)
        self.answers_ = pd.Series(said, index=self._names[asked], dtype=object, name="answer")

    def _views(self, X, y, groups, codes):
        """Out-of-fold probabilities with siblings in training, and without them (None where nobody has siblings)."""
        seed = None if self.random_state is None else check_random_state(self.random_state).randint(2**31)
        params = with_groups(self.estimator, groups, {})
        fit = {"classes": self.classes_, "n_jobs": self.n_jobs, "fit_params": params}
        told = {"groups": groups_for_splitter(groups)} if groups is not None and _wants_groups(self.cv) else None
        first = fold_rows(self.cv, X, y, random_state=seed, split_params=told)
        pack = cross_fit(self.estimator, X, y, first, **fit)
        if len(pack.rows) != len(y):
            raise DataFormatError(f"cv must test every row; {len(y) - len(pack.rows)} of {len(y)} are never tested.")
        if codes is None or len(np.unique(codes[codes >= 0])) < 2:
            return pack.proba, None
        n_folds = self.cv if isinstance(self.cv, Integral) else 5
        splits = fold_rows(n_folds, X, y, groups=own_group_codes(groups, len(y)), random_state=seed)
        return pack.proba, cross_fit(self.estimator, X, y, splits, **fit).proba


def _check_lengths(X, y, metadata):
    if metadata is not None and not isinstance(metadata, pd.DataFrame):
        raise DataFormatError(f"metadata must be a DataFrame with a row for each of X; got {type(metadata).__name__}.")
    for what, part in (("X", X), ("metadata", metadata)):
        if part is not None and _num_samples(part) != len(y):
            raise DataFormatError(f"{what} has {_num_samples(part)} rows and y has {len(y)} labels.")
    if pd.isna(y).any():
        raise DataFormatError(f"{int(pd.isna(y).sum())} of {len(y)} labels are missing. Drop these rows.")


def _wants_groups(cv):
    """Whether a splitter makes its folds by groups."""
    return hasattr(cv, "split") and get_routing_for_object(cv).split.requests.get("groups") is True


def _names(X, n_rows):
    return X.index if isinstance(X, (pd.DataFrame, pd.Series)) else pd.RangeIndex(n_rows)


def _answered(names, rows, labels, classes):
    """Positions of the rows and classes of some answers; -1 for the class of one who was unsure."""
    rows, labels = pd.Index(rows), np.asarray(labels, dtype=object)
    if labels.shape != (len(rows),):
        raise DataFormatError(f"answer needs one label for each of {len(rows)} rows; got labels of {labels.shape}.")
    if not names.is_unique:
        raise DataFormatError(f"{int(names.duplicated().sum())} rows of X have the name of another; make it unique.")
    places = names.get_indexer_for(rows)
    if (places < 0).any():
        raise DataFormatError(
            f"{int((places < 0).sum())} of {len(rows)} answers are about rows that the audit does not know (first: "
            f"{rows[places < 0][0]!r}). Name them as the index of ranking_ does."
        )
    if len(np.unique(places)) < len(places):
        raise DataFormatError(f"{rows[rows.duplicated()][0]!r} is answered twice; give one answer a row.")
    codes = pd.Index(classes, dtype=object).get_indexer(labels)
    unknown = (codes < 0) & ~pd.isna(labels)
    if unknown.any():
        raise DataFormatError(
            f"{int(unknown.sum())} of {len(labels)} labels are no class of the audit (first: "
            f"{labels[unknown][0]!r}). Take one of {classes.tolist()[:30]}, or None where nobody can tell."
        )
    return places, codes
