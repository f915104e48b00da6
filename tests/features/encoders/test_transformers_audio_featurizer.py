"""Any audio encoder: its own vectors, whatever stands beside a sound."""

import json
import pickle
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
import torch
import transformers
from safetensors.torch import load_file, save_file

from skbst.exceptions import AudioDecodeWarning, CheckpointError, DownloadError
from skbst.features import EmbeddingStore, TransformersAudioFeaturizer
from skbst.features._encoders._kinds import KINDS
from skbst.features._encoders._windows import repeat_to, split_windows, weighted_mean

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:transformers", "ignore::UserWarning:torch")
RATE = 16000


def noise(n_samples, seed=0, rate=RATE):
    return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32), rate


@pytest.fixture(scope="module")
def sounds():
    return [noise(n, seed) for seed, n in enumerate((8000, 3000, 40000, 1700, 21000))]


def test_every_known_kind_is_tested(tiny):
    assert set(KINDS) == set(tiny.N_FEATURES)


@pytest.mark.parametrize("model_type", sorted(KINDS))
def test_no_row_depends_on_its_batch(model_type, folder_of, tiny, sounds):
    featurizer = TransformersAudioFeaturizer(folder_of(model_type)).fit(sounds)
    assert len(featurizer.get_feature_names_out()) == tiny.N_FEATURES[model_type]
    together = featurizer.transform(sounds)
    assert together.shape == (5, tiny.N_FEATURES[model_type])
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)
    for row, sound in enumerate(sounds):
        np.testing.assert_array_equal(featurizer.transform([sound])[0], together[row])
    np.testing.assert_array_equal(featurizer.transform(sounds[::-1])[::-1], together)
    several = TransformersAudioFeaturizer(folder_of(model_type), batch_size=2, n_jobs=2).fit(sounds)
    np.testing.assert_array_equal(several.transform(sounds), together)


@pytest.mark.parametrize("model_type", sorted(KINDS))
@pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning")
def test_sounds_of_any_length(model_type, folder_of):
    clips = [(np.ones(1, np.float32), RATE), noise(37), noise(900), noise(170000), (np.zeros(0, np.float32), RATE)]
    featurizer = TransformersAudioFeaturizer(folder_of(model_type)).fit(clips)
    vectors, problems = featurizer.transform_with_problems(clips)
    assert np.isfinite(vectors).all()
    assert 4 in problems.index
    if model_type not in ("clap", "whisper"):
        assert problems.loc[1, "reason"] == "too short, repeated"


@pytest.mark.parametrize("model_type", ["wav2vec2", "hubert", "wavlm", "data2vec-audio", "sew", "unispeech-sat"])
def test_mean_of_the_last_layer(model_type, folder_of):
    waveform, _ = noise(9000)
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder_of(model_type))
    network = transformers.AutoModel.from_pretrained(folder_of(model_type)).eval()
    with torch.no_grad():
        made = network(**extractor(waveform, sampling_rate=RATE, return_tensors="pt"), output_hidden_states=True)
    wanted = {"last": made.last_hidden_state, 1: made.hidden_states[1], -2: made.hidden_states[-2]}
    for layer, frames in wanted.items():
        featurizer = TransformersAudioFeaturizer(folder_of(model_type), layer=layer, normalize=False)
        vector = featurizer.fit_transform([(waveform, RATE)])[0]
        np.testing.assert_allclose(vector, frames[0].mean(dim=0).numpy(), atol=2e-6)


def test_spectrogram_transformer_takes_its_pooler(folder_of):
    waveform, _ = noise(9000)
    folder = folder_of("audio-spectrogram-transformer")
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    network = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        made = network(**extractor(waveform, sampling_rate=RATE, return_tensors="pt"))
    expected = {
        "auto": made.pooler_output,
        "cls": made.last_hidden_state[:, 0],
        "mean": made.last_hidden_state[:, 2:].mean(1),
    }
    for pooling, vector in expected.items():
        featurizer = TransformersAudioFeaturizer(folder, pooling=pooling, normalize=False)
        np.testing.assert_allclose(featurizer.fit_transform([(waveform, RATE)])[0], vector[0], atol=2e-6)


