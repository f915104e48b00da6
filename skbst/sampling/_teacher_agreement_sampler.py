"""Rows whose labels are confirmed by models of trusted rows."""

import os
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.model_selection import StratifiedKFold, check_cv

from skbst._groups import groups_for_splitter, read_groups
from skbst._progress import progress_bar
from skbst._sklearn import HasMethods, Interval, StrOptions, _fit_context
from skbst.exceptions import DataFormatError
from skbst.sampling._row_sampler import RowSampler, keep_class_floor, read_candidates
from skbst.sampling._teachers import default_teacher, judge

__all__ = ["TeacherAgreementSampler"]

_TEXT_VIEWS = ("title", "title+tags", "title+tags+description")


class TeacherAgreementSampler(RowSampler):
    """Keep rows on whose label out-of-fold teachers agree (report, section 2.4).

    One teacher is trained per fold and per view of the metadata, always on trusted rows only. With `candidates` given
    to `fit_resample`, the other rows are the trusted ones (BSD10k) and the candidates (BSD35k-CS) are judged by the
    mean probability of the folds' teachers. Without, every row is judged by the one teacher that has not seen it,
    which finds doubtful labels inside one set.

    A view votes for a label if the label is its most probable class and leads the next one by `min_margin`.

    Parameters
    ----------
    teacher : classifier with ``predict_proba``, default=None
        Any classifier or pipeline; it gets an array of texts for a named view, else what the view gives. None takes
        TF-IDF with logistic regression for texts and logistic regression for numbers.

    views : "auto", None or sequence of str or callable, default="auto"
        What the teachers read: names among "title", "title+tags" and "title+tags+description" (cleaned by
        :class:`~skbst.text.MetadataCleaner`, which learns from the same rows as the teacher), or functions of rows.
        "auto" takes the three views for a DataFrame with these columns, else the rows as they are, as None does.

    agreement : {"all", "majority"} or int, default="all"
        How many views must vote for the label.

    min_margin : float in [0, 1), default=0.0
        Least lead, in probability, over the next class.

    min_per_class : int, default=25
        Rows that each class keeps at least among the candidates, if it has them: those with the best scores come
        back. Without it rare classes all but vanish.

    cv : int or splitter, default=5
        Folds of the trusted rows. An int makes stratified shuffled folds with `random_state`: with the defaults
        the official outer folds of BSD10k.

    fold : int, default=None
        Use the teachers of this fold only, which have not seen its test part: for training data that are evaluated
        on that fold without leakage. None uses all folds. Needs `candidates`.

    store : str or path-like, default=None
        Folder where finished teachers' probabilities are kept, so that an interrupted run goes on; safe to share
        between runs, as names depend on the data, the teacher and its parameters.

    random_state : int, default=1821
        Seed of the folds.

    n_jobs : int, default=None
        Teachers trained at the same time.

    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_kept,), int
        Positions of the rows that stay, ascending.

    scores_ : DataFrame, one row per candidate
        ``position`` in `X`, ``label``; per view ``predicted[view]`` and ``proba[view]`` (of the label);
        ``votes``, ``score`` (mean probability of the label over the views), ``margin`` (least over the views),
        ``kept`` and ``reason`` ("" for a row that stays).

    classes_ : ndarray of shape (n_classes,)
        The teachers' classes.

    views_ : tuple
        The views that were used.

    n_features_in_ : int
        Number of columns of `X`, where it has columns.

    feature_names_in_ : ndarray of str
        Their names, where `X` is a DataFrame.

    See Also
    --------
    make_bsd_grand : The whole recipe of the report.

    References
    ----------
    Technical report "A multi-branch hierarchy-aware framework for heterogeneous audio classification", DCASE 2026
    Task 1, section 2.4. The three views are our reading of "three different metadata views".

    Examples
    --------
    >>> import numpy as np
    >>> from skbst.sampling import TeacherAgreementSampler
    >>> X = np.repeat([[0.0], [10.0]], 12, axis=0) + np.linspace(0, 1, 24)[:, None]
    >>> y = np.repeat(["fx-a", "m-sp"], 12)
    >>> y[3] = "m-sp"
    >>> sampler = TeacherAgreementSampler(min_per_class=0)
    >>> X_kept, y_kept = sampler.fit_resample(X, y)
    >>> np.setdiff1d(np.arange(24), sampler.sample_indices_)
    array([3])
    """

    _parameter_constraints: ClassVar[dict] = {
        "teacher": [HasMethods(["fit", "predict_proba"]), None],
        "views": [StrOptions({"auto"}), None, list, tuple],
        "agreement": [StrOptions({"all", "majority"}), Interval(Integral, 1, None, closed="left")],
        "min_margin": [Interval(Real, 0, 1, closed="left")],
        "min_per_class": [Interval(Integral, 0, None, closed="left")],
        "cv": ["cv_object"],
        "fold": [Interval(Integral, 0, None, closed="left"), None],
        "store": [str, os.PathLike, None],
        "random_state": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        teacher=None,
        *,
        views="auto",
        agreement="all",
        min_margin=0.0,
        min_per_class=25,
        cv=5,
        fold=None,
        store=None,
        random_state=1821,
        n_jobs=None,
        verbose=0,
    ):
        self.teacher = teacher
        self.views = views
        self.agreement = agreement
        self.min_margin = min_margin
        self.min_per_class = min_per_class
        self.cv = cv
        self.fold = fold
        self.store = store
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, candidates=None, groups=None):
        """Choose the rows; same arguments as `fit_resample`.

        Returns
        -------
        self : TeacherAgreementSampler
        """
        X, y = self._check_rows(X, y)
        mask = read_candidates(candidates, len(y))
        trusted = np.arange(len(y)) if candidates is None else np.flatnonzero(~mask)
        self.classes_ = np.unique(y[trusted])
        if len(self.classes_) < 2:
            raise DataFormatError(f"Teachers need trusted rows of 2 or more classes; got {len(self.classes_)} class.")
        self.views_ = self._resolve_views(X)
        groups = None if groups is None else read_groups(groups, len(y))
        jobs = self._jobs(X, y, trusted, np.flatnonzero(mask), candidates is None, groups)
        proba = self._judge(X, y, jobs, np.flatnonzero(mask), groups)
        self.scores_ = self._score(X, y, np.flatnonzero(mask), proba)
        gone = self.scores_["position"].to_numpy()[~self.scores_["kept"].to_numpy()]
        self.sample_indices_ = np.setdiff1d(np.arange(len(y)), gone)
        return self

    def fit_resample(self, X, y, *, candidates=None, groups=None):
        """Return the rows that stay.

        Parameters
        ----------
        X : DataFrame, array, list or FeatureBundle of n_samples rows
            Any rows that the teacher reads.

        y : array-like of shape (n_samples,)
            Class of each row.

        candidates : array-like of shape (n_samples,), bool, default=None
            Rows that are judged and may go; the others are trusted and stay. None: all rows are judged, each by
            teachers of the other folds.

        groups : array-like of shape (n_samples,), default=None
            Uploader of each row, for the splitter (with the trusted rows' part), for the cleaning of texts, and for
            teachers whose fit takes groups; missing ones (None, NaN, pd.NA or "") are nobody's.

        Returns
        -------
        X_resampled, y_resampled
            The rows that stay, in their order, of the same types.
        """
        return self.fit(X, y, candidates=candidates, groups=groups)._resample(X, y)

    def _resolve_views(self, X):
        has_text = isinstance(X, pd.DataFrame) and {"title", "tags", "description"} <= set(X.columns)
        if self.views is None or (isinstance(self.views, str) and not has_text):
            return (None,)
        views = _TEXT_VIEWS if isinstance(self.views, str) else tuple(self.views)
        if not views:
            raise DataFormatError("views is empty; pass names, functions, or None for the rows as they are.")
        for view in views:
            if isinstance(view, str) and view not in _TEXT_VIEWS:
                raise DataFormatError(f"There is no view {view!r}; the named views are {list(_TEXT_VIEWS)}.")
            if isinstance(view, str) and not (isinstance(X, pd.DataFrame) and set(view.split("+")) <= set(X.columns)):
                raise DataFormatError(f"View {view!r} needs a DataFrame with the columns {view.split('+')}.")
        return views

    def _jobs(self, X, y, trusted, judged, within, groups):
        """List of (view number, training rows, rows they judge)."""
        cv = self.cv
        if isinstance(cv, Integral):
            cv = StratifiedKFold(int(cv), shuffle=True, random_state=self.random_state)
        cv = check_cv(cv, y[trusted], classifier=True)
        part = None if groups is None else groups_for_splitter(groups[trusted])
        splits = list(cv.split(np.zeros(len(trusted)), y[trusted], part))
        if self.fold is not None:
            if within or self.fold >= len(splits):
                raise DataFormatError(
                    f"fold={self.fold} needs candidates beside the trusted rows, and more than {self.fold} folds "
                    f"(there are {len(splits)})."
                )
            splits = splits[self.fold : self.fold + 1]
        return [
            (number, trusted[train], trusted[test] if within else judged)
            for number in range(len(self.views_))
            for train, test in splits
        ]

    def _judge(self, X, y, jobs, judged, groups):
        """Mean probability per view, (n_views, n_judged, n_classes) float32."""
        place = np.full(len(y), -1)
        place[judged] = np.arange(len(judged))
        total = np.zeros((len(self.views_), len(judged), len(self.classes_)), dtype=np.float32)
        count = np.zeros((len(self.views_), len(judged), 1), dtype=np.float32)
        done = Parallel(n_jobs=self.n_jobs, return_as="generator")(
            delayed(judge)(
                self._teacher(X, self.views_[number]),
                X,
                y,
                self.classes_,
                self.views_[number],
                *parts,
                self.store,
                groups,
            )
            for number, *parts in jobs
        )
        bar = progress_bar(done, total=len(jobs), desc="Teachers", unit="teacher", verbose=self.verbose)
        for (number, _, rows), proba in zip(jobs, bar):
            total[number, place[rows]] += proba
            count[number, place[rows]] += 1
        return total / np.maximum(count, 1)

    def _teacher(self, X, view):
        if self.teacher is not None:
            return self.teacher
        texts = isinstance(X, pd.Series) or (not isinstance(X, pd.DataFrame) and len(X) and isinstance(X[0], str))
        return default_teacher(text=isinstance(view, str) or (view is None and texts))

    def _score(self, X, y, judged, proba):
        labels, n_views = y[judged], len(self.views_)
        column = np.minimum(np.searchsorted(self.classes_, labels), len(self.classes_) - 1)
        known = self.classes_[column] == labels
        rows = np.arange(len(judged))
        of_label = np.where(known, proba[:, rows, column], 0.0)
        others = proba.copy()
        others[:, rows[known], column[known]] = -1.0
        margin = of_label - others.max(axis=2)
        votes = ((margin >= self.min_margin) & (margin > 0)).sum(axis=0)
        needed = {"all": n_views, "majority": n_views // 2 + 1}.get(self.agreement, self.agreement)
        score, kept = of_label.mean(axis=0), votes >= needed
        back = keep_class_floor(kept, labels, score, self.min_per_class)
        index = X.index[judged] if isinstance(X, (pd.DataFrame, pd.Series)) else None
        table = {"position": judged, "label": labels}
        for number, view in enumerate(self.views_):
            name = view if isinstance(view, str) else f"view {number}"
            table[f"predicted[{name}]"] = self.classes_[proba[number].argmax(axis=1)]
            table[f"proba[{name}]"] = of_label[number]
        reason = np.where(kept | back, "", [f"teachers disagree ({vote} of {n_views} votes)" for vote in votes])
        table |= {"votes": votes, "score": score, "margin": margin.min(axis=0), "kept": kept | back, "reason": reason}
        return pd.DataFrame(table, index=index)
