import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from skbst.exceptions import CheckpointError, DownloadError
from skbst.features import ClapAudioFeaturizer, ClapTextFeaturizer
from skbst.features._clap._checkpoint import _find
from skbst.features._clap._checkpoint._architecture import describe
from skbst.features._clap._checkpoint._download import cache_folder
from skbst.features._clap._checkpoint._find import find_checkpoint, remember_checkpoint
from skbst.features._clap._encoder import load_encoder
from skbst.features._clap._tokenizer import load_tokenizer
from skbst.features._clap._weights import load_strictly, read_state, without_initialisation


class Payload:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("SKBST_DATA_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "clap"


class TestReading:
    def test_numpy_numbers_in_the_log_are_fine(self, laion_module):
        state = read_state(laion_module[1])
        assert "audio_branch.bn0.weight" in state
        assert not any(name.startswith("module.") for name in state)

    def test_a_bare_state_and_safetensors(self, tmp_path):
        from safetensors.torch import save_file

        state = {"a": torch.arange(3.0)}
        torch.save(state, tmp_path / "a.pt")
        save_file(state, tmp_path / "a.safetensors")
        for name in ("a.pt", "a.safetensors"):
            assert read_state(tmp_path / name)["a"].tolist() == [0, 1, 2]

    def test_code_is_refused_and_not_run(self, tmp_path):
        torch.save({"state_dict": {}, "trap": Payload(tmp_path / "ran")}, tmp_path / "trap.pt")
        with pytest.raises(CheckpointError, match=r"refused.*could run code"):
            read_state(tmp_path / "trap.pt")
        (tmp_path / "bare.pt").write_bytes(pickle.dumps(Payload(tmp_path / "ran")))
        with pytest.raises(CheckpointError):
            read_state(tmp_path / "bare.pt")
        assert not (tmp_path / "ran").exists()

    def test_the_list_of_allowed_types_is_put_back(self, laion_module):
        before = set(torch.serialization.get_safe_globals())
        read_state(laion_module[1])
        assert set(torch.serialization.get_safe_globals()) == before

    @pytest.mark.parametrize("kept", [0, 10, 0.3, 0.999])
    def test_truncated(self, laion_module, tmp_path, kept):
        content = laion_module[1].read_bytes()
        n = kept if isinstance(kept, int) else int(kept * len(content))
        (tmp_path / "cut.pt").write_bytes(content[:n])
        with pytest.raises(CheckpointError, match=r"damaged|truncated|not a checkpoint"):
            read_state(tmp_path / "cut.pt")

    def test_truncated_safetensors(self, tiny_clap, tmp_path):
        content = (tiny_clap / "model.safetensors").read_bytes()
        (tmp_path / "cut.safetensors").write_bytes(content[: len(content) // 2])
        with pytest.raises(CheckpointError, match="damaged or truncated"):
            read_state(tmp_path / "cut.safetensors")

    @pytest.mark.parametrize("zipped", [True, False])
    def test_cut_anywhere(self, zipped, tmp_path):
        path = tmp_path / "cut.pt"
        torch.save(
            {"epoch": 7, "best": np.float64(0.5), "state_dict": {"a": torch.zeros(40, 4)}},
            path,
            _use_new_zipfile_serialization=zipped,
        )
        whole = path.read_bytes()
        for n in range(0, len(whole) - 1, 13):
            path.write_bytes(whole[:n])
            with pytest.raises(CheckpointError):
                read_state(path)

    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: None])
    @pytest.mark.parametrize("name", ["x.pt", "x.safetensors"])
    def test_no_file(self, make, name, tmp_path):
        make(tmp_path / name)
        with pytest.raises(CheckpointError, match="is no file of weights"):
            read_state(tmp_path / name)

    @pytest.mark.parametrize(
        "header", [b"{}", b'{"a":1}', b'{"a":{"dtype":"F9","shape":[1],"data_offsets":[0,4]}}', b"[]", b"\xff"]
    )
    def test_odd_headers(self, header, tmp_path):
        (tmp_path / "x.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
        with pytest.raises(CheckpointError):
            read_state(tmp_path / "x.safetensors")

    @pytest.mark.parametrize("content", [[1, 2], {}, {"state_dict": {"a": 3}}, {"epoch": 3}, {1: torch.ones(2)}, 5])
    def test_no_weights(self, tmp_path, content):
        torch.save(content, tmp_path / "x.pt")
        with pytest.raises(CheckpointError, match="holds no weights"):
            read_state(tmp_path / "x.pt")


class TestArchitecture:
    @pytest.fixture
    def state(self, laion_module):
        return read_state(laion_module[1])

    def test_missing_weights_are_counted_and_named(self, state, tmp_path):
        del state["audio_branch.layers.1.blocks.0.mlp.fc1.weight"], state["audio_branch.norm.bias"]
        path = tmp_path / "missing.pt"
        torch.save(state, path)
        with pytest.raises(
            CheckpointError, match=r"2 missing \(first: audio_branch\.layers\.1\.blocks\.0\.mlp\.fc1\.weight\)"
        ):
            load_encoder("laion-clap", path, device="cpu")
        with pytest.raises(CheckpointError, match=r"2 missing \(first: audio_model"):
            load_encoder("transformers", path, device="cpu")

    def test_other_shapes_and_left_overs(self, state):
        module = torch.nn.Linear(3, 2)
        good = {"weight": torch.ones(2, 3), "bias": torch.ones(2)}
        load_strictly(module, good, "file")
        with pytest.raises(CheckpointError, match=r"1 unexpected \(first: more\)"):
            load_strictly(module, {**good, "more": torch.ones(1)}, "file")
        with pytest.raises(CheckpointError, match=r"1 of another shape \(first: bias\)"):
            load_strictly(module, {**good, "bias": torch.ones(3)}, "file")
        with pytest.raises(CheckpointError, match="NaN or infinite"):
            load_strictly(module, {**good, "bias": torch.tensor([1.0, np.inf])}, "file")

    def test_loading_leaves_nothing_to_chance(self, state):
        """What the constructor did not draw must all come from the file."""
        with without_initialisation():
            module = torch.nn.Linear(64, 64)
            module.weight.data.fill_(7)
            torch.nn.init.uniform_(module.weight)
        assert (module.weight == 7).all()

    def test_pann(self):
        with pytest.raises(CheckpointError, match="PANN"):
            describe({"audio_branch.conv_block1.conv1.weight": torch.ones(1)}, "file")

    def test_weights_of_transformers_in_a_file(self, tiny_clap, tmp_path):
        state = read_state(tiny_clap / "model.safetensors")
        with pytest.raises(CheckpointError, match=r'backend="transformers"'):
            describe(state, "file")

    def test_something_else(self):
        with pytest.raises(CheckpointError, match="holds no weights of CLAP"):
            describe({"layer.weight": torch.ones(1)}, "file")

    def test_other_sizes(self, state):
        with pytest.raises(CheckpointError, match="no RoBERTa"):
            describe({k: v for k, v in state.items() if not k.startswith("text_branch")}, "file")
        with pytest.raises(CheckpointError, match="width 48"):
            describe({**state, "audio_branch.patch_embed.proj.weight": torch.ones(48, 1, 4, 4)}, "file")
        with pytest.raises(CheckpointError, match="512 numbers"):
            describe({**state, "audio_projection.2.weight": torch.ones(256, 512)}, "file")

    def test_a_folder_for_laion_clap(self, tiny_clap):
        with pytest.raises(CheckpointError, match="reads one file of weights"):
            load_encoder("laion-clap", tiny_clap, device="cpu")

    def test_a_folder_of_something_else(self, tmp_path, hub_cache):
        with pytest.raises(CheckpointError, match=r"expected config\.json"):
            load_encoder("transformers", tmp_path, device="cpu")
        roberta = next((hub_cache / "hub" / "models--roberta-base" / "snapshots").iterdir())
        with pytest.raises(CheckpointError, match="'roberta'; expected 'clap'"):
            load_encoder("transformers", roberta, device="cpu")


class TestFinding:
    def test_unknown(self):
        with pytest.raises(CheckpointError, match="630k-audioset-fusion-best"):
            find_checkpoint("no-such-name")
        with pytest.raises(CheckpointError, match="There is no checkpoint"):
            find_checkpoint("/no/such/file.pt")

    def test_digest_follows_the_content(self, tmp_path):
        path = tmp_path / "a.pt"
        path.write_bytes(b"one")
        first = find_checkpoint(path).digest
        assert find_checkpoint(str(path)).digest == first
        path.write_bytes(b"two!")
        assert find_checkpoint(path).digest != first

    def test_a_named_one_put_there_by_hand(self, own_cache):
        own_cache.mkdir(parents=True)
        file = own_cache / "630k-audioset-fusion-best.pt"
        file.write_bytes(b"weights")
        found = find_checkpoint("630k-audioset-fusion-best")
        assert found.path == file
        remember_checkpoint(found)
        assert (own_cache / "630k-audioset-fusion-best.pt.sha256").read_text().strip() == found.digest

    def test_a_damaged_one_can_be_replaced(self, own_cache, tiny_clap, tmp_path):
        """What could not be loaded is not recorded as the right content."""
        own_cache.mkdir(parents=True)
        file = own_cache / "630k-best.pt"
        torch.save(read_state(tiny_clap / "model.safetensors"), tmp_path / "whole.pt")
        whole = (tmp_path / "whole.pt").read_bytes()
        for content in (whole[:100], whole[: len(whole) // 2]):
            file.write_bytes(content)
            with pytest.raises(CheckpointError, match=r"damaged|not a checkpoint"):
                load_encoder("transformers", "630k-best", device="cpu")
        assert not (own_cache / "630k-best.pt.sha256").exists()

    def test_a_loaded_one_is_recorded(self, own_cache, laion_module):
        own_cache.mkdir(parents=True)
        (own_cache / "630k-fusion-best.pt").symlink_to(laion_module[1])
        load_encoder("laion-clap", "630k-fusion-best", device="cpu")
        digest = find_checkpoint("630k-fusion-best").digest
        assert (own_cache / "630k-fusion-best.pt.sha256").read_text().strip() == digest

    def test_another_content_under_a_name_is_refused(self, own_cache):
        own_cache.mkdir(parents=True)
        file = own_cache / "630k-best.pt"
        file.write_bytes(b"weights")
        remember_checkpoint(find_checkpoint("630k-best"))
        file.write_bytes(b"other weights")
        with pytest.raises(CheckpointError, match=r"was recorded when it was first used"):
            find_checkpoint("630k-best")
        (own_cache / "630k-best.pt.sha256").unlink()
        find_checkpoint("630k-best")

    def test_from_the_hubs_cache(self, own_cache, hub_cache, standin):
        folder = standin._snapshot(hub_cache, "lukewys/laion_clap")
        (folder / "630k-fusion-best.pt").write_bytes(b"weights")
        assert find_checkpoint("630k-fusion-best").path == folder / "630k-fusion-best.pt"

    def test_a_blob_that_is_not_what_the_hub_announced(self, own_cache, tmp_path, monkeypatch):
        blob = tmp_path / ("ab" * 32)
        blob.write_bytes(b"cut off")
        link = tmp_path / "630k-best.pt"
        link.symlink_to(blob)
        monkeypatch.setattr(_find, "download", lambda *_: link)
        with pytest.raises(CheckpointError, match="the hub announced abab"):
            find_checkpoint("630k-best")

    def test_a_damaged_blob_of_a_folder(self, tiny_clap, tmp_path):
        import shutil

        folder = Path(shutil.copytree(tiny_clap, tmp_path / "folder"))
        blob = (folder / "model.safetensors").rename(tmp_path / ("cd" * 32))
        (folder / "model.safetensors").symlink_to(blob)
        with pytest.raises(CheckpointError, match="the hub announced cdcd"):
            find_checkpoint(folder)

    def test_without_a_network(self, own_cache):
        featurizer = ClapAudioFeaturizer("630k-audioset-best").fit(["a.wav"])
        with pytest.raises(DownloadError) as caught:
            featurizer.transform(["a.wav"])
        message = str(caught.value)
        assert "https://huggingface.co/lukewys/laion_clap/resolve/main/630k-audioset-best.pt" in message
        assert str(cache_folder()) in message
        assert "load_bsd(root).embeddings" in message

    def test_a_hub_repository_without_a_network(self):
        with pytest.raises(DownloadError, match="laion/clap-htsat-fused"):
            find_checkpoint("laion/clap-htsat-fused")

    def test_a_hub_repository_from_the_cache(self, hub_cache, standin):
        folder = standin._snapshot(hub_cache, "somebody/tiny-clap")
        standin.write_tiny_clap(folder)
        found = find_checkpoint("somebody/tiny-clap")
        assert found.path == folder
        rows = ClapAudioFeaturizer("somebody/tiny-clap", backend="transformers").fit_transform(np.zeros((1, 100)))
        assert rows.shape == (1, 512)

    def test_a_download_shows_bars_only_when_asked(self, own_cache, monkeypatch, tmp_path):
        import huggingface_hub
        from huggingface_hub.utils import LocalEntryNotFoundError, are_progress_bars_disabled

        seen = []

        def fetch(repository, filename, local_files_only=False):
            if local_files_only:
                raise LocalEntryNotFoundError("not there")
            seen.append(are_progress_bars_disabled())
            (tmp_path / filename).write_bytes(b"weights")
            return str(tmp_path / filename)

        monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
        before = are_progress_bars_disabled()
        find_checkpoint("630k-best")
        find_checkpoint("630k-best", verbose=1)
        assert seen == [True, before]
        assert are_progress_bars_disabled() == before


class TestMissingLibraries:
    @pytest.mark.parametrize(("module", "backend"), [("laion_clap", "laion-clap"), ("transformers", "transformers")])
    def test_names_the_extra(self, laion_module, monkeypatch, no_models, module, backend):
        import skbst._optional
        from skbst.features._clap import _laion

        def hidden(name, *args):
            if name.split(".")[0] == module:
                raise ModuleNotFoundError(f"No module named {module!r}", name=module)
            return original(name, *args)

        original = skbst._optional.importlib.import_module
        monkeypatch.setattr(skbst._optional.importlib, "import_module", hidden)
        monkeypatch.setattr(_laion, "find_spec", lambda name: None)
        featurizer = ClapAudioFeaturizer(laion_module[1], backend=backend)
        with pytest.raises(ImportError, match=r"install skbst\[clap\].*load_bsd\(root\)\.embeddings"):
            featurizer.fit_transform(np.zeros((1, 100)))

    def test_a_missing_tokenizer(self, laion_module):
        with pytest.raises(DownloadError, match=r"vocab\.json"):
            load_tokenizer("no-such/tokenizer")
        featurizer = ClapTextFeaturizer(laion_module[1], tokenizer="no-such/tokenizer", cleaner=None)
        with pytest.raises(DownloadError, match=r"load_bsd\(root\)\.embeddings"):
            featurizer.fit_transform(["rain"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.json", "[]"),
        ("config.json", "{"),
        ("config.json", '{"model_type": "clap", "audio_config": 3}'),
        ("config.json", '{"model_type": "clap", "projection_dim": "many"}'),
        ("config.json", '{"model_type": "clap", "text_config": {"hidden_size": -5}}'),
        ("config.json", "[" * 100_000),
        ("preprocessor_config.json", "[1]"),
        ("preprocessor_config.json", '{"sampling_rate": "fast"}'),
        ("preprocessor_config.json", '{"frequency_min": []}'),
        ("model.safetensors", "no tensors"),
    ],
)
def test_an_odd_folder_is_a_checkpoint_error(name, text, tiny_clap, tmp_path):
    import shutil

    folder = shutil.copytree(tiny_clap, tmp_path / "odd")
    (folder / name).write_text(text)
    with pytest.raises(CheckpointError):
        load_encoder("transformers", folder, device="cpu")