def test_whisper_pools_the_frames_with_sound(folder_of):
    waveform, _ = noise(8000)
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder_of("whisper"))
    network = transformers.AutoModel.from_pretrained(folder_of("whisper")).eval()
    with torch.no_grad():
        frames = network.encoder(**extractor(waveform, sampling_rate=RATE, return_tensors="pt")).last_hidden_state[0]
    vector = TransformersAudioFeaturizer(folder_of("whisper"), normalize=False).fit_transform([(waveform, RATE)])[0]
    np.testing.assert_allclose(vector, frames[:25].mean(dim=0), atol=2e-6)


def test_clap_is_the_models_own_projection_without_a_crop(folder_of):
    waveform, _ = noise(16000)
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder_of("clap"))
    network = transformers.AutoModel.from_pretrained(folder_of("clap")).eval()
    inputs = extractor(waveform, sampling_rate=RATE, return_tensors="pt", truncation="fusion")
    inputs["is_longer"] = torch.tensor([[False]])
    with torch.no_grad():
        made = network.get_audio_features(**inputs)
    vector = np.asarray(getattr(made, "pooler_output", made)[0])
    ours = TransformersAudioFeaturizer(folder_of("clap")).fit_transform([(waveform, RATE)])[0]
    np.testing.assert_allclose(ours, vector / np.linalg.norm(vector), atol=1e-4)


def generators():
    legacy = np.random.get_state()  # noqa: NPY002
    return legacy[1].tolist(), legacy[2], random.getstate(), torch.get_rng_state().tolist()


@pytest.mark.parametrize("model_type", ["clap", "wav2vec2", "whisper"])
def test_random_generators_are_left_alone(model_type, folder_of):
    clips = [noise(60000), noise(500, 1)]
    featurizer = TransformersAudioFeaturizer(folder_of(model_type)).fit(clips)
    before = generators()
    first = featurizer.transform_with_problems(clips)[0]
    assert generators() == before
    np.testing.assert_array_equal(featurizer.transform_with_problems(clips)[0], first)


def test_windows_are_weighted_by_what_is_sound(folder_of):
    waveform, _ = noise(40000)
    featurizer = TransformersAudioFeaturizer(folder_of("hubert"), window=1.0, normalize=False).fit([noise(10)])
    parts = featurizer.transform([(waveform[:16000], RATE), (waveform[16000:32000], RATE), (waveform[32000:], RATE)])
    expected = (16000 * parts[0] + 16000 * parts[1] + 8000 * parts[2]) / 40000
    np.testing.assert_allclose(featurizer.transform([(waveform, RATE)])[0], expected, atol=1e-6)
    overlapping = TransformersAudioFeaturizer(folder_of("hubert"), window=1.0, hop=0.5).fit([noise(10)])
    assert not np.allclose(overlapping.transform([(waveform, RATE)])[0], expected / np.linalg.norm(expected), atol=1e-4)


def test_window_rules():
    assert split_windows(0, 10, 10) == [(0, 0)]
    for n, window, hop in [(1, 10, 10), (10, 10, 10), (11, 10, 3), (100, 7, 7)]:
        spans = split_windows(n, window, hop)
        assert set().union(*(range(*span) for span in spans)) == set(range(n))
        assert all(0 < stop - start <= window for start, stop in spans)
    np.testing.assert_array_equal(repeat_to(np.array([1, 2], np.float32), 5), [1, 2, 1, 2, 1])
    np.testing.assert_allclose(weighted_mean([np.ones(2), np.zeros(2)], [3, 1]), [0.75, 0.75])
    np.testing.assert_allclose(weighted_mean([np.ones(2), np.zeros(2)], [0, 0]), [0.5, 0.5])


