"""A Pipeline that takes groups and answers the top level."""

from copy import copy
from typing import ClassVar

from sklearn import get_config
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.metaestimators import available_if

from skbst._groups import with_groups
from skbst._sklearn import check_is_fitted
from skbst._versioned import VersionedMixin

__all__ = ["SystemPipeline"]


def _last_has(method):
    return available_if(lambda self: hasattr(self.steps[-1][1], method))


class SystemPipeline(VersionedMixin, Pipeline):
    """An ordinary Pipeline whose `fit` takes ``groups``, and which answers the top level.

    `sklearn.pipeline.Pipeline` takes parameters of one step only, under the step's name. Here ``fit(X, y, groups=g)``
    reaches every step whose fit takes groups: cleaners learn the phrases of each uploader, networks keep each on one
    side of their inner split, neighbours leave their own uploader out.

    Parameters
    ----------
    steps : list of tuple (str, estimator)
        Transformers, and a classifier at the end.

    transform_input : list of str, default=None
        Names of metadata that pass the transformers, too, as in `sklearn.pipeline.Pipeline`.

    memory : str or joblib.Memory, default=None
        Keeps the fitted transformers.

    verbose : bool, default=False
        Whether the time of each step is printed.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels that the classifier knows.

    n_features_in_ : int
        Number of features of the first step.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of a table, where the first step knows them.

    Notes
    -----
    A search or cross-validation of scikit-learn gives ``groups`` to its splitter alone. With metadata routing
    (``sklearn.set_config(enable_metadata_routing=True)``) it hands them down here, too; without it, name the step:
    ``search.fit(X, y, groups=g, classifier__groups=g)``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skbst.neighbors import KNNPriorBlender
    >>> from skbst.systems import SystemPipeline
    >>> X, y = np.arange(12.0)[:, None], np.repeat(["fx-a", "m-sp", "m-si"], 4)
    >>> blender = KNNPriorBlender(LogisticRegression(), k=3)
    >>> system = SystemPipeline([("scale", StandardScaler()), ("classifier", blender)])
    >>> system.fit(X, y, groups=np.arange(12) // 2)["classifier"].bank_groups_
    array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    >>> system.predict_top([[11.0]])
    array(['m'], dtype='<U2')
    """

    # fit hands groups to the steps, whose requests count under metadata routing
    __metadata_request__fit: ClassVar = {"groups": UNUSED}
    __metadata_request__fit_transform: ClassVar = {"groups": UNUSED}

    def fit(self, X, y=None, *, groups=None, **params):
        """Fit the steps one after the other.

        Parameters
        ----------
        X : DataFrame, FeatureBundle or array-like of n_samples rows
            Training clips.

        y : array-like of shape (n_samples,), default=None
            Class labels.

        groups : array-like of shape (n_samples,), default=None
            Uploader of each row, for every step whose fit takes groups; missing ones (None, NaN, pd.NA or "") are
            nobody's. With metadata routing, for the steps that request them, as those of skbst do.

        **params : dict
            As in `sklearn.pipeline.Pipeline.fit`, such as ``classifier__sample_weight``.

        Returns
        -------
        self : SystemPipeline
            Fitted.
        """
        return super().fit(X, y, **self._with_groups(groups, params))

    @available_if(lambda self: self.steps[-1][1] == "passthrough" or hasattr(self.steps[-1][1], "transform"))
    def fit_transform(self, X, y=None, *, groups=None, **params):
        """Fit, and transform with the last step; parameters as in `fit`.

        Returns
        -------
        Xt : object
            As the last step gives.
        """
        return super().fit_transform(X, y, **self._with_groups(groups, params))

    def _with_groups(self, groups, params):
        if groups is None:
            return params
        if get_config()["enable_metadata_routing"]:
            return {"groups": groups, **params}
        return with_groups(self, groups, params)

    @_last_has("predict_top")
    def predict_top(self, X, **params):
        """Top level of the class that `predict` gives, ndarray of shape (n_samples,), str; `params` as there."""
        check_is_fitted(self)
        return self[-1].predict_top(self._features_of(X), **params)

    @_last_has("predict_top_proba")
    def predict_top_proba(self, X, **params):
        """Probabilities of the top level, ndarray of shape (n_samples, n_top_classes)."""
        check_is_fitted(self)
        return self[-1].predict_top_proba(self._features_of(X), **params)

    @_last_has("embed")
    def embed(self, X):
        """Features of the classifier, ndarray of shape (n_samples, n_embedding)."""
        check_is_fitted(self)
        return self[-1].embed(self._features_of(X))

    @_last_has("correct")
    def correct(self, rows, labels):
        """Return a new system whose bank has corrected labels; see `skbst.neighbors.KNNPriorBlender.correct`.

        Parameters
        ----------
        rows : array-like of shape (n_corrections,), int
            Positions among the rows of `fit`.

        labels : array-like of shape (n_corrections,)
            The right class of each.

        Returns
        -------
        corrected : SystemPipeline
            Fitted; this one stays as it is.
        """
        check_is_fitted(self)
        corrected, (name, last) = copy(self), self.steps[-1]
        corrected.steps = [*self.steps[:-1], (name, last.correct(rows, labels))]
        return corrected

    def _features_of(self, X):
        return self[:-1].transform(X) if len(self) > 1 else X
