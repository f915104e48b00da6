"""scikit-learn's own checks."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from skbst.sampling import MetadataQualitySampler, TeacherAgreementSampler, UploaderCapSampler


@parametrize_with_checks([MetadataQualitySampler(), TeacherAgreementSampler(cv=2), UploaderCapSampler(cap=3)])
def test_sklearn(estimator, check):
    check(estimator)