def test_rate_comes_from_the_extractor(folder_of, tmp_path):
    waveform = np.sin(2 * np.pi * 440 * np.arange(48000) / 48000).astype(np.float32) * 0.5
    soundfile.write(tmp_path / "tone.wav", waveform, 48000, subtype="FLOAT")
    featurizer = TransformersAudioFeaturizer(folder_of("wav2vec2"))
    from_file, slow = featurizer.fit_transform([str(tmp_path / "tone.wav"), (waveform[::3], RATE)])
    assert from_file @ slow > 0.99
    stereo = np.stack([waveform, waveform], axis=1)
    np.testing.assert_allclose(featurizer.transform([(stereo, 48000)])[0], from_file, atol=1e-5)


def test_store(folder_of, tmp_path, sounds, monkeypatch):
    fresh = TransformersAudioFeaturizer(folder_of("wav2vec2"), store=tmp_path / "kept").fit(sounds)
    wanted = fresh.transform(sounds)
    import skbst.features._encoders._audio_run as run

    def refuse(*args, **kwargs):
        raise AssertionError("weights were loaded")

    monkeypatch.setattr(run, "load_audio_model", refuse)
    np.testing.assert_array_equal(fresh.transform(sounds[::-1])[::-1], wanted)
    for changed in ({"precision": "bfloat16"}, {"layer": 1}, {"pooling": "max"}, {"window": 0.5}, {"normalize": False}):
        other = TransformersAudioFeaturizer(folder_of("wav2vec2"), store=tmp_path / "kept", **changed).fit(sounds)
        with pytest.raises(AssertionError, match="weights were loaded"):
            other.transform(sounds)


def test_names_need_no_weights(folder_of, tmp_path):
    folder = tmp_path / "empty"
    shutil.copytree(folder_of("wav2vec2"), folder)
    (folder / "model.safetensors").write_bytes(b"no weights")
    featurizer = TransformersAudioFeaturizer(str(folder), pooling="mean+max").fit([noise(10)])
    assert featurizer.get_feature_names_out()[-1] == "transformersaudiofeaturizer31"
    with pytest.raises(CheckpointError, match="cannot load"):
        featurizer.transform([noise(8000)])


def test_choices_stand_in_the_error(folder_of):
    for settings, message in [
        ({"pooling": "projection"}, r"choose among 'mean', 'max', 'mean\+max'"),
        ({"pooling": "pooler", "layer": 1}, "choose among 'mean'"),
        ({"layer": 7}, r"0 \(input\) to 2"),
        ({"window": 1.0, "hop": 2.0}, "left out"),
    ]:
        with pytest.raises(ValueError, match=message):
            TransformersAudioFeaturizer(folder_of("wav2vec2"), **settings).fit_transform([noise(8000)])
    with pytest.raises(ValueError, match="longer than the 2 s"):
        TransformersAudioFeaturizer(folder_of("whisper"), window=3).fit_transform([noise(8000)])


def test_only_safetensors_are_read(folder_of, tmp_path):
    folder = tmp_path / "pickled"
    shutil.copytree(folder_of("wav2vec2"), folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="safetensors"):
        TransformersAudioFeaturizer(str(folder)).fit_transform([noise(8000)])


def test_missing_weights_are_never_made_up(folder_of, tmp_path):
    folder = tmp_path / "part"
    shutil.copytree(folder_of("wav2vec2"), folder)
    state = load_file(folder / "model.safetensors")
    gone = next(key for key in state if "layers.1" in key and key.endswith("weight"))
    save_file({key: value for key, value in state.items() if key != gone}, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="lacks 1 of the encoder's weights"):
        TransformersAudioFeaturizer(str(folder)).fit_transform([noise(8000)])


