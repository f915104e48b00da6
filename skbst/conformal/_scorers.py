"""Scorers for ``scoring=`` in searches over classifiers with sets."""

from skbst.conformal._metrics import coverage_score, mean_set_size, node_answer_report

__all__ = ["coverage_scorer", "negative_set_size_scorer", "right_leaf_scorer"]


def coverage_scorer(estimator, X, y, sample_weight=None):
    """Share of rows whose class is in its set, of a fitted classifier with ``predict_set``.

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


def negative_set_size_scorer(estimator, X, y=None, sample_weight=None):
    """Minus the mean number of classes in a set: the higher, the more is said."""
    return -mean_set_size(estimator.predict_set(X), sample_weight=sample_weight)


def right_leaf_scorer(estimator, X, y, sample_weight=None):
    """Share of all rows whose node is their class, of a fitted classifier with ``predict_node``."""
    nodes = estimator.predict_node(X)
    report = node_answer_report(y, nodes, taxonomy=estimator.taxonomy_, sample_weight=sample_weight)["leaf"]
    return report["share"] * report["accuracy"] if report["share"] else 0.0
