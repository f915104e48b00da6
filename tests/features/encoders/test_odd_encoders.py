"""Folders and settings that do not fit together, and sounds as they come."""

import json
import shutil
from configparser import ConfigParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skbst.exceptions import CheckpointError
from skbst.features import ClipFeaturizer, TextLSAFeaturizer, TransformersAudioFeaturizer

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:transformers", "ignore::UserWarning:torch")
RATE = 16000


def noise(n_samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32), RATE


@pytest.mark.parametrize(
    ("model_type", "changed"),
    [
        ("clap", {"max_length_s": 5, "nb_max_samples": 80000}),
        ("audio-spectrogram-transformer", {"max_length": 256}),
        ("audio-spectrogram-transformer", {"num_mel_bins": 40}),
        ("whisper", {"feature_size": 40}),
    ],
)
def test_an_extractor_of_another_model(model_type, changed, folder_of, tmp_path):
    folder = shutil.copytree(folder_of(model_type), tmp_path / "mixed")
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(settings | changed))
    with pytest.raises(CheckpointError, match="settings of the two"):
        TransformersAudioFeaturizer(folder).fit_transform([noise(80000)])


def test_the_extra_pins_no_numpy():
    read = ConfigParser()
    read.read(Path(__file__).parents[3] / "setup.cfg")
    extra = read["options.extras_require"]["encoders"]
    assert {line.split(">")[0] for line in extra.split()} == {"transformers", "sentence-transformers"}


def test_a_hop_below_a_sample(folder_of):
    with pytest.raises(ValueError, match=r"hop=1e-06 s is less than one sample at 16000 Hz"):
        TransformersAudioFeaturizer(folder_of("wav2vec2"), hop=1e-6).fit(["x.wav"]).transform(["x.wav"])


def test_a_window_below_what_can_be_read(folder_of):
    with pytest.raises(ValueError, match=r"window=0\.05 s is shorter than the 0\.1 s"):
        TransformersAudioFeaturizer(folder_of("wav2vec2"), window=0.05).fit_transform([noise(8000)])


def test_weights_of_another_model_are_refused_in_one_line(folder_of, tmp_path, capfd):
    folder = shutil.copytree(folder_of("wav2vec2"), tmp_path / "mixed")
    shutil.copy(f"{folder_of('whisper')}/model.safetensors", folder)
    with pytest.raises(CheckpointError, match="of the encoder's weights"):
        TransformersAudioFeaturizer(folder).fit_transform([noise(8000)])
    assert capfd.readouterr().err == ""


def test_layers_and_poolings_are_searched(folder_of, tmp_path):
    paths = pd.Series([tmp_path / f"{number}.wav" for number in range(8)])
    for number, path in enumerate(paths):
        soundfile.write(path, noise(2000, number)[0] * np.linspace(number % 2, 1, 2000), RATE)
    encoder = TransformersAudioFeaturizer(folder_of("wav2vec2"), store=tmp_path / "kept", n_jobs=1)
    name = "transformersaudiofeaturizer"
    grid = {f"{name}__layer": ["last", 0, -1], f"{name}__pooling": ["mean", "mean+max"]}
    search = GridSearchCV(make_pipeline(encoder, LogisticRegression()), grid, cv=2).fit(paths, np.arange(8) % 2)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len({tuple(pair) for pair in pd.DataFrame(search.cv_results_["params"]).to_numpy()}) == 6


def test_one_store_for_precisions_and_models(folder_of, tmp_path):
    clips, kept = [noise(8000)], tmp_path / "kept"
    ways = [("wav2vec2", "float32"), ("wav2vec2", "bfloat16"), ("wav2vec2", "float16"), ("sew", "float32")]
    for _ in range(2):  # the second time from the store
        for model_type, precision in ways:
            fresh = TransformersAudioFeaturizer(folder_of(model_type), precision=precision).fit(clips).transform(clips)
            stored = TransformersAudioFeaturizer(folder_of(model_type), precision=precision, store=kept).fit(clips)
            np.testing.assert_array_equal(stored.transform(clips), fresh)


@pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning")
def test_several_encoders_where_a_sound_is_missing(folder_of, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(8000)[0], RATE)
    table = {"title": ["a dog", "rain", "wind"], "tags": [["a"], ["b"], ["c"]]}
    clips = pd.DataFrame({**table, "audio": [str(tmp_path / "a.wav"), None, ""]}, index=["x", "y", "z"])
    encoders = [(f"{kind}_audio", TransformersAudioFeaturizer(folder_of(kind))) for kind in ("wav2vec2", "whisper")]
    bundle = ClipFeaturizer([*encoders, ("lsa_text", TextLSAFeaturizer(2))]).fit_transform(clips)
    assert sorted(bundle.problems["position"]) == [1, 1, 2, 2]
    assert sorted(bundle.problems["block"]) == ["wav2vec2_audio"] * 2 + ["whisper_audio"] * 2
    for name, _ in encoders:
        assert np.isfinite(bundle[name]).all()
        np.testing.assert_array_equal(bundle[name][1], bundle[name][2])  # silence, the same for both
    assert np.abs(bundle["lsa_text"][1:]).sum(axis=1).min() > 0
