"""laion-clap and transformers run for real, on random weights that both hold."""
# ruff: noqa: NPY002 (NumPy's global generator is what these tests watch)

import json
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from skbst.features import ClapAudioFeaturizer, ClapTextFeaturizer
from skbst.features._clap._checkpoint._architecture import describe
from skbst.features._clap._checkpoint._convert import to_transformers
from skbst.features._clap._encoder import load_encoder
from skbst.features._clap._weights import read_state
from skbst.features._embedding._threads import quiet_inference

CPU = torch.device("cpu")
TEXTS = ["Rain on a tin roof. rain, roof, water", "dog", "", "é ü — ✓", "a very long description " * 20]


def cosine(a, b):
    return np.einsum("ij,ij->i", np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64))


def preserved_numpy_state(function, seed):
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        return function()
    finally:
        np.random.set_state(state)


class TestOfficialPath:
    def test_audio(self, laion_module, clips):
        module, checkpoint = laion_module
        paths = [str(clips[name]) for name in ("short", "long", "other_rate")]
        with torch.no_grad():
            theirs = preserved_numpy_state(lambda: module.get_audio_embedding_from_filelist(paths), seed=3)
        ours = ClapAudioFeaturizer(checkpoint, windows="random", quantize=True, random_state=3).fit_transform(paths)
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, atol=2e-6)

    def test_other_draws_and_the_fixed_rule_differ_on_long_sounds_only(self, laion_module, clips):
        paths = [str(clips["short"]), str(clips["long"])]
        fixed = ClapAudioFeaturizer(laion_module[1], quantize=True).fit_transform(paths)
        drawn = ClapAudioFeaturizer(laion_module[1], windows="random", quantize=True, random_state=0)
        drawn = drawn.fit_transform(paths)
        np.testing.assert_array_equal(fixed[0], drawn[0])
        assert not np.array_equal(fixed[1], drawn[1])

    def test_unfused_audio(self, unfused_module, clips):
        module, checkpoint = unfused_module
        paths = [str(clips["short"]), str(clips["long"])]
        with torch.no_grad():
            theirs = preserved_numpy_state(lambda: module.get_audio_embedding_from_filelist(paths), seed=3)
        ours = ClapAudioFeaturizer(checkpoint, windows="random", quantize=True, random_state=3).fit_transform(paths)
        assert cosine(ours, theirs).min() > 1 - 1e-6

    @pytest.mark.slow
    def test_larger_encoder(self, large_module, clips):
        module, checkpoint = large_module
        path = str(clips["short"])
        with torch.no_grad():
            theirs = module.get_audio_embedding_from_filelist([path])
        for backend in ("laion-clap", "transformers"):
            ours = ClapAudioFeaturizer(checkpoint, backend=backend, quantize=True).fit_transform([path])
            assert cosine(ours, theirs).min() > 1 - 1e-6

    def test_text(self, laion_module):
        module, checkpoint = laion_module
        with torch.no_grad():
            theirs = module.get_text_embedding(TEXTS)
        ours = ClapTextFeaturizer(checkpoint, cleaner=None).fit_transform(TEXTS)
        np.testing.assert_allclose(ours, theirs, atol=2e-6)

    def test_laion_claps_own_loader_reads_the_checkpoint(self, laion_module, capsys):
        module, checkpoint = laion_module
        module.load_ckpt(str(checkpoint), verbose=False)
        assert "Load" in capsys.readouterr().out  # the noise that ours does not make


