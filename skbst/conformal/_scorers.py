"""Scorers for ``scoring=`` in searches over classifiers with sets."""

from skbst._docstrings import completed_by
from skbst.conformal._metrics import coverage_score, mean_set_size, node_answer_report

__all__ = ["coverage_scorer", "negative_set_size_scorer", "right_leaf_scorer"]


def coverage_scorer(estimator, X, y, sample_weight=None):
    """Share of rows whose class is in its set.

    Parameters
    ----------
    estimator : classifier
        Fitted, with ``predict_set``.

    X : FeatureBundle or array-like of shape (n_samples, n_features)
        Clips.

    y : array-like of shape (n_samples,)
        Their class labels.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    score : float
        In [0, 1].

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skbst.conformal import HierarchicalConformalClassifier, coverage_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> model = HierarchicalConformalClassifier(GaussianNB(), random_state=0)
    >>> cross_val_score(model, X, y, scoring=coverage_scorer).shape
    (5,)
    """
    return coverage_score(y, estimator.predict_set(X), classes=estimator.classes_, sample_weight=sample_weight)


@completed_by(coverage_scorer)
def negative_set_size_scorer(estimator, X, y=None, sample_weight=None):
    """Minus the mean number of classes in a set: the higher, the more is said.

    Parameters
    ----------
    y : None
        Ignored.

    Returns
    -------
    score : float
        At most 0.
    """
    return -mean_set_size(estimator.predict_set(X), sample_weight=sample_weight)


@completed_by(coverage_scorer)
def right_leaf_scorer(estimator, X, y, sample_weight=None):
    """Share of all rows whose node is their class.

    Parameters
    ----------
    estimator : classifier
        Fitted, with ``predict_node``.

    Returns
    -------
    score : float
        In [0, 1].
    """
    nodes = estimator.predict_node(X)
    report = node_answer_report(y, nodes, taxonomy=estimator.taxonomy_, sample_weight=sample_weight)["leaf"]
    return report["share"] * report["accuracy"] if report["share"] else 0.0