def test_unknown_types_and_folders(folder_of, tmp_path):
    folder = tmp_path / "bert"
    shutil.copytree(folder_of("wav2vec2"), folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(CheckpointError, match=r"'bert'.* known are .*hubert"):
        TransformersAudioFeaturizer(str(folder)).fit_transform([noise(8000)])
    (tmp_path / "void").mkdir()
    with pytest.raises(CheckpointError, match=r"config\.json"):
        TransformersAudioFeaturizer(tmp_path / "void").fit_transform([noise(8000)])
    with pytest.raises(CheckpointError, match="no folder here"):
        TransformersAudioFeaturizer("./nowhere/at/all").fit_transform([noise(8000)])


def test_offline_says_what_to_do():
    featurizer = TransformersAudioFeaturizer("nobody/nothing-of-this-name", local_files_only=True).fit([noise(10)])
    with pytest.raises(DownloadError, match=r"hf download nobody/nothing-of-this-name"):
        featurizer.transform([noise(8000)])


def test_remote_code_needs_a_pinned_commit(folder_of, tmp_path):
    for settings in ({}, {"revision": "main"}, {"revision": "a" * 39}):
        with pytest.raises(ValueError, match="40 hexadecimal digits"):
            TransformersAudioFeaturizer("some/model", trust_remote_code=True, **settings).fit([noise(10)])
    with pytest.raises(ValueError, match="40 hexadecimal digits"):
        TransformersAudioFeaturizer(folder_of("sew"), trust_remote_code=True, revision="a" * 40).fit([noise(10)])


def test_a_file_never_turns_code_on():
    trusting = TransformersAudioFeaturizer("some/model", trust_remote_code=True, revision="a" * 40)
    content = pickle.dumps(trusting)
    with pytest.warns(UserWarning, match="never taken from a file"):
        again = pickle.loads(content)
    assert again.trust_remote_code is False
    assert trusting.trust_remote_code is True


def test_code_in_a_folder_does_not_run(folder_of, tmp_path):
    folder = tmp_path / "coded"
    shutil.copytree(folder_of("wav2vec2"), folder)
    config = json.loads((folder / "config.json").read_text())
    mark = tmp_path / "ran"
    (folder / "own.py").write_text(f"open({str(mark)!r}, 'w')\nclass C: pass\nclass M: pass\n")
    config["auto_map"] = {"AutoConfig": "own.C", "AutoModel": "own.M"}
    (folder / "config.json").write_text(json.dumps(config))
    TransformersAudioFeaturizer(str(folder)).fit_transform([noise(8000)])
    config["model_type"] = "unheard-of"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError):
        TransformersAudioFeaturizer(str(folder)).fit_transform([noise(8000)])
    assert not mark.exists()


def test_broken_files(folder_of, tmp_path):
    (tmp_path / "empty.wav").write_bytes(b"")
    soundfile.write(tmp_path / "good.wav", noise(8000)[0], RATE)
    paths = [str(tmp_path / name) for name in ("empty.wav", "good.wav", "empty.wav", "absent.wav")]
    featurizer = TransformersAudioFeaturizer(folder_of("wav2vec2"), store=tmp_path / "kept").fit(paths)
    for _ in range(2):
        with pytest.warns(AudioDecodeWarning, match="3 of 4 sounds"):
            vectors = featurizer.transform(paths)
    np.testing.assert_array_equal(vectors[0], vectors[3])
    assert featurizer.transform_with_problems(paths)[1]["reason"].tolist() == ["zero bytes", "zero bytes", "not found"]
    with pytest.raises(ValueError, match="could not be decoded"):
        TransformersAudioFeaturizer(folder_of("wav2vec2"), on_error="raise").fit(paths).transform(paths)


def test_threads_and_pickles(folder_of, sounds):
    featurizer = TransformersAudioFeaturizer(folder_of("hubert"), n_jobs=1, layer=1).fit(sounds)
    before = pickle.dumps(featurizer)
    wanted = featurizer.transform(sounds)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(featurizer.transform, [sounds] * 4):
            np.testing.assert_array_equal(vectors, wanted)
    assert pickle.dumps(featurizer) == before
    assert len(before) < 2000
    assert featurizer.shared_modules()[0].training is False


