"""Choosing training rows: samplers in imbalanced-learn's protocol, and the BSD-Grand recipe."""

from skbst.sampling._make_bsd_grand import make_bsd_grand
from skbst.sampling._metadata_quality_sampler import MetadataQualitySampler
from skbst.sampling._teacher_agreement_sampler import TeacherAgreementSampler
from skbst.sampling._uploader_cap_sampler import UploaderCapSampler

__all__ = ["MetadataQualitySampler", "TeacherAgreementSampler", "UploaderCapSampler", "make_bsd_grand"]
