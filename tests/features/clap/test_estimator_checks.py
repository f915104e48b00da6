import zlib

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

from skbst.features import ClapAudioFeaturizer, ClapTextFeaturizer, ClapZeroShotClassifier


class AnyLength(ClapZeroShotClassifier):
    """Prompts become random vectors as long as the rows of `X`, which the checks choose."""

    def _embed_classes(self, prompts):
        seeds = [zlib.crc32("".join(group).encode()) for group in prompts]
        vectors = np.stack([np.random.default_rng(seed).normal(size=self.n_features_in_) for seed in seeds])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.slow
def test_audio_featurizer(tiny_clap):
    check_estimator(ClapAudioFeaturizer(tiny_clap, backend="transformers", n_jobs=1))


def test_text_featurizer(tiny_clap):
    check_estimator(ClapTextFeaturizer(tiny_clap, backend="transformers", n_jobs=1))


def test_zero_shot_classifier():
    check_estimator(AnyLength())