def test_precision(folder_of, sounds):
    """Of the network's own type: how far that is from float32 is the processor's affair."""
    wanted = TransformersAudioFeaturizer(folder_of("wav2vec2")).fit_transform(sounds)
    settings = {"precision": "bfloat16", "normalize": False}
    rounded = TransformersAudioFeaturizer(folder_of("wav2vec2"), **settings).fit_transform(sounds)
    assert rounded.dtype == np.float32
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder_of("wav2vec2"))
    network = transformers.AutoModel.from_pretrained(folder_of("wav2vec2"), dtype=torch.bfloat16).eval()
    inputs = extractor(sounds[0][0], sampling_rate=RATE, return_tensors="pt")["input_values"]
    with torch.no_grad():
        frames = network(inputs.bfloat16()).last_hidden_state[0].float()
    np.testing.assert_allclose(rounded[0], frames.mean(dim=0), atol=1e-2)
    assert not np.array_equal(rounded / np.linalg.norm(rounded, axis=1, keepdims=True), wanted)


def test_store_object(folder_of, sounds, tmp_path):
    store = EmbeddingStore(tmp_path, name="mine")
    TransformersAudioFeaturizer(folder_of("wav2vec2"), store=store).fit_transform(sounds)
    assert store.cache_folder.is_dir()


def test_without_the_library(folder_of):
    code = (
        "import sys; sys.modules['transformers'] = None; import numpy as np\n"
        "from skbst.features import TransformersAudioFeaturizer as F\n"
        "try:\n    F(sys.argv[1]).fit_transform([(np.ones(8000), 16000)])\n"
        "except ImportError as error:\n    print(error)\n"
    )
    command = [sys.executable, "-c", code, folder_of("wav2vec2")]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "TransformersAudioFeaturizer needs transformers" in made.stdout
    assert "skbst[encoders]" in made.stdout


def test_long_sounds_are_read_window_by_window(folder_of, tmp_path, monkeypatch):
    sounds = [noise(100_000, 1), noise(90_001, 2, 22050)]
    soundfile.write(tmp_path / "x.flac", noise(300_000, 3)[0], 44100)
    sounds.append(tmp_path / "x.flac")
    featurizer = TransformersAudioFeaturizer(folder_of("wav2vec2"), window=1.0, hop=0.7, n_jobs=1).fit(sounds)
    expected = featurizer.transform(sounds)
    monkeypatch.setattr("skbst.features._encoders._audio_run._LONGEST_WHOLE", 40_000)
    np.testing.assert_allclose(featurizer.transform(sounds), expected, atol=1e-5)


def test_a_clip_for_which_memory_runs_out_is_that_clips_record(folder_of, sounds, monkeypatch):
    from skbst.features._encoders._audio_run import AudioEncoderRun

    featurizer = TransformersAudioFeaturizer(folder_of("wav2vec2"), n_jobs=1).fit(sounds)
    expected, embed = featurizer.transform(sounds), AudioEncoderRun.embed

    def short_of_memory(self, waveform):
        if len(waveform) == 40000:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory")
        return embed(self, waveform)

    monkeypatch.setattr(AudioEncoderRun, "embed", short_of_memory)
    with pytest.warns(AudioDecodeWarning, match="out of memory"):
        made = featurizer.transform(sounds)
    others = [0, 1, 3, 4]
    np.testing.assert_array_equal(made[others], expected[others])


@pytest.mark.parametrize("rate", [None, "a", -1, 0, 10**9, [], True, 1.5])
def test_a_damaged_sampling_rate_is_a_checkpoint_error(folder_of, sounds, tmp_path, rate):
    folder = shutil.copytree(folder_of("wav2vec2"), tmp_path / "encoder")
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(settings | {"sampling_rate": rate}))
    with pytest.raises(CheckpointError):
        TransformersAudioFeaturizer(folder).fit_transform(sounds[:1])


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b"[" * 5000, b"\xff\xfe", b'{"auto_map": [1]}', b'{"model_type": []}']
)
def test_damaged_settings_are_a_checkpoint_error(folder_of, sounds, tmp_path, name, content):
    folder = shutil.copytree(folder_of("wav2vec2"), tmp_path / "encoder")
    if name == "preprocessor_config.json" and content[:1] == b"{":
        pytest.skip("settings that are not used")
    (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError):
        TransformersAudioFeaturizer(folder).fit_transform(sounds[:1])
