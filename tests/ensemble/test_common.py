from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skbst.ensemble import FoldEnsembleClassifier, HierarchicalDecoder, HierarchicalVotingClassifier

MEMBERS = [("linear", LogisticRegression(C=1)), ("bayes", GaussianNB())]


@parametrize_with_checks(
    [
        HierarchicalVotingClassifier(MEMBERS),
        HierarchicalVotingClassifier([("tree", DecisionTreeClassifier(random_state=0)), MEMBERS[0]], voting="hard"),
        FoldEnsembleClassifier(LogisticRegression(C=1), cv=3),
        HierarchicalDecoder(LogisticRegression(C=1)),
    ]
)
def test_sklearn_compatible(estimator, check):
    check(estimator)