class TestAgreement:
    """Both libraries on the same weights, to 1e-4 in cosine; measured: to 1e-6."""

    @pytest.mark.parametrize("names", [["short", "stereo", "long"]])
    def test_fused_audio(self, laion_module, clips, names):
        paths = [str(clips[name]) for name in names]
        made = [
            ClapAudioFeaturizer(laion_module[1], backend=b).fit_transform(paths) for b in ("laion-clap", "transformers")
        ]
        assert cosine(*made).min() > 1 - 1e-6

    def test_unfused_audio(self, unfused_module, clips):
        paths = [str(clips["short"]), str(clips["long"])]
        made = [
            ClapAudioFeaturizer(unfused_module[1], backend=b).fit_transform(paths)
            for b in ("laion-clap", "transformers")
        ]
        assert cosine(*made).min() > 1 - 1e-6

    def test_text(self, laion_module):
        made = [
            ClapTextFeaturizer(laion_module[1], backend=b, cleaner=None).fit_transform(TEXTS)
            for b in ("laion-clap", "transformers")
        ]
        assert cosine(*made).min() > 1 - 1e-6

    def test_swapped_weights_would_show(self, laion_module, clips):
        state = read_state(laion_module[1])
        ours = load_encoder("transformers", laion_module[1], device="cpu")
        network = ours._model.network
        block = network.audio_model.audio_encoder.layers[0].blocks[0].attention.self
        name = "audio_branch.layers.0.blocks.0.attn.qkv.weight"
        np.testing.assert_array_equal(block.query.weight, state[name][:96])
        np.testing.assert_array_equal(block.value.weight, state[name][192:])

    def test_every_weight_that_matters_is_renamed(self, laion_module):
        state = read_state(laion_module[1])
        renamed = to_transformers(state)
        used = sum(v.numel() for k, v in state.items() if not k.endswith(("attn_mask", "position_ids")))
        unused = ("spectrogram_extractor", "logmel_extractor", "tscam_conv", "audio_branch.head", "_transform.")
        used -= sum(v.numel() for k, v in state.items() if any(part in k for part in unused))
        assert sum(v.numel() for v in renamed.values()) == used

    def test_a_saved_folder_with_the_hubs_layer_norm(self, laion_module, tmp_path, standin):
        """The published folder has 1e-12 in RoBERTa's layer norms, laion-clap 1e-5: close, not equal."""
        encoder = load_encoder("transformers", laion_module[1], device="cpu")
        encoder._model.network.save_pretrained(tmp_path)
        settings = json.loads((tmp_path / "config.json").read_text())
        settings["text_config"]["layer_norm_eps"] = 1e-12
        (tmp_path / "config.json").write_text(json.dumps(settings))
        standin.write_tokenizer(tmp_path)
        folder = ClapTextFeaturizer(tmp_path, backend="transformers", cleaner=None).fit_transform(TEXTS)
        file = ClapTextFeaturizer(laion_module[1], cleaner=None).fit_transform(TEXTS)
        assert 0 < (1 - cosine(folder, file)).max() < 1e-4


class TestTrapsOfTransformers:
    def test_its_extractor_declares_a_short_sound_longer(self, tiny_clap):
        from transformers import ClapFeatureExtractor

        extractor = ClapFeatureExtractor.from_pretrained(tiny_clap)
        waveforms = [np.random.default_rng(i).normal(size=9000) for i in range(3)]
        made = preserved_numpy_state(lambda: extractor(waveforms, sampling_rate=48000), seed=0)
        assert np.sum(made["is_longer"]) == 1

    def test_ours_does_not(self, tiny_clap):
        waveforms = np.random.default_rng(0).normal(scale=0.1, size=(3, 9000)).astype(np.float32)
        ours = ClapAudioFeaturizer(tiny_clap, backend="transformers").fit_transform(waveforms)
        network = load_encoder("transformers", tiny_clap, device="cpu")._model.network
        from transformers import ClapFeatureExtractor

        extractor = ClapFeatureExtractor.from_pretrained(tiny_clap)
        features = preserved_numpy_state(lambda: extractor(list(waveforms), sampling_rate=48000), seed=0)
        features = torch.tensor(np.array(features["input_features"]), dtype=torch.float32)
        embed = {}
        with quiet_inference(CPU):
            for longer in (False, True):
                flags = torch.full((3, 1), longer)
                pooled = network.get_audio_features(input_features=features, is_longer=flags).pooler_output
                embed[longer] = pooled / pooled.norm(dim=1, keepdim=True)
        assert cosine(ours, embed[False]).min() > 1 - 1e-6
        assert cosine(ours, embed[True]).max() < 1 - 1e-5

    def test_text_is_cut_at_77_tokens(self, laion_module, tiny_clap):
        long = "x" * 200
        for checkpoint, backend in ((laion_module[1], "laion-clap"), (tiny_clap, "transformers")):
            made = ClapTextFeaturizer(checkpoint, backend=backend, cleaner=None).fit_transform(
                [long, long[:75], long[:74]]
            )
            np.testing.assert_array_equal(made[0], made[1])
            assert not np.array_equal(made[0], made[2])


