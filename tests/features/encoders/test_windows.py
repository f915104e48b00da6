"""Where an encoder listens by itself: the window of its extractor, over all of a sound, and nothing drawn."""

import json
import random
import shutil

import numpy as np
import pytest
import torch
import transformers

from skbst.audio import resample
from skbst.features import TransformersAudioFeaturizer

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:transformers", "ignore::UserWarning:torch")
RATE = 16000
# 128 frames of 25 ms every 10 ms, 1 s and 2 s: what the small extractors are configured for
WINDOWS = {"audio-spectrogram-transformer": 20720, "clap": 16000, "whisper": 32000}


def noise(n_samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)


def assert_read_in_windows(folder, n_window):
    """A sound of two windows and a half is what its parts are, each counted by its length."""
    waveform = noise(n_window * 5 // 2)
    featurizer = TransformersAudioFeaturizer(folder, normalize=False, n_jobs=1).fit([(waveform, RATE)])
    parts = [waveform[start : start + n_window] for start in range(0, len(waveform), n_window)]
    whole, *alone = featurizer.transform([(sound, RATE) for sound in (waveform, *parts)])
    np.testing.assert_allclose(whole, np.average(alone, axis=0, weights=[2, 2, 1]), atol=1e-6)
    assert np.abs(whole - np.mean(alone, axis=0)).max() > 1e-5
    one, longer = featurizer.transform([(waveform[:n_window], RATE), (waveform[: n_window + 1600], RATE)])
    assert np.abs(longer - one).max() > 1e-5


@pytest.mark.parametrize("model_type", WINDOWS)
def test_the_window_is_the_extractors(model_type, folder_of):
    assert_read_in_windows(folder_of(model_type), WINDOWS[model_type])


def test_another_configuration_is_another_window(folder_of, tmp_path):
    folder = shutil.copytree(folder_of("clap"), tmp_path / "clap")
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    settings |= {"max_length_s": 2, "nb_max_samples": 32000, "hop_length": 320}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    assert_read_in_windows(folder, 32000)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.ASTModel(transformers.ASTConfig(**sizes, max_length=64, num_mel_bins=32))
    model.save_pretrained(tmp_path / "ast")
    transformers.ASTFeatureExtractor(num_mel_bins=32, max_length=64).save_pretrained(tmp_path / "ast")
    assert_read_in_windows(tmp_path / "ast", 64 * 160 + 240)


def test_another_configuration_is_another_rate(folder_of, tmp_path):
    folder = shutil.copytree(folder_of("wav2vec2"), tmp_path / "slow")
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(settings | {"sampling_rate": 8000}))
    waveform = noise(16000)
    slow = TransformersAudioFeaturizer(folder).fit([(waveform, RATE)])
    expected = slow.transform([(resample(waveform, RATE, 8000), 8000)])
    np.testing.assert_array_equal(slow.transform([(waveform, RATE)]), expected)
    assert slow.transform([(waveform, RATE)])[0] @ slow.transform([(waveform, 8000)])[0] < 0.9999


def test_ten_seconds_where_the_extractor_names_none(folder_of):
    waveform = noise(240_000)
    auto, ten, eight = (
        TransformersAudioFeaturizer(folder_of("sew"), window=window).fit_transform([(waveform, RATE)])[0]
        for window in ("auto", 10.0, 8.0)
    )
    np.testing.assert_array_equal(auto, ten)
    assert np.abs(auto - eight).max() > 1e-6


@pytest.mark.parametrize("model_type", WINDOWS)
def test_all_of_a_long_sound_is_heard_and_nothing_is_drawn(model_type, folder_of):
    n_window = WINDOWS[model_type]
    waveform = noise(4 * n_window)
    changed = [waveform.copy() for _ in range(4)]
    for number, sound in enumerate(changed):
        sound[number * n_window : (number + 1) * n_window] = noise(n_window, 9) * np.hanning(n_window)
    clips = [(sound, RATE) for sound in (waveform, *changed)]
    featurizer = TransformersAudioFeaturizer(folder_of(model_type), n_jobs=1).fit(clips)
    vectors = []
    for seed in (0, 1):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002  the generator of the library's crop
        torch.manual_seed(seed)
        vectors.append(featurizer.transform(clips))
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert np.abs(vectors[0][1:] - vectors[0][0]).max(axis=1).min() > 1e-5
