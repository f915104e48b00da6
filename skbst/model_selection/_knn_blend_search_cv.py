"""A grid search over the numbers of a neighbour prior that costs one fit per fold."""

import time
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn import get_config
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, check_cv
from sklearn.utils import indexable
from sklearn.utils.parallel import Parallel, delayed

from skbst._folds import never_test_extra_rows
from skbst._groups import groups_for_splitter, with_groups
from skbst._progress import progress_bar
from skbst._sklearn import (
    BaseSearchCV,
    _check_method_params,
    _fit_context,
    _MultimetricScorer,
    _PassthroughScorer,
    _safe_indexing,
    check_is_fitted,
)
from skbst._versioned import VersionedMixin
from skbst.model_selection._blend._cells import fast_scores_of, score_cells
from skbst.model_selection._blend._fits import blender_params, fit_fold, split_candidates, tell_failures
from skbst.taxonomy import TopLevelMixin, taxonomy_of

__all__ = ["KNNBlendSearchCV"]


class KNNBlendSearchCV(TopLevelMixin, VersionedMixin, BaseSearchCV):
    """Search alpha, k, temperature and prior_weight of a `KNNPriorBlender` at the cost of one fit per fold.

    The classifier is fitted once on each training part. Its probabilities of the test part and the neighbours to the
    largest k are kept, and each cell of the grid is scored by arithmetic on those arrays. ``cv_results_`` holds the
    same scores as a `GridSearchCV` that fits for each cell. Other parameters may stand in the grid too; each of their
    settings costs a fit per fold.

    Parameters
    ----------
    estimator : KNNPriorBlender, or Pipeline that ends in one
        What is searched.

    param_grid : dict or list of dict
        Names (``"alpha"``, or ``"blend__alpha"`` in a Pipeline) and the values to try.

    scoring : str, callable, list, tuple or dict, default=None
        As in `GridSearchCV`. Scorers see predictions, probabilities or decision scores; hF
        (`skbst.metrics.hierarchical_f1_scorer`) takes a short cut that scores thousands of cells a second.

    cv : int, splitter or iterable, default=None
        As in `GridSearchCV`.

    refit : bool, str or callable, default=True
        Whether to fit the best cell on all rows; with several scores the name of the one that decides.

    n_jobs : int, default=None
        Fits run in parallel.

    verbose : int, default=0
        1 shows a bar over the fits.

    return_train_score : bool, default=False
        Whether the training parts are scored, too (each row then finds itself in the bank, as in `GridSearchCV`).

    pre_dispatch : int or str, default="2*n_jobs"
        As in `GridSearchCV`.

    error_score : "raise" or float, default=np.nan
        Score of the cells of a setting that cannot be fitted on some split, with a FitFailedWarning that names it; NaN
        ranks them last. "raise" stops there. The last fit on all rows always raises, and so, before the first fit, do
        names that the estimator lacks and values of alpha, k, temperature or prior_weight out of their range.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As in `GridSearchCV`. ``mean_fit_time`` is that of the fits that a cell shares with others.

    best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, refit_time_, multimetric_, classes_
        As in `GridSearchCV`.

    top_classes_ : ndarray of shape (n_top_classes,)
        Top-level codes, the columns of `predict_top_proba`.

    n_features_in_ : int
        Number of columns of `X`, where the best estimator knows it.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where the best estimator knows them.

    fold_parts_ : list of FoldParts
        Probabilities and neighbours of each test part, for the costly parameters of the best cell; without those of
        splits on which these could not be fitted.

    n_fits_ : int
        How many fits the search took, without the last one on all rows.

    Notes
    -----
    The best score is that of the cell chosen on the same folds, and so a little too good. Judge a system by an outer
    cross-validation around the search.

    References
    ----------
    Report, section 2.3, equations 5 and 6.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbst.model_selection import KNNBlendSearchCV
    >>> from skbst.neighbors import KNNPriorBlender
    >>> X, y = load_iris(return_X_y=True)
    >>> grid = {"alpha": [0.0, 0.2, 0.4], "k": [5, 20], "temperature": [0.05, 0.1]}
    >>> search = KNNBlendSearchCV(KNNPriorBlender(LogisticRegression(max_iter=500)), grid, cv=5).fit(X, y)
    >>> len(search.cv_results_["params"]), search.n_fits_
    (12, 5)
    """

    _parameter_constraints: ClassVar[dict] = {**BaseSearchCV._parameter_constraints, "param_grid": [dict, list]}

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        cv=None,
        refit=True,
        n_jobs=None,
        verbose=0,
        return_train_score=False,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
    ):
        super().__init__(
            estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_grid = param_grid

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, **params):
        """Fit once per fold, score every cell, and fit the best one on all rows.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            Clips.

        y : array-like of shape (n_samples,)
            Class labels.

        **params : dict
            ``groups`` go to the splitter, to the blender and to all other parts whose ``fit`` takes groups; missing
            ones (None, NaN, pd.NA or "") are nobody's. The rest goes to the estimator's ``fit``. With metadata
            routing, to whoever has requested them. With ``exclude_own_group`` the groups that the blender gets in
            ``fit`` count at prediction, too. Rows of ``train_only`` are trained on and never tested.

        Returns
        -------
        self : KNNBlendSearchCV
            Fitted.
        """
        X, y = indexable(X, y)
        params = _check_method_params(X, params)
        scorers, refit_metric = self._get_scorers()
        routed = self._get_routed_params_for_fit(params)
        fit_params = with_groups(self.estimator, params.get("groups"), routed["estimator"]["fit"])
        score_params = self._score_params(scorers, routed["scorer"]["score"])
        context = self._init_callback_context(max_subtasks=1 + (self.refit is not False))
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        candidates = list(ParameterGrid(self.param_grid))
        settings = split_candidates(self.estimator, candidates)
        cv = check_cv(self.cv, y, classifier=True)
        split_params = routed["splitter"]["split"]
        if "groups" in split_params:
            split_params = {**split_params, "groups": groups_for_splitter(split_params["groups"])}
        splits = never_test_extra_rows(list(cv.split(X, y, **split_params)), fit_params, params.get("groups"))
        self.n_splits_, self.n_fits_ = len(splits), len(splits) * len(settings)
        folds = self._fit_folds(X, y, splits, settings, fit_params, context)
        if self.error_score != "raise":
            tell_failures(settings, folds, self.error_score)
        out = self._score_folds(X, y, folds, settings, scorers, score_params)
        self.cv_results_ = self._format_results(candidates, self.n_splits_, out)
        for values in self.cv_results_.values():
            getattr(values, "fill_value", None)  # numpy writes it into a masked array when it is first printed
        self._choose(out, refit_metric)
        chosen = next((n for n, s in enumerate(settings) if getattr(self, "best_index_", 0) in s[1]), 0)
        self.fold_parts_ = [fold[0] for fold in folds[chosen] if fold[0] is not None]
        self.scorer_ = scorers._scorers if isinstance(scorers, _MultimetricScorer) else scorers
        if self.refit:
            self._refit(X, y, fit_params, context)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    @property
    def top_classes_(self):
        """Top-level codes, the columns of `predict_top_proba`."""
        check_is_fitted(self)
        return taxonomy_of(self).tops

    def score_cells(self, param_grid):
        """Score further cells on the folds of the search; nothing is fitted.

        Parameters
        ----------
        param_grid : dict or list of dict
            Values of alpha, k, temperature and prior_weight, without a Pipeline's prefix; k at most the largest of the
            search. What is not named keeps its best value.

        Returns
        -------
        table : DataFrame
            Columns alpha, k, temperature, prior_weight, mean_test_score, std_test_score (``mean_test_<name>`` ... with
            several scores), in the order of the grid.
        """
        check_is_fitted(self, "fold_parts_")
        (_, _, best), *_ = split_candidates(self.estimator, [getattr(self, "best_params_", {})])
        cells = [{**best[0], **cell} for cell in ParameterGrid(param_grid)]
        k = max(cell["k"] for cell in cells)
        largest = min(parts.similarities.shape[1] for parts in self.fold_parts_)
        if any(k > parts.similarities.shape[1] < parts.n_bank for parts in self.fold_parts_):
            raise ValueError(f"The search kept {largest} neighbours; for a larger k, name it in param_grid.")
        scorer = self.scorer_
        if isinstance(scorer, dict):
            scorer = _MultimetricScorer(scorers=scorer, raise_exc=True)
        fast = fast_scores_of(scorer, np.concatenate([parts.y for parts in self.fold_parts_]))
        folds = [pd.DataFrame(_named(score_cells(parts, cells, scorer, fast=fast)[0])) for parts in self.fold_parts_]
        table = pd.DataFrame(cells)
        for name in folds[0].columns:
            values = np.stack([fold[name] for fold in folds])
            table[f"mean_test_{name}"], table[f"std_test_{name}"] = values.mean(axis=0), values.std(axis=0)
        return table

    def _score_params(self, scorers, params):
        # without a scorer they are for the score method of the estimator, which a bare classifier answers for here
        if isinstance(scorers, _PassthroughScorer) and get_config()["enable_metadata_routing"]:
            return blender_params(self.estimator, "score", params)
        return params

    def _fit_folds(self, X, y, splits, settings, fit_params, context):
        groups = blender_params(self.estimator, "fit", fit_params).get("groups")
        tasks = [(n, train, test) for n in range(len(settings)) for train, test in splits]
        search = context.subcontext(task_name="search", max_subtasks=len(tasks), sequential_subtasks=False)
        search.call_on_fit_task_begin(estimator=self)
        contexts = [search.subcontext(task_name="fold", task_id=i) for i in range(len(tasks))]
        largest = [max(cell["k"] for cell in cells) for _, _, cells in settings]
        parallel = Parallel(n_jobs=self.n_jobs, pre_dispatch=self.pre_dispatch, return_as="generator")
        found = parallel(
            delayed(fit_fold)(
                self.estimator,
                X,
                y,
                train,
                test,
                settings[n][0],
                fit_params,
                groups,
                largest[n],
                self.return_train_score,
                self,
                task_context,
            )
            for (n, train, test), task_context in zip(tasks, contexts)
        )
        found = list(progress_bar(found, total=len(tasks), desc="search", unit="fit", verbose=self.verbose))
        search.call_on_fit_task_end(estimator=self)
        return [found[i : i + len(splits)] for i in range(0, len(tasks), len(splits))]

    def _score_folds(self, X, y, folds, settings, scorers, score_params):
        """Return scikit-learn's list of results: candidates one after the other, their splits inside."""
        fast = None if score_params else fast_scores_of(scorers, np.asarray(y))
        n_candidates = sum(len(members) for _, members, _ in settings)
        out = [None] * (n_candidates * self.n_splits_)
        for (_, members, cells), parts_of_folds in zip(settings, folds):
            for split, (test, train, fit_time, predict_time, _) in enumerate(parts_of_folds):
                scores, seconds = self._score_rows(test, X, cells, scorers, score_params, fast)
                train_scores, _ = self._score_rows(train, X, cells, scorers, score_params, fast)
                for j, member in enumerate(members):
                    result = {"test_scores": scores[j], "fit_time": fit_time, "score_time": predict_time + seconds[j]}
                    if self.return_train_score:
                        result["train_scores"] = train_scores[j]
                    out[member * self.n_splits_ + split] = result
        return _with_all_names(out, self.error_score)

    def _score_rows(self, parts, X, cells, scorers, score_params, fast):
        if parts is None:
            return [self.error_score] * len(cells), [0.0] * len(cells)
        rows_X = None if fast is not None else _safe_indexing(X, parts.rows)
        rows_params = _check_method_params(X, score_params, indices=parts.rows)
        return score_cells(parts, cells, scorers, rows_X, rows_params, fast, self.error_score)

    def _choose(self, out, refit_metric):
        self.multimetric_ = isinstance(out[0]["test_scores"], dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(out[0]["test_scores"])
            refit_metric = self.refit
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, self.cv_results_)
            if not callable(self.refit):
                self.best_score_ = self.cv_results_[f"mean_test_{refit_metric}"][self.best_index_]
            self.best_params_ = self.cv_results_["params"][self.best_index_]

    def _refit(self, X, y, fit_params, context):
        self.best_estimator_ = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        task = context.subcontext(task_name="refit-with-best-params")
        with task.propagate_callback_context(self.best_estimator_):
            task.call_on_fit_task_begin(estimator=self, X=X, y=y)
            start = time.perf_counter()
            self.best_estimator_.fit(X, y, **fit_params)
            self.refit_time_ = time.perf_counter() - start
        task.call_on_fit_task_end(estimator=self, X=X, y=y)
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_


def _with_all_names(out, error_score):
    """Give what failed as many scores as the rest has."""
    for key in ("test_scores", "train_scores"):
        names = next((result[key] for result in out if isinstance(result.get(key), dict)), None)
        for result in out if names is not None else ():
            if not isinstance(result[key], dict):
                result[key] = dict.fromkeys(names, error_score)
    return out


def _named(scores):
    return scores if isinstance(scores[0], dict) else [{"score": score} for score in scores]