class TestCalm:
    CODE = """
        import sys
        import numpy as np, random, torch
        from skbst.features import ClapAudioFeaturizer  # scikit-learn itself draws while it is imported
        before = list(sys.path)
        states = np.random.get_state()[1].tobytes(), torch.random.get_rng_state(), random.getstate()
        X = np.load(sys.argv[2])
        torch.set_num_threads(2)
        rows = ClapAudioFeaturizer(sys.argv[1], n_jobs=2).fit_transform(X)
        assert sys.path == before, sys.path
        assert np.random.get_state()[1].tobytes() == states[0]
        assert torch.equal(torch.random.get_rng_state(), states[1])
        assert random.getstate() == states[2]
        assert "laion_clap" not in sys.modules and "webdataset" not in sys.modules
        assert torch.get_num_threads() == 2
        open(sys.argv[3], "wb").write(rows.tobytes())
    """

    @pytest.mark.slow
    def test_another_process_without_hub_cache(self, laion_module, tmp_path, child_environment):
        """No tokenizer, no hub, no noise, no trace; and the same bytes with other threads."""
        waveforms = np.random.default_rng(0).normal(scale=0.1, size=(2, 20000)).astype(np.float32)
        np.save(tmp_path / "X.npy", waveforms)
        package = Path(find_spec("laion_clap").origin).parent
        listing = sorted(str(path) for path in package.rglob("*") if path.suffix != ".pyc")
        environment = {**child_environment, "HF_HOME": str(tmp_path / "empty"), "OMP_NUM_THREADS": "2"}
        arguments = [str(laion_module[1]), str(tmp_path / "X.npy"), str(tmp_path / "rows.bin")]
        result = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(self.CODE), *arguments],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        assert result.stdout == ""
        assert result.stderr == ""
        assert sorted(str(path) for path in package.rglob("*") if path.suffix != ".pyc") == listing
        here = ClapAudioFeaturizer(laion_module[1], n_jobs=1).fit_transform(waveforms)
        assert (tmp_path / "rows.bin").read_bytes() == here.tobytes()

    def test_no_noise_in_this_process(self, laion_module, clips, capfd, no_models):
        featurizer = ClapAudioFeaturizer(laion_module[1], backend="transformers").fit([str(clips["short"])])
        featurizer.transform([str(clips["short"])])
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("backend", ["laion-clap", "transformers"])
    def test_text_makes_no_noise_and_leaves_no_trace(self, laion_module, backend, capfd, no_models):
        paths, before = list(sys.path), (np.random.get_state()[1].tobytes(), torch.random.get_rng_state())
        ClapTextFeaturizer(laion_module[1], backend=backend, cleaner=None).fit_transform(["rain", "long text " * 99])
        assert capfd.readouterr() == ("", "")
        assert sys.path == paths
        assert np.random.get_state()[1].tobytes() == before[0]
        assert torch.equal(torch.random.get_rng_state(), before[1])


def test_architecture_is_read_off_the_weights(laion_module, unfused_module):
    fused = describe(read_state(laion_module[1]), "file")
    assert (fused.audio_name, fused.fusion, fused.depths) == ("HTSAT-tiny", True, (2, 2, 6, 2))
    assert (fused.n_heads, fused.text_width, fused.n_text_layers) == ((4, 8, 16, 32), 768, 1)
    assert not describe(read_state(unfused_module[1]), "file").fusion
