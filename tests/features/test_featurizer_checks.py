"""scikit-learn's own checks."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from skbst.features import (
    BlockSelector,
    ClipFeaturizer,
    LogMelFeaturizer,
    LogSTFTFeaturizer,
    MFCCFeaturizer,
    PrecomputedFeaturizer,
)

ESTIMATORS = [
    LogSTFTFeaturizer(duration=0.05),
    LogMelFeaturizer(duration=0.05),
    MFCCFeaturizer(),
    PrecomputedFeaturizer(),
    BlockSelector(),
    ClipFeaturizer([("audio", PrecomputedFeaturizer()), ("text", BlockSelector())]),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
